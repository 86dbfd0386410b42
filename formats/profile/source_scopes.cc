#include "formats/profile/source_scopes.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "formats/profile/fstring_fields.h"
#include "formats/profile/python_tokens.h"

namespace gauge {
namespace {

using Kind = PythonToken::Kind;
using Taken = ExpressionScopes::Taken;

constexpr std::size_t kMostIndents = 100;  // MAXINDENT of CPython's tokenizer

class ScopeFinder {
 public:
  [[nodiscard]] std::optional<std::vector<SourceScope>> find(std::string_view text) && {
    scopes_.push_back({.kind = ScopeKind::module, .name = "<module>", .parent = 0, .first_line = 1});
    if (!read_statements(text)) return std::nullopt;
    // What is in f-strings comes last, one f-string in another after it: the row grows while it is worked off.
    std::size_t done = 0;
    while (done < fields_.size()) {
      const Field field = fields_[done++];
      if (!read_field(field)) return std::nullopt;
    }
    return std::move(scopes_);
  }

 private:
  /// An indented block of statements.
  struct Block {
    std::uint32_t column = 0;
    std::uint32_t scope = 0;
  };
  struct Lines {
    std::uint32_t first = 0;  // 0 = none
    std::uint32_t other = 0;
  };
  /// An expression in an f-string, with the brackets that CPython puts around it.
  struct Field {
    std::uint32_t brackets = 0;
    FStringField text;
  };

  [[nodiscard]] bool read_statements(std::string_view text) {
    PythonTokens tokens{text};
    for (PythonToken token = tokens.next(); token.kind != Kind::end; token = tokens.next()) {
      if (token.kind == Kind::error || (token.indent && !begin_line(token, *token.indent)) || !take(token))
        return false;
    }
    const bool is_line_whole = before_.kind == Kind::newline || before_.kind == Kind::end;
    return is_line_whole && expressions_.depth() == 0 && !is_block_due_ && decorator_.first == 0;
  }

  [[nodiscard]] bool read_field(const Field& field) {
    PythonTokens tokens{field.text.expression, field.text.line};
    ExpressionScopes expressions{scopes_};
    expressions.enter(field.brackets);
    for (PythonToken token = tokens.next(); token.kind != Kind::end; token = tokens.next()) {
      if (token.kind == Kind::error || expressions.depth() == 0) return false;
      if (token.kind == Kind::fstring && !add_fields(token, expressions.current(0))) return false;
      if (expressions.take(token, 0) == Taken::wrong) return false;
    }
    expressions.end_lambdas();
    return expressions.depth() == 1;
  }

  [[nodiscard]] bool begin_line(const PythonToken& token, std::uint32_t column) {
    if (is_block_due_) {
      if (column <= blocks_.back().column || blocks_.size() == kMostIndents) return false;
      blocks_.push_back({column, scope_});
    }
    while (blocks_.back().column > column) blocks_.pop_back();
    is_block_due_ = false;
    scope_ = blocks_.back().scope;
    is_decorator_ = token.text == "@";
    const bool may_follow_decorator =
        token.text == "@" || token.text == "async" || token.text == "def" || token.text == "class";
    return blocks_.back().column == column && (decorator_.first == 0 || may_follow_decorator);
  }

  [[nodiscard]] bool take(const PythonToken& token) {
    const PythonToken before = std::exchange(before_, token);
    if (token.kind == Kind::newline) return end_line(before);
    if (before.text == "def" || before.text == "class") return take_name(token, before);
    if (token.text == "def" || token.text == "class") return begin_head(token, before);
    if (is_decorator_ && !token.indent) take_decorator(token);
    if (token.kind == Kind::fstring) return add_fields(token, expressions_.current(scope_));
    take_global(token);
    const Taken taken = expressions_.take(token, scope_);
    if (taken == Taken::unused && token.text == ":") end_head();
    return taken != Taken::wrong;
  }

