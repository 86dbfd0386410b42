#include "cli/machine_problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace gauge::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

/// Nothing is in the way here.
MachineFacts good_machine() {
  return {.kernel = "Linux 6.1.0",
          .architecture = "x86_64",
          .open_files = 1024,
          .folder = "/srv",
          .free_bytes = 1000 * kMebibyte,
          .cores = 2,
          .clock_source = "tsc"};
}

auto problem(const std::string& subject, const std::string& effect, const std::string& remedy) {
  return AllOf(Field(&Problem::subject, HasSubstr(subject)), Field(&Problem::effect, HasSubstr(effect)),
               Field(&Problem::remedy, HasSubstr(remedy)));
}

TEST(ProblemsOf, IsEmptyOnAGoodMachine) { EXPECT_THAT(problems_of(good_machine()), IsEmpty()); }

TEST(ProblemsOf, NamesTheReaderThatStandsInAndWhatItCosts) {
  MachineFacts facts = good_machine();
  facts.has_seccomp_filter = true;
  facts.memfd = {.error = EPERM};
  EXPECT_THAT(problems_of(facts),
              ElementsAre(AllOf(problem("memfd", "read by process_vm_readv instead, at several times the cost",
                                        "allow memfd_create and pwritev"),
                                Field(&Problem::what, "is refused (Operation not permitted)"),
                                Field(&Problem::is_harmless, false))));
  facts.process_vm_readv = {.error = EPERM};
  EXPECT_THAT(problems_of(facts), Contains(problem("memfd", "/proc/self/mem instead", "seccomp")));
}

TEST(ProblemsOf, TellsHowToAllowItWithDockerKubernetesAndSystemd) {
  MachineFacts facts = good_machine();
  facts.has_seccomp_filter = true;
  facts.memfd = {.error = EPERM};
  EXPECT_THAT(problems_of(facts),
              Contains(Field(&Problem::remedy,
                             AllOf(HasSubstr("--security-opt seccomp=PROFILE.json"),
                                   HasSubstr("securityContext.seccompProfile"), HasSubstr("SystemCallFilter=")))));
}

TEST(ProblemsOf, AMissingStandInIsHarmlessAndComesLast) {
  MachineFacts facts = good_machine();
  facts.process_vm_readv = {.error = EPERM};
  facts.cpu_quota = 0.5;
  const std::vector<Problem> problems = problems_of(facts);
  EXPECT_THAT(problems, ElementsAre(problem("CPU quota", "", ""),
                                    AllOf(problem("process_vm_readv", "nothing while memfd works", ""),
                                          Field(&Problem::is_harmless, true))));
}

TEST(ProblemsOf, SaysThatNothingCanBeRecordedWithoutAReader) {
  MachineFacts facts = good_machine();
  facts.memfd = facts.process_vm_readv = {.error = ENOSYS};
  facts.proc_mem = {.error = ENOENT};
  const std::vector<Problem> problems = problems_of(facts);
  EXPECT_EQ(problems.size(), 3U);
  EXPECT_THAT(problems, testing::Each(problem("", "nothing can be recorded", "")));
  EXPECT_THAT(problems, Contains(problem("memfd", "", "use a kernel or sandbox that has memfd_create and pwritev")));
  EXPECT_THAT(problems, Contains(problem("/proc/self/mem", "", "mount /proc")));
}

TEST(ProblemsOf, ACallThatKillsIsNeverHarmless) {
  MachineFacts facts = good_machine();
  facts.has_seccomp_filter = true;
  facts.process_vm_readv = {.signal = SIGSYS};
  EXPECT_THAT(
      problems_of(facts),
      ElementsAre(AllOf(problem("process_vm_readv", "is refused later, by a limit, is killed", "process_vm_readv"),
                        Field(&Problem::is_harmless, false))));
  facts.process_vm_readv = {};
  facts.memfd = {.signal = SIGSYS};
  EXPECT_THAT(problems_of(facts),
              ElementsAre(AllOf(problem("memfd", "every recorded program is killed", "memfd_create and pwritev"),
                                Field(&Problem::is_harmless, false))));
}

