#include "formats/profile/source_outline.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/formats/profile/outline_names.h"

namespace gauge {
namespace {

using test::named;

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST(SourceOutline, FunctionsAndClassesOfAModuleAreCalledByTheirNames) {
  constexpr std::string_view kSource =
      "import os\n"
      "def f(): pass\n"
      "async def g():\n"
      "    await g()\n"
      "class C: pass\n";
  EXPECT_EQ(named(kSource, "f", 2), "f");
  EXPECT_EQ(named(kSource, "g", 3), "g");
  EXPECT_EQ(named(kSource, "C", 5), "C");
}

TEST(SourceOutline, WhatIsInAFunctionIsLocalAndWhatIsInAClassIsNot) {
  constexpr std::string_view kSource =
      "class C:\n"
      "    def method(self):\n"
      "        def inner():\n"
      "            class D:\n"
      "                def deep(self): pass\n"
      "    class E:\n"
      "        def other(self): pass\n"
      "def last(): pass\n";
  EXPECT_EQ(named(kSource, "method", 2), "C.method");
  EXPECT_EQ(named(kSource, "inner", 3), "C.method.<locals>.inner");
  EXPECT_EQ(named(kSource, "D", 4), "C.method.<locals>.inner.<locals>.D");
  EXPECT_EQ(named(kSource, "deep", 5), "C.method.<locals>.inner.<locals>.D.deep");
  EXPECT_EQ(named(kSource, "E", 6), "C.E");
  EXPECT_EQ(named(kSource, "other", 7), "C.E.other");
  EXPECT_EQ(named(kSource, "last", 8), "last");
}

TEST(SourceOutline, OtherStatementsWithBlocksAreNoScopes) {
  constexpr std::string_view kSource =
      "class C:\n"
      "    if x:\n"
      "        for y in z:\n"
      "            with w as v: pass\n"
      "            def f(self): pass\n"
      "    else:\n"
      "        try:\n"
      "            def g(self): pass\n"
      "        finally: x = lambda: 0\n"
      "    def h(self): pass\n";
  EXPECT_EQ(named(kSource, "f", 5), "C.f");
  EXPECT_EQ(named(kSource, "g", 8), "C.g");
  EXPECT_EQ(named(kSource, "<lambda>", 9), "C.<lambda>");
  EXPECT_EQ(named(kSource, "h", 10), "C.h");
}

TEST(SourceOutline, MatchAndCaseAreNamesAndStatements) {
  constexpr std::string_view kSource =
      "def f(match):\n"
      "    match match:\n"
      "        case [lambda_, {'a': 1}] if (lambda: 1)():\n"
      "            def g(): pass\n"
      "    print = case = [i for i in match]\n";
  EXPECT_EQ(named(kSource, "<lambda>", 3), "f.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "g", 4), "f.<locals>.g");
  EXPECT_EQ(named(kSource, "<listcomp>", 5), "f.<locals>.<listcomp>");
}

TEST(SourceOutline, ABodyOnTheLineOfItsHeadIsInTheScope) {
  EXPECT_EQ(named("def f(): return lambda: 0\n", "<lambda>", 1), "f.<locals>.<lambda>");
  EXPECT_EQ(named("class C: a = 1; b = [i for i in a]\nx = {i for i in y}\n", "<listcomp>", 1), "C.<listcomp>");
  EXPECT_EQ(named("class C: a = 1\nx = {i for i in y}\n", "<setcomp>", 2), "<setcomp>");
}

TEST(SourceOutline, ADecoratedFunctionBeginsAtItsFirstDecorator) {
  constexpr std::string_view kSource =
      "class C:\n"
      "    @property\n"
      "    # a comment\n"
      "    @other.with_arguments(\n"
      "        1)\n"
      "    def f(self): pass\n"
      "    @ \\\n"
      "      decorate\n"
      "    async def g(self): pass\n"
      "    def h(self): pass\n"
      "    @final\n"
      "    class D: pass\n";
  EXPECT_EQ(named(kSource, "f", 2), "C.f");
  EXPECT_EQ(named(kSource, "f", 6), "?");
  EXPECT_EQ(named(kSource, "g", 8), "C.g");
  EXPECT_EQ(named(kSource, "h", 10), "C.h");
  EXPECT_EQ(named(kSource, "D", 11), "C.D");
}

TEST(SourceOutline, ADecoratorInBracketsBeginsWhereItsExpressionDoes) {
  EXPECT_EQ(named("@(\n  d\n)\ndef f(): pass\n", "f", 2), "f");    // brackets around the expression count for nothing
  EXPECT_EQ(named("@(\n  d\n).x\ndef f(): pass\n", "f", 1), "f");  // these are the beginning of one
  EXPECT_EQ(named("@(\n  d\n)\ndef f(): pass\n", "f", 4), "?");
}

TEST(SourceOutline, TheWordAsyncMayStandOnALineOfItsOwn) {
  EXPECT_EQ(named("async \\\n  def f(): pass\n", "f", 1), "f");
}

TEST(SourceOutline, DecoratorsDefaultsAnnotationsAndBasesAreOfTheScopeAround) {
  constexpr std::string_view kSource =
      "def outer():\n"
      "    @decorate(lambda: 0)\n"
      "    def f(a=[i for i in x],\n"
      "          b: {i for i in x} = 0,\n"
      "          c: int = {i: i for i in x}) -> (lambda:\n"
      "             1): pass\n"
      "    class C(base(lambda: 0),\n"
      "            metaclass=choose(i for i in x)): pass\n";
  EXPECT_EQ(named(kSource, "<lambda>", 2), "outer.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "<listcomp>", 3), "outer.<locals>.<listcomp>");
  EXPECT_EQ(named(kSource, "<setcomp>", 4), "outer.<locals>.<setcomp>");
  EXPECT_EQ(named(kSource, "<dictcomp>", 5), "outer.<locals>.<dictcomp>");
  EXPECT_EQ(named(kSource, "<lambda>", 5), "outer.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "f", 2), "outer.<locals>.f");
  EXPECT_EQ(named(kSource, "<lambda>", 7), "outer.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "<genexpr>", 8), "outer.<locals>.<genexpr>");
}

TEST(SourceOutline, GlobalMakesANameThatOfTheModule) {
  constexpr std::string_view kSource =
      "def f():\n"
      "    global g, C\n"
      "    def g(): return lambda: 0\n"
      "    class C:\n"
      "        def m(self): pass\n"
      "    def h(): pass\n"
      "    def i():\n"
      "        def g(): pass\n"
      "class D:\n"
      "    global k; x = 1\n"
      "    def k(self): pass\n"
      "    def x(self): pass\n"
      "def l(): global m; x = lambda: 0\n";
  EXPECT_EQ(named(kSource, "g", 3), "g");
  EXPECT_EQ(named(kSource, "<lambda>", 3), "g.<locals>.<lambda>");
  EXPECT_EQ(named(kSource, "C", 4), "C");
  EXPECT_EQ(named(kSource, "m", 5), "C.m");
  EXPECT_EQ(named(kSource, "h", 6), "f.<locals>.h");
  EXPECT_EQ(named(kSource, "g", 8), "f.<locals>.i.<locals>.g");  // of that scope only
  EXPECT_EQ(named(kSource, "k", 11), "k");
  EXPECT_EQ(named(kSource, "x", 12), "D.x");
  EXPECT_EQ(named(kSource, "<lambda>", 13), "l.<locals>.<lambda>");
}

TEST(SourceOutline, PrivateNamesAreMangledToFindTheirGlobalAndNowhereElse) {
  constexpr std::string_view kSource =
      "class _C:\n"
      "    def m(self):\n"
      "        global __f, _C__g, __h__\n"
      "        def __f(): pass\n"
      "        def __g(): pass\n"
      "        def __h__(): pass\n"
      "        def __i(): pass\n"
      "    def __j(self): pass\n";
  EXPECT_EQ(named(kSource, "__f", 4), "__f");
  EXPECT_EQ(named(kSource, "__g", 5), "__g");
  EXPECT_EQ(named(kSource, "__h__", 6), "__h__");
  EXPECT_EQ(named(kSource, "__i", 7), "_C.m.<locals>.__i");
  EXPECT_EQ(named(kSource, "__j", 8), "_C.__j");
}

TEST(SourceOutline, StringsAndCommentsHoldNoCode) {
  constexpr std::string_view kSource =
      "'''def f(): pass\n"
      "'' \\''' def g(): pass\n"
      "'''\n"
      "x = 'lambda: \\'0' \"[i for i in\\\n"
      " x]\" b'' # def h(): (\n"
      "def last(): pass\n";
  EXPECT_EQ(named(kSource, "f", 1), "?");
  EXPECT_EQ(named(kSource, "g", 2), "?");
  EXPECT_EQ(named(kSource, "last", 6), "last");
}

TEST(SourceOutline, KeywordsMayStandBesideNumbersAndStrings) {
  EXPECT_EQ(named("x = [1for i in y]\n", "<listcomp>", 1), "<listcomp>");
  EXPECT_EQ(named("x = [0xfor i in y]\n", "<listcomp>", 1), "?");  // 0xf or i in y
  EXPECT_EQ(named("x = [1_0.5e-3jfor i in y]\n", "<listcomp>", 1), "<listcomp>");
  EXPECT_EQ(named("x = ['a'for i in'b']\n", "<listcomp>", 1), "<listcomp>");
  EXPECT_EQ(named("x = lambda:'a'\n", "<lambda>", 1), "<lambda>");
}

TEST(SourceOutline, TabsGoToEveryEighthColumnAndFormFeedsBackToTheFirst) {
  constexpr std::string_view kSource =
      "class C:\n"
      "\tdef f(self): pass\n"
      "        def g(self): pass\n"
      "\f\n"
      "    \f\tdef h(self): pass\n"
      "\fdef i(): pass\n";
  EXPECT_EQ(named(kSource, "g", 3), "C.g");
  EXPECT_EQ(named(kSource, "h", 5), "C.h");
  EXPECT_EQ(named(kSource, "i", 6), "i");
}

TEST(SourceOutline, LinesEndInAnyOfThreeWays) {
  for (const std::string_view source :
       {"class C:\n  x = '''\n'''\n  def f(self): pass", "class C:\r\n  x = '''\r\n'''\r\n  def f(self): pass\r\n",
        "class C:\r  x = '''\r'''\r  def f(self): pass\r"}) {
    EXPECT_EQ(named(source, "f", 4), "C.f") << source;
  }
}

TEST(SourceOutline, LinesInBracketsAndAfterBackslashesHaveNoIndentation) {
  constexpr std::string_view kSource =
      "class C:\n"
      "    x = [1,\n"
      "2, # a comment\n"
      "\n"
      "3] + \\\n"
      "4\n"
      "# a comment\n"
      "    def f(self): pass\n";
  EXPECT_EQ(named(kSource, "f", 8), "C.f");
}

TEST(SourceOutline, NamesOfAnyScriptAreTold) {
  EXPECT_EQ(named("class Größe:\n  def messen(self): pass\n", "messen", 2), "Größe.messen");
  EXPECT_EQ(named("class 大小:\n  def Ёж(self): pass\n", "Ёж", 2), "大小.Ёж");
}

TEST(SourceOutline, NamesThatCompilersRewriteAreNotTold) {
  EXPECT_EQ(named("class \xC2\xB5:\n  def f(self): pass\n", "f", 2), "?");   // micro sign: becomes mu
  EXPECT_EQ(named("class e\xCC\x81:\n  def f(self): pass\n", "f", 2), "?");  // e and an accent: one letter
  EXPECT_EQ(named("# coding: latin-1\nclass \xE9:\n  def f(self): pass\n", "f", 3), "?");  // no UTF-8
  EXPECT_EQ(named("class \xC2\xB5:\n  def f(self): pass\ndef g(): pass\n", "g", 3), "g");
}

TEST(SourceOutline, OneLineWithSeveralNamesIsNotGuessedAt) {
  EXPECT_EQ(named("x = lambda: lambda: 0\n", "<lambda>", 1), "?");
  EXPECT_EQ(named("x = lambda: 0, lambda: 1\n", "<lambda>", 1), "<lambda>");  // two, called alike
}

TEST(SourceOutline, WhatIsNotThereHasNoName) {
  constexpr std::string_view kSource = "def f(): pass\n";
  EXPECT_EQ(named(kSource, "f", 2), "?");
  EXPECT_EQ(named(kSource, "f", 0), "?");
  EXPECT_EQ(named(kSource, "g", 1), "?");
  EXPECT_EQ(named(kSource, "", 1), "?");
  EXPECT_EQ(named("", "f", 1), "?");
}

TEST(SourceOutline, ATextThatNoCompilerTakesIsNotTheOneThatRan) {
  for (const std::string_view rest : {"x = (\n",
                                      "x = ]\n",
                                      "x = (]\n",
                                      "x = '''\n",
                                      "x = 'a\n",
                                      "x = $\n",
                                      "x = y?\n",
                                      "def g()\n",
                                      "def\n",
                                      "class C:\n",
                                      "  x = 1\n",
                                      "if x:\ny = 1\n",
                                      "if x:\n    y = 1\n  z = 1\n",
                                      "@d\n",
                                      "@d\nx = 1\n",
                                      "x = (def g(): 1)\n",
                                      "x = \\",
                                      "x = f'{'\n",
                                      "x = f'{a!r'\n",
                                      "x = f'}'\n",
                                      "x = f'{a)}'\n",
                                      "x = f'{(a}'\n",
                                      "x = f'{a:{b:{c}}}'\n",
                                      "x = f'{\\'a}'\n",
                                      "x = f'{$}'\n"}) {
    EXPECT_EQ(named("def f(): pass\n" + std::string{rest}, "f", 1), "?") << rest;
  }
  using namespace std::string_view_literals;
  EXPECT_EQ(named("def f(): pass\nx = '\0'\n"sv, "f", 1), "?");
}

TEST(SourceOutline, EncodingsThatHideAsciiAreNotRead) {
  EXPECT_EQ(named("# -*- coding: shift_jis -*-\ndef f(): pass\n", "f", 2), "?");
  EXPECT_EQ(named("#!/usr/bin/env python\n# vim: set fileencoding=utf-7 :\ndef f(): pass\n", "f", 3), "?");
  EXPECT_EQ(named("# coding=Latin_1\ndef f(): pass\n", "f", 2), "f");
  EXPECT_EQ(named("\n\n# coding: shift_jis\ndef f(): pass\n", "f", 4), "f");  // too late to count
  EXPECT_EQ(named("\xEF\xBB\xBF# coding utf-8\ndef f(): pass\n", "f", 2), "f");
}

TEST(SourceOutline, AnyDepthIsReadInBoundedTime) {
  constexpr std::size_t kDeep = 100'000;
  EXPECT_EQ(named("def f(): pass\n" + repeated("(", 10 * kDeep), "f", 1), "?");
  EXPECT_EQ(named("def f(): pass\nx = " + repeated("lambda: ", kDeep) + "0\n", "f", 1), "f");
  EXPECT_EQ(named("x = " + repeated("lambda:\\\n", kDeep) + "0\n", "<lambda>", kDeep), "?");  // its name is too long
  EXPECT_EQ(named("def f(): pass\nx = " + repeated("()", 10 * kDeep) + "\n", "f", 1), "f");
  EXPECT_EQ(named("def f(): pass\nx = f'" + repeated("{(lambda: 0)}", kDeep) + "'\n", "f", 1), "f");
  EXPECT_EQ(named("def f(): pass\nx = f'" + repeated("{", kDeep + 1) + "'\n", "f", 1), "?");
  std::string indented = "def f(): pass\n";
  for (std::size_t depth = 0; depth < 2000; ++depth) indented += std::string(depth, ' ') + "if x:\n";
  EXPECT_EQ(named(indented, "f", 1), "?");
}

TEST(SourceOutline, NoTextDoesHarm) {
  const std::string good =
      "@d(lambda: 0)\nclass C(B):\n\tdef f(self, a=[i for i in x]):\n\t\tglobal __g\n\t\treturn f'''{a!r:{w}}\n"
      "{ {k: v for k in (y for y in z) if 1} }''' + \"\\\"\" if x else lambda *b, **c: (yield)\n";
  ASSERT_EQ(named(good, "f", 3), "C.f");
  std::mt19937 random{1};  // the same texts every time
  for (int round = 0; round < 4000; ++round) {
    std::string text = good;
    for (unsigned changes = random() % 4 + 1; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      const std::size_t from = random() % good.size();
      if (random() % 2 == 0) {
        text[at] = static_cast<char>(random());
      } else {
        text.replace(at, random() % 8, good, from, random() % 8 + 1);
      }
    }
    const SourceOutline outline{text};
    const auto name = outline.qualified_name("f", 3);
    EXPECT_TRUE(!name || name->ends_with("f"));
  }
}

}  // namespace
}  // namespace gauge
