#include "formats/profile/python_tokens.h"

#include <algorithm>

namespace gauge {
namespace {

using Kind = PythonToken::Kind;

constexpr std::uint32_t kMostBrackets = 200;  // MAXLEVEL of CPython's tokenizer
constexpr std::uint32_t kTabColumns = 8;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_decimal(char c) { return is_digit(c) || c == '_'; }
bool is_hexadecimal(char c) { return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
// Every byte of a letter outside ASCII counts as one: which letters identifiers may hold is the compiler's affair.
bool begins_name(char c) { return c < 0 || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool continues_name(char c) { return begins_name(c) || is_digit(c); }
bool is_any_of(char c, std::string_view set) { return c != '\0' && set.find(c) != std::string_view::npos; }

bool is_string_prefix(std::string_view name) {
  return name.size() <= 2 && std::ranges::all_of(name, [](char c) { return is_any_of(c, "rRbBuUfF"); });
}

}  // namespace

PythonToken PythonTokens::next() {
  PythonToken token;
  if (is_line_start_) token.indent = skip_indentation();
  is_line_start_ = false;
  skip_space();
  token.line = line_;
  const std::size_t begin = at_;
  token.kind = skip_token();
  token.text = text_.substr(begin, at_ - begin);
  return token;
}

/// Passes over lines with nothing but a comment, which count for nothing.
std::uint32_t PythonTokens::skip_indentation() {
  std::uint32_t column = 0;
  for (; at_ < text_.size(); ++at_) {
    if (peek() == '#') skip_comment();
    switch (peek()) {
      case ' ':
        ++column;
        break;
      case '\t':
        column = (column / kTabColumns + 1) * kTabColumns;
        break;
      case '\f':
        column = 0;
        break;
      case '\n':
        column = 0;
        ++line_;
        break;
      default:
        return column;
    }
  }
  return column;
}

void PythonTokens::skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()); }

void PythonTokens::skip_space() {
  for (;;) {
    skip_while([](char c) { return c == ' ' || c == '\t' || c == '\f'; });
    if (peek() == '#') skip_comment();
    const bool is_continued = peek() == '\\' && peek(1) == '\n';
    const bool is_in_brackets = peek() == '\n' && depth_ > 0;
    if (!is_continued && !is_in_brackets) return;
    at_ += is_continued ? 2 : 1;
    ++line_;
  }
}

Kind PythonTokens::skip_token() {
  const char c = peek();
  if (at_ >= text_.size()) return Kind::end;
  if (c == '\n') {
    ++at_;
    ++line_;
    is_line_start_ = true;
    return Kind::newline;
  }
  if (begins_name(c)) return skip_name();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return skip_number();
  if (is_any_of(c, "'\"")) return skip_string() ? Kind::string : Kind::error;
  return skip_operator();
}

Kind PythonTokens::skip_name() {
  const std::size_t begin = at_;
  skip_while(continues_name);
  const std::string_view name = text_.substr(begin, at_ - begin);
  if (!is_any_of(peek(), "'\"") || !is_string_prefix(name)) return Kind::name;
  if (!skip_string()) return Kind::error;
  return name.find_first_of("fF") == std::string_view::npos ? Kind::string : Kind::fstring;
}

/// Ends exactly where CPython ends it: a keyword may follow without a space, as in `1if x else 0xfor y`.
Kind PythonTokens::skip_number() {
  const bool has_base = peek() == '0' && is_any_of(peek(1), "xXoObB");
  if (has_base) {
    const bool is_hex = is_any_of(peek(1), "xX");
    at_ += 2;
    skip_while(is_hex ? is_hexadecimal : is_decimal);
    return Kind::number;
  }
  skip_while(is_decimal);
  if (peek() == '.') ++at_;
  skip_while(is_decimal);
  const std::size_t sign = is_any_of(peek(1), "+-") ? 1 : 0;
  if (is_any_of(peek(), "eE") && is_digit(peek(1 + sign))) {
    at_ += 1 + sign;
    skip_while(is_decimal);
  }
  if (is_any_of(peek(), "jJ")) ++at_;
  return Kind::number;
}

Kind PythonTokens::skip_operator() {
  const char c = peek();
  if (is_any_of(c, "=!<>:") && peek(1) == '=') {
    at_ += 2;
    return Kind::op;
  }
  if (!is_any_of(c, "()[]{}:,;.@=+-*/|&<>%~^")) return Kind::error;
  if (is_any_of(c, "([{") && ++depth_ > kMostBrackets) return Kind::error;
  if (is_any_of(c, ")]}") && depth_ > 0) --depth_;
  ++at_;
  return Kind::op;
}

/// From the first quote past the last one. @return false where the string does not end
bool PythonTokens::skip_string() {
  const char quote = peek();
  const std::size_t quotes = peek(1) == quote && peek(2) == quote ? 3 : 1;
  at_ += quotes;
  for (;;) {
    skip_while([&](char c) { return c != quote && c != '\\' && c != '\n'; });
    if (at_ >= text_.size()) return false;
    const bool is_escape = peek() == '\\';
    const bool is_end = peek() == quote && (quotes == 1 || (peek(1) == quote && peek(2) == quote));
    if (peek() == '\n' && quotes == 1) return false;
    if (peek() == '\n' || (is_escape && peek(1) == '\n')) ++line_;
    at_ += is_end ? quotes : is_escape ? 2 : 1;
    if (is_end) return true;
  }
}

}  // namespace gauge
