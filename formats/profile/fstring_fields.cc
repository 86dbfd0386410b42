#include "formats/profile/fstring_fields.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace gauge {
namespace {

// CPython: fields in a format specification are taken, fields in the specifications of those are not.
constexpr int kMostLevels = 2;

/// Reads as fstring_find_literal() and fstring_find_expr() of CPython's Parser/string_parser.c do.
class FieldReader {
 public:
  FieldReader(std::string_view content, bool is_raw, std::uint32_t line)
      : text_(content), is_raw_(is_raw), line_(line) {}

  [[nodiscard]] std::optional<std::vector<FStringField>> read() && {
    const bool is_whole = read_parts(0) && at_ == text_.size();
    return is_whole ? std::optional{std::move(fields_)} : std::nullopt;
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void step() {
    if (peek() == '\n') ++line_;
    ++at_;
  }

  /// Literal text and fields, to the end or, in a format specification (`level` above 0), to the brace that ends it.
  [[nodiscard]] bool read_parts(int level) {
    while (at_ < text_.size()) {
      if (!is_raw_ && peek() == '\\') {
        skip_escape();
      } else if (level == 0 && (peek() == '{' || peek() == '}') && peek(1) == peek()) {
        at_ += 2;
      } else if (peek() == '}') {
        return level > 0;
      } else if (peek() == '{') {
        if (level == kMostLevels || !read_field(level)) return false;
      } else {
        step();
      }
    }
    return true;
  }

  /// "\N{DASH}" is no field; "\{" is one.
  void skip_escape() {
    ++at_;
    if (peek() == 'N' && peek(1) == '{') {
      while (at_ < text_.size() && peek() != '}') step();
      step();
    } else if (peek() != '{' && peek() != '}') {
      step();
    }
  }

  [[nodiscard]] bool read_field(int level) {
    const std::uint32_t line = line_;
    const std::size_t begin = ++at_;
    if (!skip_expression()) return false;
    fields_.push_back({text_.substr(begin, at_ - begin), line});
    if (peek() == '=') {
      ++at_;
      while (peek() == ' ' || (peek() >= '\t' && peek() <= '\r')) step();
    }
    if (peek() == '!') at_ += 2;
    if (peek() == ':') {
      ++at_;
      if (!read_parts(level + 1)) return false;
    }
    if (peek() != '}') return false;
    ++at_;
    return true;
  }

  /// To the character that ends the expression, which stands outside of brackets and strings.
  [[nodiscard]] bool skip_expression() {
    std::string closers;
    while (at_ < text_.size()) {
      const char c = peek();
      if (c == '\\') return false;
      if (c == '\'' || c == '"') {
        if (!skip_string()) return false;
        continue;
      }
      const bool is_comparison = (c == '!' || c == '=' || c == '<' || c == '>') && peek(1) == '=';
      if (closers.empty() && !is_comparison && (c == '!' || c == ':' || c == '}' || c == '=')) return true;
      if (is_comparison) ++at_;
      if (c == '(') closers += ')';
      if (c == '[') closers += ']';
      if (c == '{') closers += '}';
      if (c == ')' || c == ']' || c == '}') {
        if (closers.empty() || closers.back() != c) return false;
        closers.pop_back();
      }
      step();
    }
    return false;
  }

  [[nodiscard]] bool skip_string() {
    const char quote = peek();
    const std::string quotes(peek(1) == quote && peek(2) == quote ? 3 : 1, quote);
    const std::size_t end = text_.find(quotes, at_ + quotes.size());
    if (end == std::string_view::npos) return false;
    while (at_ < end + quotes.size()) step();
    return true;
  }

  std::string_view text_;
  bool is_raw_;
  std::size_t at_ = 0;
  std::uint32_t line_;
  std::vector<FStringField> fields_;
};

}  // namespace

std::optional<std::vector<FStringField>> fstring_fields(std::string_view token, std::uint32_t line) {
  const std::size_t prefix = token.find_first_of("'\"");
  const bool is_raw = token.substr(0, prefix).find_first_of("rR") != std::string_view::npos;
  const bool is_triple =
      token.size() >= prefix + 6 && token[prefix + 1] == token[prefix] && token[prefix + 2] == token[prefix];
  const std::size_t quotes = is_triple ? 3 : 1;
  const std::string_view content = token.substr(prefix + quotes, token.size() - prefix - 2 * quotes);
  return FieldReader{content, is_raw, line}.read();
}

}  // namespace gauge
