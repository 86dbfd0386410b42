#include "formats/profile/unique_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/profile_of.h"

namespace gauge {
namespace {

std::vector<std::string> names_of(std::vector<Function> functions) {
  set_unique_names(functions);
  std::vector<std::string> names;
  for (const Function& function : functions) names.push_back(function.unique_name);
  return names;
}

Function function(const char* module, const char* qualified_name, const char* file = "f.py", std::uint32_t line = 1) {
  return {.name = "n", .qualified_name = qualified_name, .module = module, .file = file, .first_line = line};
}

using Names = std::vector<std::string>;

TEST(UniqueNames, ModuleAndQualifiedNameAreTheName) {
  EXPECT_EQ(names_of({function("pkg.mod", "Class.method")}), Names{"pkg.mod.Class.method"});
}

TEST(UniqueNames, UnknownPartsAreLeftOutOrSaidToBeUnknown) {
  EXPECT_EQ(names_of({function("", "f")}), Names{"f"});
  EXPECT_EQ(names_of({{.module = "m"}}), Names{"m.[unknown]"});
  EXPECT_EQ(names_of({{}}), Names{"[unknown]"});
  EXPECT_EQ(names_of({{.name = "only_name"}}), Names{"only_name"});
}

TEST(UniqueNames, AllFunctionsOfOneNameGetTheirLine) {
  EXPECT_EQ(
      names_of({function("m", "f.<lambda>", "f.py", 3), function("m", "g"), function("m", "f.<lambda>", "f.py", 9)}),
      (Names{"m.f.<lambda>:3", "m.g", "m.f.<lambda>:9"}));
}

TEST(UniqueNames, FunctionsOfOneNameAndLineGetTheirFile) {
  EXPECT_EQ(names_of({function("__main__", "run", "a.py", 3), function("__main__", "run", "b.py", 3),
                      function("__main__", "run", "b.py", 4)}),
            (Names{"__main__.run:3 (a.py)", "__main__.run:3 (b.py)", "__main__.run:4"}));
}

TEST(UniqueNames, NameThatLooksLikeALengthenedOneIsLengthenedToo) {
  const Names names =
      names_of({function("", "f", "f.py", 3), function("", "f", "f.py", 4), function("", "f:3", "f.py", 7)});
  EXPECT_EQ(names, (Names{"f:3 (f.py)", "f:4", "f:3:7"}));
}

TEST(UniqueNames, FunctionsThatDifferInNothingShownAreNumbered) {
  // The same text from different splits: module a.b with c, and module a with b.c.
  EXPECT_EQ(names_of({function("a.b", "c"), function("a", "b.c")}),
            (Names{"a.b.c:1 (f.py) [n] #1", "a.b.c:1 (f.py) [n] #2"}));
}

TEST(UniqueNames, ControlCharactersAreSpelledOutBeforeNamesAreCompared) {
  EXPECT_EQ(names_of({function("m", "a\nb")}), Names{"m.a\\nb"});
  EXPECT_EQ(names_of({function("m", "a\nb", "f.py", 1), function("m", "a\\nb", "f.py", 2)}),
            (Names{"m.a\\nb:1", "m.a\\nb:2"}));
}

TEST(UniqueNames, OrderOfTheFunctionsDoesNotMatter) {
  std::vector<Function> functions = {function("m", "f", "f.py", 3), function("m", "f", "f.py", 4), function("m", "g"),
                                     function("m", "f", "h.py", 4)};
  const Names forward = names_of(functions);
  std::reverse(functions.begin(), functions.end());
  Names backward = names_of(functions);
  std::reverse(backward.begin(), backward.end());
  EXPECT_EQ(forward, backward);
}

TEST(ThreadLabels, ThreadsOfOneNameGetTheirNativeId) {
  const Profile profile = profile_of("[7/Main] f 1\n[9/Main] f 1\n[9/Pool] f 1");
  EXPECT_EQ(thread_labels(profile), (Names{"Main 7", "Main 10", "Pool"}));
}

TEST(ProcessLabels, ProcessesAreCalledByPid) {
  EXPECT_EQ(process_labels(profile_of("[7/Main] f 1\n[9/Main] f 1")), (Names{"process 7", "process 9"}));
}

}  // namespace
}  // namespace gauge
