#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/doctor.h"
#include "cli/text.h"

namespace gauge::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Interpreter good(const std::string& path) {
  Interpreter interpreter{.path = path, .reader = "memfd", .samples = 3};
  interpreter.facts = InterpreterFacts{.implementation = "cpython", .major = 3, .minor = 12, .version = "3.12.1"};
  return interpreter;
}

Interpreter bad(const std::string& path) {
  return {.path = path, .reason = Reason{"does not run (exit status 127: no such thing as \x1b[31mthis)", "repair it"}};
}

Diagnosis diagnosis(std::vector<Interpreter> interpreters, bool are_named = false) {
  MachineFacts machine{.kernel = "Linux 6.1.0", .architecture = "x86_64", .folder = "/home/me/src", .cores = 2};
  machine.memfd.error = 1;
  machine.has_seccomp_filter = true;
  return {.interpreters = std::move(interpreters),
          .are_named = are_named,
          .machine = machine,
          .problems = problems_of(machine)};
}

TEST(DoctorTable, SaysWhatCanBeRecordedByWhichReaderAndWhatNot) {
  Interpreter known = good("/home/me/.pyenv/versions/3.12.1/bin/python3");
  known.names = {"/home/me/.pyenv/shims/python3"};
  const auto lines = doctor_table(diagnosis({known, bad("/opt/python3")}), {.home = "/home/me"});
  EXPECT_THAT(lines, Contains("  yes  CPython 3.12.1  memfd  ~/.pyenv/versions/3.12.1/bin/python3"));
  EXPECT_THAT(lines, Contains(HasSubstr("also ~/.pyenv/shims/python3")));
  EXPECT_THAT(lines, Contains(AllOf(StartsWith("  no   ?"), HasSubstr("/opt/python3"))));
  EXPECT_THAT(lines, Contains("       does not run (exit status 127: no such thing as ?[31mthis)"));
  EXPECT_THAT(lines, Contains("       -> repair it"));
  EXPECT_THAT(lines, Contains("1 of 2 interpreters can be recorded."));
}

TEST(DoctorTable, TellsEachProblemWithItsLossAndRemedy) {
  const auto lines = doctor_table(diagnosis({good("/usr/bin/python3")}), {});
  EXPECT_THAT(lines, Contains("  ! memfd is refused (Operation not permitted)"));
  EXPECT_THAT(lines, Contains(StartsWith("    lost: stacks are read by process_vm_readv")));
  EXPECT_THAT(lines, Contains(StartsWith("    -> let the seccomp filter allow memfd_create and pwritev")));
}

TEST(DoctorTable, SaysWhereItLookedInVain) {
  EXPECT_THAT(doctor_table(diagnosis({}), {}), Contains(HasSubstr("none was found (on PATH, of pyenv or uv")));
}

TEST(DoctorTable, NeverExceedsTheTerminal) {
  Interpreter deep = good("/home/me/" + std::string(300, 'x') + "/python3");
  deep.names = {"/home/me/" + std::string(300, 'y')};
  for (const std::size_t width : {60U, 80U, 120U}) {
    const auto lines = doctor_table(diagnosis({deep, bad("/opt/python3")}), {.width = width});
    for (const std::string& line : lines) EXPECT_LE(display_width(line), width) << line;
  }
}

TEST(DoctorTable, IsColouredOnDemandOnly) {
  const Diagnosis all = diagnosis({good("/usr/bin/python3"), bad("/opt/python3")});
  EXPECT_THAT(doctor_table(all, {}), Each(Not(HasSubstr("\x1b"))));
  EXPECT_THAT(doctor_table(all, {.colour = true}), Contains(HasSubstr("\x1b[32myes\x1b[0m")));
}

TEST(Diagnosis, IsGoodWithOneOfThoseFoundOrAllOfThoseNamed) {
  EXPECT_TRUE(diagnosis({good("a"), bad("b")}).is_good());
  EXPECT_FALSE(diagnosis({bad("b")}).is_good());
  EXPECT_FALSE(diagnosis({}).is_good());
  EXPECT_TRUE(diagnosis({good("a")}, true).is_good());
  EXPECT_FALSE(diagnosis({good("a"), bad("b")}, true).is_good());
}

}  // namespace
}  // namespace gauge::cli
