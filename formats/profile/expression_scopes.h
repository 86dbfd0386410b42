// Finds the scopes that Python's expressions open: lambdas and comprehensions.
//
// What stands in brackets belongs to a comprehension or not, depending on a `for` that comes after it. So every pair of
// brackets is an entry that turns into a comprehension when its `for` is seen, and means nothing otherwise.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/profile/python_tokens.h"

namespace gauge {

enum class ScopeKind : std::uint8_t { module, function, class_body, lambda, comprehension, brackets };

/// A scope of a source file, or brackets, which are none. Text points into the source.
struct SourceScope {
  ScopeKind kind = ScopeKind::module;
  std::string_view name;         // co_name
  std::uint32_t parent = 0;      // index of the entry around it
  std::uint32_t first_line = 0;  // co_firstlineno
  std::uint32_t other_line = 0;  // what it may be instead; 0 = nothing else
  bool is_global = false;        // named by a `global` statement around it, so that it counts as of the module
};

class ExpressionScopes {
 public:
  /// Adds entries to `scopes`, which must outlive this.
  explicit ExpressionScopes(std::vector<SourceScope>& scopes) : scopes_(&scopes) {}

  enum class Taken : std::uint8_t { used, unused, wrong };
  /// Follows a token of an expression in `outer`, the scope of the statement.
  /// @return unused  the token means nothing here, such as the ":" that ends the head of a statement
  ///         wrong   brackets that do not match
  Taken take(const PythonToken& token, std::uint32_t outer);

  /// Begins with brackets that are an entry already.
  void enter(std::uint32_t brackets) { open_.push_back({brackets, ')', Part::element}); }
  /// Ends lambdas, as the end of a line does.
  void end_lambdas();
  /// The entry to which whatever is created next belongs.
  [[nodiscard]] std::uint32_t current(std::uint32_t outer) const;
  /// How many brackets and lambdas are open.
  [[nodiscard]] std::size_t depth() const noexcept { return open_.size(); }

 private:
  // Of a lambda: head (parameters and defaults), body. Of brackets: element, which is all of it where there is no
  // `for`; then target, first iterable and the rest of a comprehension.
  enum class Part : std::uint8_t { head, body, element, target, iterable, rest };
  struct Open {
    std::uint32_t scope = 0;
    char closer = '\0';  // '\0': a lambda
    Part part = Part::head;
    bool has_colon = false;  // of brackets
  };

  Taken take_operator(const PythonToken& token, std::uint32_t outer);
  Taken take_colon();
  Taken close(char closer);
  void open(char closer, std::uint32_t line, std::uint32_t outer);
  void open_lambda(const PythonToken& token, std::uint32_t outer);
  void begin_clause();
  void end_lambda_bodies();
  void move_brackets(Part from, Part to);
  [[nodiscard]] bool is_in_lambda() const noexcept { return !open_.empty() && open_.back().closer == '\0'; }

  std::vector<SourceScope>* scopes_;
  std::vector<Open> open_;
};

}  // namespace gauge
