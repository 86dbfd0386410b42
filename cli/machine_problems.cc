#include "cli/machine_problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "cli/quantities.h"
#include "cli/text.h"

namespace gauge::cli {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kLowAddressSpace = 512 * kMebibyte;  // a Python, and what the recorder reserves
constexpr std::uint64_t kLowFileSize = 256 * kMebibyte;
constexpr std::uint64_t kLowOpenFiles = 64;
constexpr std::uint64_t kLowDisk = 100 * kMebibyte;

// Read without entering the kernel; any other makes a system call of each look at the clock.
constexpr std::array<std::string_view, 4> kFastClocks = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
                                                         "arch_sys_counter"};

/// One of the ways to read memory.
struct Reader {
  std::string_view name;
  std::string_view calls;  // system calls it is made of
  const Attempt& attempt;
  std::string_view cost;  // where it must stand in for a better one
};

/// Those that the recorder would use, best first.
std::vector<Reader> readers_of(const MachineFacts& facts) {
  // It pins every page that it reads.
  const Reader without_descriptor{"process_vm_readv", "process_vm_readv", facts.process_vm_readv, "several times"};
  if (!facts.own_descriptors.works()) return {without_descriptor};
  return {Reader{"memfd", "memfd_create and pwritev", facts.memfd, ""}, without_descriptor,
          Reader{"/proc/self/mem", "open and pread64 of /proc/self/mem", facts.proc_mem, "many times"}};
}

/// Who refuses it, as far as can be told, and how to make that allow it.
std::string how_to_allow(const MachineFacts& facts, const Attempt& attempt, std::string_view calls) {
  if (facts.has_seccomp_filter)
    return fmt::format(
        "let the seccomp filter allow {}: with Docker's default profile, or one of your own that has them "
        "(docker run --security-opt seccomp=PROFILE.json); Kubernetes: securityContext.seccompProfile with type "
        "RuntimeDefault, or Localhost and such a profile; systemd: SystemCallFilter=",
        calls);
  if (!facts.security_label.empty())
    return fmt::format(
        "allow {} in the security profile '{}' (docker run --security-opt apparmor=PROFILE or label=...)", calls,
        printable(facts.security_label));
  if (attempt.error == ENOSYS)
    return fmt::format("use a kernel or sandbox that has {} (gVisor and old kernels lack some)", calls);
  if (attempt.error == ENOENT) return "mount /proc";
  return fmt::format("find out what refuses {} here, such as a sandbox", calls);
}

bool is_cut_by_file_size(const MachineFacts& facts) {
  return facts.memfd.error == EFBIG && facts.file_size.has_value();
}

std::string effect_of_refusal(std::span<const Reader> readers, const Reader& refused) {
  const auto used = std::ranges::find_if(readers, [](const Reader& reader) { return reader.attempt.works(); });
  const bool is_killed = refused.attempt.signal != 0;
  if (is_killed && (used == readers.end() || &refused < &*used))
    return "the recorder tries it, so that every recorded program is killed at its start";
  if (is_killed)
    return fmt::format("nothing while {} works; a program in which that is refused later, by a limit, is killed",
                       used->name);
  if (used == readers.end()) return "no memory can be read: nothing can be recorded";
  if (&refused < &*used) return fmt::format("stacks are read by {} instead, at {} the cost", used->name, used->cost);
  return fmt::format("nothing while {} works; it would stand in for that", used->name);
}

void add_readers(const MachineFacts& facts, std::vector<Problem>& problems) {
  const auto readers = readers_of(facts);
  const auto used = std::ranges::find_if(readers, [](const Reader& reader) { return reader.attempt.works(); });
  for (const Reader& reader : readers) {
    if (reader.attempt.works()) continue;
    const bool is_limit = reader.name == "memfd" && is_cut_by_file_size(facts);
    problems.push_back({.subject = std::string{reader.name},
                        .what = fmt::format("is refused ({})", reader.attempt.failure()),
                        .effect = effect_of_refusal(readers, reader),
                        .remedy = is_limit ? "raise the limit on the size of files (ulimit -f unlimited)"
                                           : how_to_allow(facts, reader.attempt, reader.calls),
                        .is_harmless = used != readers.end() && &reader > &*used && reader.attempt.signal == 0});
  }
}

