// Scopes that expressions open: lambdas, comprehensions, and both in f-strings.
#include <gtest/gtest.h>

#include <string_view>

#include "tests/formats/profile/outline_names.h"

namespace gauge {
namespace {

using test::named;

TEST(SourceOutlineExpressions, LambdasNestAsFunctionsDo) {
  constexpr std::string_view kSource =
      "f = lambda x: (\n"
      "  lambda y:\n"
      "    lambda z: 0)\n"
      "g = lambda a, b=lambda: {1: 2}[\n"
      "  [i for i in a]], c=x[1:\n"
      "  (lambda: 3)]: [\n"
      "  lambda: a, 1]\n";
  EXPECT_EQ(named(kSource, "<lambda>", 1), "<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 2), "<lambda>.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 3), "<lambda>.<locals>.<lambda>.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 4), "<lambda>");  // both: the default is of the scope around
  EXPECT_EQ(named(kSource, "<listcomp>", 5), "<lambda>.<locals>.<listcomp>");
  EXPECT_EQ(named(kSource, "<lambda>", 6), "<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 7), "<lambda>.<locals>.<lambda>");
}

TEST(SourceOutlineExpressions, ALambdaEndsWithItsExpression) {
  constexpr std::string_view kSource =
      "call(key=lambda: 0,\n"
      "     other=[i for i in x])\n"
      "a = {lambda: 1:\n"
      "     {i for i in x}}\n"
      "if lambda: 0: b = (i for i in x)\n"
      "with lambda: x as y[\n"
      "    [i for i in z]]: pass\n"
      "c: lambda: 1 = {i: i for i in x}\n"
      "d = lambda: 1; e = [i for i in x]\n"
      "f = (lambda: 1 if x else\n"
      "     lambda: 2)\n";
  EXPECT_EQ(named(kSource, "<listcomp>", 2), "<listcomp>");
  EXPECT_EQ(named(kSource, "<setcomp>", 4), "<setcomp>");
  EXPECT_EQ(named(kSource, "<genexpr>", 5), "<genexpr>");
  EXPECT_EQ(named(kSource, "<listcomp>", 7), "<listcomp>");
  EXPECT_EQ(named(kSource, "<dictcomp>", 8), "<dictcomp>");
  EXPECT_EQ(named(kSource, "<listcomp>", 9), "<listcomp>");
  EXPECT_EQ(named(kSource, "<lambda>", 11), "<lambda>.<locals>.<lambda>");
}

TEST(SourceOutlineExpressions, ComparisonsAreNoAssignmentsThatEndALambda) {
  constexpr std::string_view kSource =
      "f = lambda a: a == b and a <= b and a != b and (c := a) and [\n  i for i in a]\n";
  EXPECT_EQ(named(kSource, "<listcomp>", 1), "<lambda>.<locals>.<listcomp>");
}

TEST(SourceOutlineExpressions, ComprehensionsAreNamedByTheirBrackets) {
  constexpr std::string_view kSource =
      "def f():\n"
      "    a = [i for i in x]\n"
      "    b = {i for i in x}\n"
      "    c = {i: i for i in x}\n"
      "    d = (i for i in x)\n"
      "    e = call(\n"
      "      i for i in x)\n"
      "    g = {lambda: 1 for i in x}\n"
      "    h = {lambda: 1: 2 for i in x}\n"
      "    j = {y := 1 for i in x}\n"
      "    k = [i async for i in x]\n";
  EXPECT_EQ(named(kSource, "<listcomp>", 2), "f.<locals>.<listcomp>");
  EXPECT_EQ(named(kSource, "<setcomp>", 3), "f.<locals>.<setcomp>");
  EXPECT_EQ(named(kSource, "<dictcomp>", 4), "f.<locals>.<dictcomp>");
  EXPECT_EQ(named(kSource, "<genexpr>", 5), "f.<locals>.<genexpr>");
  EXPECT_EQ(named(kSource, "<genexpr>", 6), "f.<locals>.<genexpr>");  // the line of the bracket
  EXPECT_EQ(named(kSource, "<setcomp>", 8), "f.<locals>.<setcomp>");
  EXPECT_EQ(named(kSource, "<dictcomp>", 9), "f.<locals>.<dictcomp>");
  EXPECT_EQ(named(kSource, "<setcomp>", 10), "f.<locals>.<setcomp>");
  EXPECT_EQ(named(kSource, "<listcomp>", 11), "f.<locals>.<listcomp>");
}

TEST(SourceOutlineExpressions, OnlyTheFirstIterableIsOfTheScopeAround) {
  constexpr std::string_view kSource =
      "a = [(lambda: 1)\n"
      "  for y[lambda: 2]\n"
      "  in (lambda: 3)\n"
      "  if (lambda: 4)\n"
      "  for z in (lambda: 5)\n"
      "  async for z in (lambda: 6) if (lambda: 6)]\n";
  EXPECT_EQ(named(kSource, "<lambda>", 1), "<listcomp>.<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 2), "<listcomp>.<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 3), "<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 4), "<listcomp>.<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 5), "<listcomp>.<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 6), "<listcomp>.<lambda>");
}

TEST(SourceOutlineExpressions, ALambdaInAnElementEndsAtTheFor) {
  constexpr std::string_view kSource = "a = [lambda: x for x in\n  (i for i in y)]\n";
  EXPECT_EQ(named(kSource, "<lambda>", 1), "<listcomp>.<lambda>");
  EXPECT_EQ(named(kSource, "<genexpr>", 2), "<genexpr>");
}

TEST(SourceOutlineExpressions, ExpressionsInFStringsAreOfTheScopeAround) {
  constexpr std::string_view kSource =
      "def f():\n"
      "    a = f\"{[i for i in x]!r}\"\n"
      "    b = rf'''\\{i for i in\n"
      "        x} {{lambda: 1}}\n"
      "        {(lambda: 2):>{ {k: v for k in x} }}'''\n"
      "    c = f'{f\"{(lambda: 3)}\"}'\n"
      "    d = [f'{(lambda: 4)}' for i in x]\n"
      "    e = f'\\N{DASH}{ {i for i in x} }'\n";
  EXPECT_EQ(named(kSource, "<listcomp>", 2), "f.<locals>.<listcomp>");
  EXPECT_EQ(named(kSource, "<genexpr>", 3), "f.<locals>.<genexpr>");  // CPython puts brackets around every expression
  EXPECT_EQ(named(kSource, "<lambda>", 4), "?");
  EXPECT_EQ(named(kSource, "<lambda>", 5), "f.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "<dictcomp>", 5), "f.<locals>.<dictcomp>");
  EXPECT_EQ(named(kSource, "<lambda>", 6), "f.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "<lambda>", 7), "f.<locals>.<listcomp>.<lambda>");
  EXPECT_EQ(named(kSource, "<setcomp>", 8), "f.<locals>.<setcomp>");
}

}  // namespace
}  // namespace gauge
