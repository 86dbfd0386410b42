#include "recorder/cpython/kernel_places.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

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

/// Of "running", "202 0x7f12.. 0x.." and "-1 0x..".
KernelPlace parse_place(std::string_view text) noexcept {
  if (text.starts_with("running")) return {.is_ready = true};
  KernelPlace place;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, place.call);
  if (number.ec != std::errc{} || end - number.ptr < 4) return {};
  const char* const hexadecimal = number.ptr + 3;  // after " 0x"
  if (std::from_chars(hexadecimal, end, place.first_argument, 16).ec != std::errc{}) return {};
  return place;
}

/// The number of an open file, or -1. Does not allocate.
int open_syscall_file(std::uint64_t native_id) noexcept {
  return open(SyscallPath(native_id).text(), O_RDONLY | O_CLOEXEC);
}

}  // namespace

KernelPlaces::~KernelPlaces() { std::ranges::for_each(files_, &KernelPlaces::forget); }

std::optional<KernelPlace> KernelPlaces::of(std::uint64_t native_id) noexcept {
  if (native_id == 0 || table_ == DescriptorTable::shared) return std::nullopt;
  File& file = files_[native_id % kKept];
  const bool was_open = file.native_id == native_id && file.descriptor >= 0;
  if (!was_open) open_for(native_id, file);
  std::array<char, 256> text;
  ssize_t length = pread(file.descriptor, text.data(), text.size(), 0);
  if (length <= 0 && was_open) {  // that thread is gone; another may have its id
    open_for(native_id, file);
    length = pread(file.descriptor, text.data(), text.size(), 0);
  }
  if (length > 0) return parse_place({text.data(), static_cast<std::size_t>(length)});
  forget(file);
  return std::nullopt;
}

void KernelPlaces::open_for(std::uint64_t native_id, File& file) noexcept {
  forget(file);
  file = {.native_id = native_id, .descriptor = open_syscall_file(native_id)};
  if (file.descriptor >= 0 || errno != EMFILE) return;
  std::ranges::for_each(files_, &KernelPlaces::forget);  // a limit that is lower by now than what is kept
  file = {.native_id = native_id, .descriptor = open_syscall_file(native_id)};
}

void KernelPlaces::forget(File& file) noexcept {
  if (file.descriptor >= 0) close(file.descriptor);
  file = {};
}

}  // namespace gauge::cpython
