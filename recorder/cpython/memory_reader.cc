#include "recorder/cpython/memory_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "formats/base/error.h"
#include "recorder/cpython/memory_readers.h"

namespace gauge::cpython {
namespace {

// Programs get addresses above this only by asking for them; CPython never does.
#if defined(__x86_64__)
constexpr std::uintptr_t kUserSpaceEnd = std::uintptr_t{1} << 47;
#else
constexpr std::uintptr_t kUserSpaceEnd = std::uintptr_t{1} << 48;
#endif
constexpr std::uintptr_t kKernelAddress = ~std::uintptr_t{0} - 0xFFFF;

// Behind the window: where read_bytes() lands, so that it leaves the window alone.
constexpr std::size_t kScratchBytes = std::size_t{64} << 10;

bool is_address_error(int error_number) noexcept {
  return error_number == EFAULT || error_number == EIO || error_number == ENOMEM;
}

/// Keeps SIGXFSZ, which a write beyond RLIMIT_FSIZE sends to the writer, from reaching anyone. The recorder's threads
/// block every signal anyway; whoever else opens a reader may not.
class FileSizeSignalGuard {
 public:
  FileSizeSignalGuard() noexcept {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    sigset_t pending;
    was_pending_ = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
    pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~FileSizeSignalGuard() {
    const timespec now{};
    if (!was_pending_) sigtimedwait(&signal_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  FileSizeSignalGuard(const FileSizeSignalGuard&) = delete;
  FileSizeSignalGuard& operator=(const FileSizeSignalGuard&) = delete;

 private:
  sigset_t signal_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

/// Grows the file by its last byte: ftruncate alone would succeed where later writes meet RLIMIT_FSIZE.
bool grow(int file, std::size_t size) noexcept {
  const FileSizeSignalGuard guard;
  return pwrite(file, "", 1, static_cast<off_t>(size - 1)) == 1;
}

std::size_t total_size(std::span<const iovec> vectors) noexcept {
  std::size_t total = 0;
  for (const iovec& vector : vectors) total += vector.iov_len;
  return total;
}

iovec vector_of(std::uintptr_t address, std::size_t size) noexcept { return {reinterpret_cast<void*>(address), size}; }

bool is_user_range(std::uintptr_t address, std::size_t size) noexcept {
  return size <= kUserSpaceEnd && address <= kUserSpaceEnd - size;
}

}  // namespace

Mapping::Mapping(std::size_t size, int descriptor) noexcept : size_(size) {
  void* data = descriptor < 0
                   ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                   : mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (data != MAP_FAILED) data_ = static_cast<std::byte*>(data);
}

Mapping::~Mapping() {
  if (data_ != nullptr) munmap(data_, size_);
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

std::span<const iovec> IoVectors::fill(std::span<const MemoryRange> ranges) noexcept {
  std::size_t count = 0;
  std::size_t room = MemoryReader::kWindowBytes;
  for (const MemoryRange& range : ranges.first(std::min(ranges.size(), vectors_.size()))) {
    if (!is_user_range(range.address, range.size)) break;
    const std::size_t size = std::min(range.size, room);
    vectors_[count++] = vector_of(range.address, size);
    room -= size;
    if (size < range.size) break;
  }
  return std::span(vectors_).first(count);
}

MemfdReader::MemfdReader() noexcept : file_(memfd_create("gauge-window", MFD_CLOEXEC)) {
  if (file_ && grow(file_.number(), kWindowBytes + kScratchBytes)) {
    mapping_ = Mapping(kWindowBytes + kScratchBytes, file_.number());
  }
  is_refused_ = !mapping_;
}

std::size_t MemfdReader::write_at(off_t position, std::span<const iovec> vectors) noexcept {
  // Not through pwritev(): sanitizers intercept that and judge the addresses themselves.
  const long count = syscall(SYS_pwritev, file_.number(), vectors.data(), vectors.size(), position, 0L);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (!is_address_error(errno)) is_refused_ = true;
  return 0;
}

std::size_t MemfdReader::gather(std::span<const MemoryRange> ranges) noexcept {
  if (is_refused_) return 0;
  const std::span<const iovec> vectors = vectors_.fill(ranges);
  const std::size_t count = write_at(0, vectors);
  // Short, and the next byte can be read: then a lowered RLIMIT_FSIZE cut the write, not the address. Writing there
  // says EFBIG.
  if (count < total_size(vectors) && !is_refused_) {
    const iovec probe = vector_of(reinterpret_cast<std::uintptr_t>(&count), 1);
    write_at(static_cast<off_t>(count), {&probe, 1});
  }
  return count;
}

bool MemfdReader::read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept {
  auto* target = static_cast<std::byte*>(out);
  while (size > 0) {
    const std::size_t piece = std::min(size, kScratchBytes);
    if (is_refused_ || !is_user_range(address, piece)) return false;
    const iovec vector = vector_of(address, piece);
    if (write_at(static_cast<off_t>(kWindowBytes), {&vector, 1}) != piece) return false;
    std::memcpy(target, mapping_.data() + kWindowBytes, piece);
    target += piece;
    address += piece;
    size -= piece;
  }
  return true;
}

ProcessVmReader::ProcessVmReader() noexcept : mapping_(kWindowBytes, -1) { is_refused_ = !mapping_; }

std::size_t ProcessVmReader::read_to(std::byte* out, std::span<const iovec> vectors) noexcept {
  const iovec target{out, total_size(vectors)};
  const ssize_t count = process_vm_readv(getpid(), &target, 1, vectors.data(), vectors.size(), 0);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (!is_address_error(errno)) is_refused_ = true;
  return 0;
}

std::size_t ProcessVmReader::gather(std::span<const MemoryRange> ranges) noexcept {
  return is_refused_ ? 0 : read_to(mapping_.data(), vectors_.fill(ranges));
}

bool ProcessVmReader::read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept {
  if (is_refused_ || !is_user_range(address, size)) return false;
  const iovec vector = vector_of(address, size);
  return size == 0 || read_to(static_cast<std::byte*>(out), {&vector, 1}) == size;
}

ProcMemReader::ProcMemReader() noexcept
    : file_(open("/proc/self/mem", O_RDONLY | O_CLOEXEC)), mapping_(kWindowBytes, -1) {
  is_refused_ = !file_ || !mapping_;
}

std::size_t ProcMemReader::read_to(std::byte* out, std::uintptr_t address, std::size_t size) noexcept {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = pread(file_.number(), out + done, size - done, static_cast<off_t>(address + done));
    if (count < 0 && !is_address_error(errno)) is_refused_ = true;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::size_t ProcMemReader::gather(std::span<const MemoryRange> ranges) noexcept {
  if (is_refused_) return 0;
  std::size_t done = 0;
  for (const iovec& vector : vectors_.fill(ranges)) {
    const std::size_t count =
        read_to(mapping_.data() + done, reinterpret_cast<std::uintptr_t>(vector.iov_base), vector.iov_len);
    done += count;
    if (count < vector.iov_len) break;
  }
  return done;
}

bool ProcMemReader::read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept {
  if (is_refused_ || !is_user_range(address, size)) return false;
  return read_to(static_cast<std::byte*>(out), address, size) == size;
}

bool FailoverReader::move_on() noexcept {
  if (!readers_[current_]->is_refused()) return false;
  for (std::size_t next = current_ + 1; next < readers_.size(); ++next) {
    if (!works(*readers_[next])) continue;
    current_ = next;
    return true;
  }
  return false;
}

std::size_t FailoverReader::gather(std::span<const MemoryRange> ranges) noexcept {
  std::size_t count = readers_[current_]->gather(ranges);
  while (move_on()) count = readers_[current_]->gather(ranges);
  return count;
}

bool FailoverReader::read_bytes(std::uintptr_t address, void* out, std::size_t size) noexcept {
  bool is_read = readers_[current_]->read_bytes(address, out, size);
  while (!is_read && move_on()) is_read = readers_[current_]->read_bytes(address, out, size);
  return is_read;
}

bool works(FallibleReader& reader) noexcept {
  if (reader.is_refused()) return false;
  const std::array<std::uint64_t, 2> known{0x6761756765'01, 0x6761756765'02};
  const auto address = reinterpret_cast<std::uintptr_t>(known.data());
  const std::array<MemoryRange, 3> ranges{{{address + 8, 8}, {address, 8}, {kKernelAddress, 8}}};
  const std::array<std::uint64_t, 2> expected{known[1], known[0]};
  std::uint64_t single = 0;
  return reader.gather(ranges) == sizeof known && std::memcmp(reader.window(), expected.data(), sizeof expected) == 0 &&
         reader.read(address, single) && single == known[0] && !reader.read(std::uintptr_t{8}, single) &&
         !reader.read(kKernelAddress, single) && !reader.is_refused();
}

std::unique_ptr<MemoryReader> open_memory_reader(DescriptorTable table) {
  const bool is_shared = table == DescriptorTable::shared;
  std::vector<std::unique_ptr<FallibleReader>> candidates;
  if (!is_shared) candidates.push_back(std::make_unique<MemfdReader>());
  candidates.push_back(std::make_unique<ProcessVmReader>());
  if (!is_shared) candidates.push_back(std::make_unique<ProcMemReader>());
  const auto first = std::ranges::find_if(candidates, [](const auto& reader) { return works(*reader); });
  candidates.erase(candidates.begin(), first);
  if (candidates.empty() && is_shared) {
    throw Error{ErrorCode::unsupported,
                "process memory: cannot be read safely (close_range and unshare are refused, so that the program could "
                "close what other ways need, and process_vm_readv is refused, too); allow close_range"};
  }
  if (candidates.empty()) {
    throw Error{ErrorCode::unsupported,
                "process memory: cannot be read (memfd with pwritev, process_vm_readv and /proc/self/mem were tried, "
                "and this kernel, container or seccomp profile refuses each); allow one of them"};
  }
  return std::make_unique<FailoverReader>(std::move(candidates));
}

}  // namespace gauge::cpython