  [[nodiscard]] bool end_line(const PythonToken& last) {
    expressions_.end_lambdas();
    is_block_due_ = last.text == ":";
    is_global_ = false;
    return !head_ && last.text != "def" && last.text != "class";
  }

  /// The line of a decorated function is that of its first decorator, of its first character; but that of what is in
  /// the brackets where the decorator is a whole expression in brackets. Which, is not looked at: both may be.
  void take_decorator(const PythonToken& token) {
    if (decorator_.first == 0) decorator_.first = token.line;
    if (decorator_.other == 0 && token.text != "(") decorator_.other = token.line;
  }

  [[nodiscard]] bool begin_head(const PythonToken& token, const PythonToken& before) {
    if (expressions_.depth() != 0 || head_) return false;
    lines_ = decorator_.first != 0 ? decorator_ : Lines{before.text == "async" ? before.line : token.line};
    decorator_ = {};
    return true;
  }

  [[nodiscard]] bool take_name(const PythonToken& token, const PythonToken& keyword) {
    head_ = static_cast<std::uint32_t>(scopes_.size());
    scopes_.push_back({.kind = keyword.text == "def" ? ScopeKind::function : ScopeKind::class_body,
                       .name = token.text,
                       .parent = scope_,
                       .first_line = lines_.first,
                       .other_line = lines_.other,
                       .is_global = globals_.contains({scope_, mangled(token.text)})});
    return token.kind == Kind::name;
  }

  /// At the colon before the body. Other statements have one as well.
  void end_head() {
    if (head_) scope_ = *head_;
    head_.reset();
  }

  void take_global(const PythonToken& token) {
    if (token.text == ";") is_global_ = false;
    if (is_global_ && token.kind == Kind::name) globals_.emplace(scope_, mangled(token.text));
    if (token.text == "global") is_global_ = true;
  }

  /// A private name of a class as it is bound: `global _C__f` in a method of C means its `def __f`.
  [[nodiscard]] std::string mangled(std::string_view name) const {
    if (!name.starts_with("__") || name.ends_with("__")) return std::string{name};
    std::uint32_t scope = scope_;
    while (scope != 0 && scopes_[scope].kind != ScopeKind::class_body) scope = scopes_[scope].parent;
    std::string_view owner = scope == 0 ? std::string_view{} : scopes_[scope].name;
    while (owner.starts_with('_')) owner.remove_prefix(1);
    return owner.empty() ? std::string{name} : "_" + std::string{owner} + std::string{name};
  }

  [[nodiscard]] bool add_fields(const PythonToken& token, std::uint32_t scope) {
    const auto fields = fstring_fields(token.text, token.line);
    if (!fields) return false;
    for (const FStringField& field : *fields) {
      fields_.push_back({static_cast<std::uint32_t>(scopes_.size()), field});
      scopes_.push_back({.kind = ScopeKind::brackets, .name = {}, .parent = scope, .first_line = field.line});
    }
    return true;
  }

  std::vector<SourceScope> scopes_;
  ExpressionScopes expressions_{scopes_};
  std::vector<Block> blocks_ = std::vector<Block>(1);
  std::vector<Field> fields_;
  std::set<std::pair<std::uint32_t, std::string>> globals_;  // by scope

  // The logical line being read.
  PythonToken before_;                 // the last token
  std::uint32_t scope_ = 0;            // of its statement
  std::optional<std::uint32_t> head_;  // scope whose `def` or `class` is being read
  Lines lines_;                        // of the `def` or `class` whose name comes next
  Lines decorator_;                    // of decorators whose `def` or `class` is still to come
  bool is_decorator_ = false;
  bool is_global_ = false;
  bool is_block_due_ = false;  // the last line ended in a colon
};

}  // namespace

std::optional<std::vector<SourceScope>> find_scopes(std::string_view text) { return ScopeFinder{}.find(text); }

}  // namespace gauge
