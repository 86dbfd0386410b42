// What this machine or container lets a recorder do: tried where it can be tried, else read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gauge::cli {

/// What became of something that was tried in a process of its own, which a filter may kill.
struct Attempt {
  int error = 0;   // errno; 0 = it works
  int signal = 0;  // that killed the process; 0 = none did

  [[nodiscard]] bool works() const noexcept { return error == 0 && signal == 0; }
  /// "Operation not permitted", "kills the process"
  [[nodiscard]] std::string failure() const;
};

/// As of one moment, for the process that asked and the programs that it starts.
struct MachineFacts {
  std::string kernel;        // "Linux 6.1.0"
  std::string architecture;  // "x86_64"

  Attempt memfd;             // the recorder's ways to read memory, best first
  Attempt process_vm_readv;  //
  Attempt proc_mem;          //
  Attempt own_descriptors;   // a descriptor table of a thread's own

  bool has_seccomp_filter = false;
  bool no_new_privileges = false;
  std::string security_label;  // of AppArmor or SELinux: "docker-default (enforce)"; "" = none

  std::optional<std::uint64_t> address_space;  // limits in bytes and in number; none = unlimited
  std::optional<std::uint64_t> file_size;
  std::optional<std::uint64_t> open_files;

  std::string folder;    // the working directory; "" = there is none
  int folder_error = 0;  // errno of writing there; 0 = it can be written
  std::uint64_t free_bytes = 0;

  unsigned cores = 0;
  std::optional<double> cpu_quota;  // in cores
  std::string clock_source;         // "tsc"; "" = unknown
  bool has_python_home = false;     // PYTHONHOME is set
};

/// Forks: call it while the process has one thread.
[[nodiscard]] MachineFacts probe_machine();

}  // namespace gauge::cli
