#include "recorder/cpython/native_ids.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {
namespace {

// As far as it is looked for: glibc has it at 720, musl at 48.
constexpr std::size_t kMaxOffset = 1024;

}  // namespace

ThreadIds ThreadIds::of_caller() noexcept {
  return {.python_id = static_cast<std::uint64_t>(pthread_self()),
          .native_id = static_cast<std::uint64_t>(syscall(SYS_gettid))};
}

NativeIds::NativeIds(MemoryReader& reader, const ThreadIds& one, const ThreadIds& other) noexcept {
  std::array<std::byte, kMaxOffset> copy;
  std::array<std::byte, kMaxOffset> other_copy;
  if (!reader.read_bytes(one.python_id, copy.data(), copy.size()) ||
      !reader.read_bytes(other.python_id, other_copy.data(), other_copy.size())) {
    return;
  }
  for (std::size_t at = 0; at < kMaxOffset && !offset_; at += sizeof(std::uint32_t)) {
    const bool has_both = load<std::uint32_t>(copy.data(), at) == one.native_id &&
                          load<std::uint32_t>(other_copy.data(), at) == other.native_id;
    if (has_both) offset_ = at;
  }
}

std::uint64_t NativeIds::of(MemoryReader& reader, std::uint64_t python_id) const noexcept {
  std::int32_t id = 0;
  if (!offset_ || !reader.read(python_id + *offset_, id)) return 0;
  return id > 0 ? static_cast<std::uint64_t>(id) : 0;
}

}  // namespace gauge::cpython
