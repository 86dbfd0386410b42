#include "formats/profile/expression_scopes.h"

namespace gauge {
namespace {

using Kind = PythonToken::Kind;

char closer_of(char opener) { return opener == '(' ? ')' : opener == '[' ? ']' : '}'; }

std::string_view comprehension_name(char closer, bool has_colon) {
  if (closer == ')') return "<genexpr>";
  if (closer == ']') return "<listcomp>";
  return has_colon ? "<dictcomp>" : "<setcomp>";
}

}  // namespace

ExpressionScopes::Taken ExpressionScopes::take(const PythonToken& token, std::uint32_t outer) {
  if (token.kind == Kind::op) return take_operator(token, outer);
  if (token.kind != Kind::name) return Taken::unused;
  if (token.text == "lambda") {
    open_lambda(token, outer);
  } else if (token.text == "for") {
    begin_clause();
  } else if (token.text == "async") {  // of a clause: the bare word opens no other expression
    end_lambdas();
    move_brackets(Part::iterable, Part::rest);
  } else if (token.text == "in") {
    move_brackets(Part::target, Part::iterable);
  } else if (token.text == "if") {
    move_brackets(Part::iterable, Part::rest);
  } else if (token.text == "as" || token.text == "from") {
    end_lambda_bodies();
  } else {
    return Taken::unused;
  }
  return Taken::used;
}

ExpressionScopes::Taken ExpressionScopes::take_operator(const PythonToken& token, std::uint32_t outer) {
  if (token.text.size() != 1) return Taken::unused;
  switch (const char c = token.text[0]) {
    case '(':
    case '[':
    case '{':
      open(closer_of(c), token.line, outer);
      return Taken::used;
    case ')':
    case ']':
    case '}':
      return close(c);
    case ':':
      return take_colon();
    case ',':
    case '=':
      end_lambda_bodies();
      return Taken::used;
    case ';':
      end_lambdas();
      return Taken::unused;
    default:
      return Taken::unused;
  }
}

std::uint32_t ExpressionScopes::current(std::uint32_t outer) const {
  if (open_.empty()) return outer;
  const Open& innermost = open_.back();
  // Defaults and the first iterable are evaluated outside, before the function that the scope becomes is called.
  const bool is_outside = innermost.part == Part::head || innermost.part == Part::iterable;
  return is_outside ? (*scopes_)[innermost.scope].parent : innermost.scope;
}

void ExpressionScopes::open(char closer, std::uint32_t line, std::uint32_t outer) {
  const std::uint32_t parent = current(outer);
  open_.push_back({static_cast<std::uint32_t>(scopes_->size()), closer, Part::element});
  scopes_->push_back({.kind = ScopeKind::brackets, .name = {}, .parent = parent, .first_line = line});
}

void ExpressionScopes::open_lambda(const PythonToken& token, std::uint32_t outer) {
  const std::uint32_t parent = current(outer);
  open_.push_back({static_cast<std::uint32_t>(scopes_->size()), '\0', Part::head});
  scopes_->push_back({.kind = ScopeKind::lambda, .name = "<lambda>", .parent = parent, .first_line = token.line});
}

ExpressionScopes::Taken ExpressionScopes::close(char closer) {
  end_lambdas();
  if (open_.empty() || open_.back().closer != closer) return Taken::wrong;
  const std::uint32_t scope = open_.back().scope;
  open_.pop_back();
  const bool is_of_no_use = scope + 1 == scopes_->size() && scopes_->back().kind == ScopeKind::brackets;
  if (is_of_no_use) scopes_->pop_back();
  return Taken::used;
}

ExpressionScopes::Taken ExpressionScopes::take_colon() {
  end_lambda_bodies();
  if (open_.empty()) return Taken::unused;
  if (is_in_lambda()) {
    open_.back().part = Part::body;
  } else {
    open_.back().has_colon = true;
  }
  return Taken::used;
}

/// At a `for` in brackets: of a comprehension, since no statement stands there.
void ExpressionScopes::begin_clause() {
  end_lambdas();
  if (open_.empty()) return;
  Open& brackets = open_.back();
  SourceScope& scope = (*scopes_)[brackets.scope];
  brackets.part = scope.kind == ScopeKind::brackets ? Part::target : Part::rest;
  scope.kind = ScopeKind::comprehension;
  scope.name = comprehension_name(brackets.closer, brackets.has_colon);
}

void ExpressionScopes::end_lambdas() {
  while (is_in_lambda()) open_.pop_back();
}

/// Those that a comma, say, ends: in the parameters of a lambda it ends the ones that are defaults, not the lambda.
void ExpressionScopes::end_lambda_bodies() {
  while (is_in_lambda() && open_.back().part == Part::body) open_.pop_back();
}

void ExpressionScopes::move_brackets(Part from, Part to) {
  if (!open_.empty() && open_.back().part == from) open_.back().part = to;
}

}  // namespace gauge
