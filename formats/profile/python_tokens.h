// Python source as tokens, told apart as far as they matter to those who look for scopes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gauge {

struct PythonToken {
  enum class Kind : std::uint8_t {
    name,  // keywords are names
    number,
    string,
    fstring,
    op,       // one character, or two that end in '='
    newline,  // ends a logical line
    end,
    error,  // no Python; nothing comes after it
  };

  Kind kind = Kind::end;
  std::string_view text;                // of a string: prefix, quotes and all
  std::uint32_t line = 0;               // of the first character, from 1
  std::optional<std::uint32_t> indent;  // of the first token of a logical line: columns before it
};

/// Cuts source into tokens as CPython 3.9 to 3.11 do. Takes time and memory that do not depend on what is nested.
class PythonTokens {
 public:
  /// @param text  of a file, as plain_source() makes it; must outlive the tokens
  explicit PythonTokens(std::string_view text) : text_(text) {}
  /// Tokens of an expression in brackets, which are not in `text`: the ends of its lines mean nothing.
  PythonTokens(std::string_view text, std::uint32_t line)
      : text_(text), line_(line), depth_(1), is_line_start_(false) {}

  [[nodiscard]] PythonToken next();

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  std::uint32_t skip_indentation();
  void skip_space();
  void skip_comment();
  PythonToken::Kind skip_token();
  PythonToken::Kind skip_name();
  PythonToken::Kind skip_number();
  PythonToken::Kind skip_operator();
  [[nodiscard]] bool skip_string();
  template <typename Predicate>
  void skip_while(Predicate holds) {
    while (at_ < text_.size() && holds(text_[at_])) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t depth_ = 0;  // brackets open
  bool is_line_start_ = true;
};

}  // namespace gauge