void add_descriptors(const MachineFacts& facts, std::vector<Problem>& problems) {
  if (facts.own_descriptors.works()) return;
  problems.push_back({.subject = "descriptor table of its own",
                      .what = fmt::format("is refused ({})", facts.own_descriptors.failure()),
                      .effect = facts.own_descriptors.signal != 0
                                    ? "the recorder tries it, so that every recorded program is killed at its start"
                                    : "the recorder shares the program's descriptors, and keeps none but its file's: "
                                      "memory is read by process_vm_readv, at several times the cost; who waits for "
                                      "the GIL is not told; a program that closes all, as daemons do, ends its "
                                      "recording",
                      .remedy = how_to_allow(facts, facts.own_descriptors, "close_range or unshare")});
}

void add_limits(const MachineFacts& facts, std::vector<Problem>& problems) {
  if (facts.address_space && *facts.address_space < kLowAddressSpace)
    problems.push_back({.subject = "address space (RLIMIT_AS)",
                        .what = fmt::format("is limited to {}", format_bytes(*facts.address_space)),
                        .effect = "the recorder reserves more than 100 MiB of it, which the program may miss",
                        .remedy = "raise the limit (ulimit -v unlimited); to limit memory, use a cgroup"});
  if (facts.file_size && *facts.file_size < kLowFileSize)
    problems.push_back({.subject = "size of files (RLIMIT_FSIZE)",
                        .what = fmt::format("is limited to {}", format_bytes(*facts.file_size)),
                        .effect = "a recording ends when it has that size",
                        .remedy = "raise the limit (ulimit -f unlimited)"});
  if (facts.open_files && *facts.open_files < kLowOpenFiles)
    problems.push_back({.subject = "open files (RLIMIT_NOFILE)",
                        .what = fmt::format("are limited to {}", *facts.open_files),
                        .effect = "the recorder may find no descriptor for its file",
                        .remedy = "raise the limit (ulimit -n 1024)"});
}

void add_folder(const MachineFacts& facts, std::vector<Problem>& problems) {
  if (facts.folder_error != 0)
    problems.push_back({.subject = "working directory",
                        .what = fmt::format("cannot be written ({})", std::strerror(facts.folder_error)),
                        .effect = "recordings cannot go there, where they go without -o",
                        .remedy = "give -o with a folder that can be written, or set GAUGE_OUTPUT"});
  else if (facts.free_bytes < kLowDisk)
    problems.push_back({.subject = "working directory",
                        .what = fmt::format("has {} left", format_bytes(facts.free_bytes)),
                        .effect = "a recording ends when the disk is full",
                        .remedy = "free space, or give -o with a folder on another disk"});
}

void add_time(const MachineFacts& facts, std::vector<Problem>& problems) {
  if (facts.cpu_quota && *facts.cpu_quota < 1)
    problems.push_back({.subject = "CPU quota",
                        .what = fmt::format("is {:.2g} of one core", *facts.cpu_quota),
                        .effect = "the program and its sampler are stopped together when it is used up, and ticks are "
                                  "missed meanwhile",
                        .remedy = "raise it to a core (docker run --cpus=1; Kubernetes: resources.limits.cpu)"});
  if (!facts.clock_source.empty() && std::ranges::find(kFastClocks, facts.clock_source) == kFastClocks.end())
    problems.push_back({.subject = "clock",
                        .what = fmt::format("is {}, which is slow to read", printable(facts.clock_source)),
                        .effect = "every sample costs more",
                        .remedy = "on the host, choose tsc if /sys/devices/system/clocksource has it"});
}

void add_environment(const MachineFacts& facts, std::vector<Problem>& problems) {
  if (facts.has_python_home)
    problems.push_back({.subject = "PYTHONHOME",
                        .what = "is set",
                        .effect = "interpreters of other versions than the one it is meant for do not start",
                        .remedy = "unset it, unless it is meant for the interpreter you record"});
}

}  // namespace

std::vector<Problem> problems_of(const MachineFacts& facts) {
  std::vector<Problem> problems;
  add_readers(facts, problems);
  add_descriptors(facts, problems);
  add_limits(facts, problems);
  add_folder(facts, problems);
  add_time(facts, problems);
  add_environment(facts, problems);
  std::ranges::stable_partition(problems, [](const Problem& problem) { return !problem.is_harmless; });
  return problems;
}

}  // namespace gauge::cli
