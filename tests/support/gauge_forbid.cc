// gauge-forbid CALL[=kill]... -- PROGRAM ARGS...: becomes a program that may not make some system calls, as below a
// container's seccomp filter. A forbidden call fails with EPERM, or kills the process.
#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace {

struct Call {
  std::string_view name;
  long number;
};

constexpr std::array kCalls = {
    Call{"close_range", SYS_close_range},           Call{"memfd_create", SYS_memfd_create},
    Call{"process_vm_readv", SYS_process_vm_readv}, Call{"pwritev", SYS_pwritev},
    Call{"sched_setattr", SYS_sched_setattr},       Call{"unshare", SYS_unshare},
};

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }

sock_filter answer(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }

/// Goes on where the loaded word is `value`, else `skipped` steps further.
sock_filter unless_equal_skip(std::uint32_t value, std::uint8_t skipped) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

/// @return whether `word` is a call that is known
bool forbid(std::string_view word, std::vector<sock_filter>& filter) {
  const bool kills = word.ends_with("=kill");
  const std::string_view name = word.substr(0, word.find('='));
  const auto* const call = std::ranges::find(kCalls, name, &Call::name);
  if (call == kCalls.end()) return false;
  filter.push_back(unless_equal_skip(static_cast<std::uint32_t>(call->number), 1));
  filter.push_back(answer(kills ? std::uint32_t{SECCOMP_RET_KILL_PROCESS} : SECCOMP_RET_ERRNO | EPERM));
  return true;
}

int fail(std::string_view subject, std::string_view what) {
  fmt::print(stderr, "gauge-forbid: {}: {}\n", subject, what);
  return 125;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> words{argv, static_cast<std::size_t>(argc)};
  std::vector<sock_filter> filter = {load(offsetof(seccomp_data, arch)), unless_equal_skip(kArchitecture, 1),
                                     load(offsetof(seccomp_data, nr))};
  std::size_t index = 1;
  for (; index < words.size() && std::string_view{words[index]} != "--"; ++index) {
    if (!forbid(words[index], filter)) return fail(words[index], "no call that is known here");
  }
  if (index + 1 >= words.size()) return fail("usage", "gauge-forbid CALL... -- PROGRAM ARGS...");
  filter.push_back(answer(SECCOMP_RET_ALLOW));

  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    return fail("seccomp", std::strerror(errno));
  execvp(words[index + 1], &words[index + 1]);
  return fail(words[index + 1], std::strerror(errno));
}
