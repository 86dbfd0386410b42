#include "recorder/byte_ring.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "formats/base/error.h"

namespace gauge {
namespace {

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; }

}  // namespace

ByteRing::ByteRing(std::size_t capacity) : capacity_(capacity) {
  void* memory = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw io_error("recorder", "no memory for the sample queue", errno, "raise the memory limit of the process");
  }
  bytes_ = static_cast<std::byte*>(memory);
}

ByteRing::~ByteRing() { munmap(bytes_, capacity_); }

std::size_t ByteRing::used() const noexcept {
  const std::uint64_t read = read_.load(std::memory_order_relaxed);
  const std::uint64_t written = written_.load(std::memory_order_relaxed);
  return written > read ? static_cast<std::size_t>(written - read) : 0;
}

std::byte* ByteRing::reserve(std::size_t bytes) noexcept {
  if (bytes > max_record()) return nullptr;
  const std::uint64_t written = written_.load(std::memory_order_relaxed);
  const std::size_t need = aligned(kHeaderBytes + bytes);
  const std::size_t offset = static_cast<std::size_t>(written & (capacity_ - 1));
  const std::size_t skipped = capacity_ - offset < need ? capacity_ - offset : 0;
  if (capacity_ - (written - read_seen_) < skipped + need) {
    read_seen_ = read_.load(std::memory_order_acquire);
    if (capacity_ - (written - read_seen_) < skipped + need) return nullptr;
  }
  if (skipped != 0) put_header(written, kSkipToStart);
  reserved_ = written + skipped;
  return bytes_ + ((reserved_ & (capacity_ - 1)) + kHeaderBytes);
}

void ByteRing::commit(std::size_t bytes) noexcept {
  put_header(reserved_, static_cast<std::uint32_t>(bytes));
  written_.store(reserved_ + aligned(kHeaderBytes + bytes), std::memory_order_release);
}

std::span<const std::byte> ByteRing::front() noexcept {
  front_ = read_.load(std::memory_order_relaxed);
  if (front_ == written_.load(std::memory_order_acquire)) return {};
  std::uint32_t bytes = header_at(front_);
  if (bytes == kSkipToStart) {
    front_ = (front_ | (capacity_ - 1)) + 1;
    bytes = header_at(front_);
  }
  front_bytes_ = bytes;
  return {bytes_ + ((front_ & (capacity_ - 1)) + kHeaderBytes), bytes};
}

void ByteRing::pop() noexcept { read_.store(front_ + aligned(kHeaderBytes + front_bytes_), std::memory_order_release); }

std::uint32_t ByteRing::header_at(std::uint64_t position) const noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes_ + (position & (capacity_ - 1)), sizeof value);
  return value;
}

void ByteRing::put_header(std::uint64_t position, std::uint32_t value) noexcept {
  std::memcpy(bytes_ + (position & (capacity_ - 1)), &value, sizeof value);
}

}  // namespace gauge