TEST(ProblemsOf, LooksForTheSecurityProfileWhereThereIsNoFilter) {
  MachineFacts facts = good_machine();
  facts.memfd = {.error = EACCES};
  facts.security_label = "docker-default (enforce)";
  EXPECT_THAT(problems_of(facts), Contains(problem("memfd", "", "'docker-default (enforce)'")));
}

TEST(ProblemsOf, TellsALimitOnFilesFromAFilter) {
  MachineFacts facts = good_machine();
  facts.has_seccomp_filter = true;
  facts.memfd = {.error = EFBIG};
  facts.file_size = kMebibyte;
  EXPECT_THAT(problems_of(facts),
              ElementsAre(AllOf(problem("memfd", "process_vm_readv", "ulimit -f unlimited"),
                                Field(&Problem::remedy, Not(HasSubstr("seccomp")))),
                          problem("RLIMIT_FSIZE", "a recording ends when it has that size", "ulimit -f")));
}

TEST(ProblemsOf, TellsOfLowLimitsOnly) {
  MachineFacts facts = good_machine();
  facts.address_space = 300 * kMebibyte;
  facts.open_files = 16;
  EXPECT_THAT(problems_of(facts),
              ElementsAre(problem("RLIMIT_AS", "", "ulimit -v"), problem("RLIMIT_NOFILE", "", "ulimit -n")));
  facts.address_space = 64 * 1024 * kMebibyte;
  facts.file_size = 1024 * kMebibyte;
  facts.open_files = 256;
  EXPECT_THAT(problems_of(facts), IsEmpty());
}

TEST(ProblemsOf, TellsOfAFolderThatTakesNoRecording) {
  MachineFacts facts = good_machine();
  facts.folder_error = EROFS;
  EXPECT_THAT(problems_of(facts), ElementsAre(problem("working directory", "without -o", "give -o")));
  facts.folder_error = 0;
  facts.free_bytes = kMebibyte;
  EXPECT_THAT(problems_of(facts), ElementsAre(problem("working directory", "disk is full", "free space")));
}

TEST(ProblemsOf, TellsOfAQuotaBelowOneCore) {
  MachineFacts facts = good_machine();
  facts.cpu_quota = 0.25;
  EXPECT_THAT(problems_of(facts), ElementsAre(AllOf(problem("CPU quota", "ticks are missed", "--cpus=1"),
                                                    Field(&Problem::what, "is 0.25 of one core"))));
  facts.cpu_quota = 1;
  EXPECT_THAT(problems_of(facts), IsEmpty());
}

TEST(ProblemsOf, TellsOfASlowClock) {
  MachineFacts facts = good_machine();
  facts.clock_source = "hpet";
  EXPECT_THAT(problems_of(facts), ElementsAre(problem("clock", "costs more", "tsc")));
  facts.clock_source = "";  // unknown is not slow
  EXPECT_THAT(problems_of(facts), IsEmpty());
}

TEST(ProblemsOf, TellsOfASharedDescriptorTable) {
  MachineFacts facts = good_machine();
  facts.own_descriptors = {.error = EPERM};
  EXPECT_THAT(problems_of(facts), ElementsAre(problem("descriptor table", "closes all,", "close_range")));
  facts.memfd = {.error = EPERM};  // would not be used
  facts.process_vm_readv = {.error = EPERM};
  EXPECT_THAT(problems_of(facts),
              ElementsAre(problem("process_vm_readv", "nothing can be recorded", "process_vm_readv"),
                          problem("descriptor table", "closes all,", "close_range")));
}

TEST(ProblemsOf, TellsOfPythonHome) {
  MachineFacts facts = good_machine();
  facts.has_python_home = true;
  EXPECT_THAT(problems_of(facts), ElementsAre(problem("PYTHONHOME", "other versions", "unset")));
}

TEST(ProbeMachine, FindsThatThisProcessMayReadItself) {
  const MachineFacts facts = probe_machine();
  EXPECT_TRUE(facts.memfd.works()) << facts.memfd.failure();
  EXPECT_TRUE(facts.proc_mem.works()) << facts.proc_mem.failure();
  EXPECT_THAT(facts.kernel, HasSubstr("Linux "));
  EXPECT_GE(facts.cores, 1U);
}

}  // namespace
}  // namespace gauge::cli
