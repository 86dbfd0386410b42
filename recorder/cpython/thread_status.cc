#include "recorder/cpython/thread_status.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

#include "formats/gpf/records.h"
#include "recorder/cpython/memory_readers.h"
#include "recorder/cpython/snapshot.h"

namespace gauge::cpython {
namespace {

/// "/proc/self/task/<id>/syscall" without allocating.
class SyscallPath {
 public:
  explicit SyscallPath(std::uint64_t native_id) noexcept {
    constexpr std::string_view kFolder = "/proc/self/task/";
    constexpr std::string_view kFile = "/syscall";
    char* end = std::copy(kFolder.begin(), kFolder.end(), text_.data());
    end = std::to_chars(end, end + 20, native_id).ptr;
    *std::copy(kFile.begin(), kFile.end(), end) = '\0';
  }
  [[nodiscard]] const char* text() const noexcept { return text_.data(); }

 private:
  std::array<char, 64> text_{};
};

/// The system call number and its first argument, of "202 0x7f12.. 0x..". Nothing for "running" and for "-1 ..".
struct SystemCall {
  std::int64_t number = -1;
  std::uintptr_t first_argument = 0;
};

SystemCall parse_system_call(std::string_view text) noexcept {
  SystemCall call;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, call.number);
  if (number.ec != std::errc{} || end - number.ptr < 4) return {};
  const char* const hexadecimal = number.ptr + 3;  // after " 0x"
  if (std::from_chars(hexadecimal, end, call.first_argument, 16).ec != std::errc{}) return {};
  return call;
}

}  // namespace

std::optional<std::chrono::nanoseconds> thread_cpu_time(std::uint64_t native_id) noexcept {
  if (native_id == 0 || native_id > INT32_MAX) return std::nullopt;
  // The kernel's numbering of the CPU clock of a thread (CPUCLOCK_SCHED | CPUCLOCK_PERTHREAD). pthread_getcpuclockid()
  // would dereference a pthread_t that may be stale.
  const auto clock = static_cast<clockid_t>((~static_cast<std::uint32_t>(native_id) << 3) | 6U);
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return std::nullopt;
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

std::optional<bool> is_waiting_within(std::uint64_t native_id, std::uintptr_t address, std::size_t size) noexcept {
  const Descriptor file(open(SyscallPath(native_id).text(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::array<char, 256> text;
  const ssize_t length = read(file.number(), text.data(), text.size());
  if (length <= 0) return std::nullopt;
  const SystemCall call = parse_system_call({text.data(), static_cast<std::size_t>(length)});
  return call.number == SYS_futex && contains(address, size, call.first_argument, 1);
}

std::uint32_t gil_status(const GaugeLayout& layout, const Walk& walk, const CpuSight& cpu, std::uintptr_t gil,
                         ThreadRecord& record) noexcept {
  if (gil == 0) return gpf::kGilUnknown;
  const auto holds = [&](const GilSight& sight) { return sight.is_locked && sight.holder == record.state.address; };
  const bool held_before = holds(walk.gil_before);
  const bool held_after = holds(walk.gil_after);
  if (held_before != held_after) return gpf::kGilUnknown;
  if (held_before) return gpf::kGilHeld;
  const std::uint64_t switches = walk.gil_after.switches;
  const bool has_not_run = record.has_waiting && cpu.after && record.waiting_cpu == *cpu.after;
  const bool has_not_got_it = record.has_waiting && record.was_waiting && record.waiting_switches == switches;
  if (!has_not_run && !has_not_got_it) {
    if (cpu.is_running()) return 0;
    if (!cpu.after) return gpf::kGilUnknown;
    const std::optional<bool> is_waiting = is_waiting_within(record.state.native_id, gil, layout.gil.size);
    if (!is_waiting) return gpf::kGilUnknown;
    record.has_waiting = true;
    record.was_waiting = *is_waiting;
    record.waiting_cpu = *cpu.after;
    record.waiting_switches = switches;
  }
  return record.was_waiting ? std::uint32_t{gpf::kGilWanted} : 0;
}

}  // namespace gauge::cpython
