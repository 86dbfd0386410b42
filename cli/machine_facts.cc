#include "cli/machine_facts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>

#include "cli/cgroup_quota.h"

namespace gauge::cli {
namespace {

// Past the end of the window that the recorder keeps in its memfd, to which RLIMIT_FSIZE applies as to any file.
constexpr off_t kWindowEnd = off_t{5} << 20;

/// Runs `step` in a child. @param step  returns errno, 0 for success
Attempt attempt(int (*step)()) {
  const pid_t child = fork();
  if (child < 0) return {.error = errno};
  if (child == 0) _exit(step());
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return {.error = errno};
  }
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  return {.error = WEXITSTATUS(status)};
}

int error_of(long result) { return result < 0 ? errno : 0; }

// The steps make the system calls of the recorder's readers (recorder/cpython), on one byte of their own.

int write_memfd() {
  signal(SIGXFSZ, SIG_IGN);
  char byte = 1;
  const iovec source{&byte, 1};
  const int file = memfd_create("gauge-probe", MFD_CLOEXEC);
  return file < 0 ? errno : error_of(pwritev(file, &source, 1, kWindowEnd));
}

int read_own_process() {
  char from = 1;
  char to = 0;
  const iovec target{&to, 1};
  const iovec source{&from, 1};
  return error_of(process_vm_readv(getpid(), &target, 1, &source, 1, 0));
}

int read_own_memory_file() {
  char from = 1;
  char to = 0;
  const int file = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  return file < 0 ? errno : error_of(pread(file, &to, 1, static_cast<off_t>(reinterpret_cast<std::uintptr_t>(&from))));
}

int unshare_descriptors() {
  // A range that holds no descriptor.
  if (syscall(SYS_close_range, ~0U, ~0U, CLOSE_RANGE_UNSHARE) == 0) return 0;
  return error_of(unshare(CLONE_FILES));
}

std::string first_line(const char* path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  while (line.ends_with('\0') || line.ends_with(' ')) line.pop_back();  // the kernel ends some labels like C
  return line;
}

/// The value of a line "Name:\tvalue" in /proc/self/status.
std::string status_field(std::string_view name) {
  std::ifstream file{"/proc/self/status"};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name) && line.substr(name.size()).starts_with(":\t")) return line.substr(name.size() + 2);
  }
  return "";
}

std::string security_label() {
  std::string label = first_line("/proc/self/attr/apparmor/current");
  if (label.empty()) label = first_line("/proc/self/attr/current");
  return label == "unconfined" || label == "kernel" ? "" : label;
}

std::optional<std::uint64_t> limit_of(int resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

void probe_folder(MachineFacts& facts) {
  std::error_code error;
  facts.folder = std::filesystem::current_path(error).string();
  facts.folder_error = error_of(access(".", W_OK | X_OK));
  struct statvfs disk {};
  if (statvfs(".", &disk) == 0) facts.free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

unsigned usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
  return std::thread::hardware_concurrency();
}

}  // namespace

std::string Attempt::failure() const {
  if (signal != 0) return fmt::format("killed by signal {}", signal);
  return std::strerror(error);
}

MachineFacts probe_machine() {
  MachineFacts facts;
  utsname name{};
  uname(&name);
  facts.kernel = fmt::format("{} {}", name.sysname, name.release);
  facts.architecture = name.machine;
  facts.memfd = attempt(write_memfd);
  facts.process_vm_readv = attempt(read_own_process);
  facts.proc_mem = attempt(read_own_memory_file);
  facts.own_descriptors = attempt(unshare_descriptors);
  facts.has_seccomp_filter = status_field("Seccomp") == "2";
  facts.no_new_privileges = status_field("NoNewPrivs") == "1";
  facts.security_label = security_label();
  facts.address_space = limit_of(RLIMIT_AS);
  facts.file_size = limit_of(RLIMIT_FSIZE);
  facts.open_files = limit_of(RLIMIT_NOFILE);
  probe_folder(facts);
  facts.cores = usable_cores();
  facts.cpu_quota = cpu_quota();
  facts.clock_source = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  facts.has_python_home = std::getenv("PYTHONHOME") != nullptr;
  return facts;
}

}  // namespace gauge::cli
