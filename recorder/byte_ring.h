// A bounded queue of byte records between one writing and one reading thread, without locks.
//
// A record lies in one piece, so that it can be encoded and decoded in place; where it would cross the end of the ring
// the rest of the ring stays unused. Positions count bytes since the start and never wrap (2^64 bytes), so "full" and
// "empty" cannot be confused. Layout of a record: u32 payload bytes, payload, padding to a multiple of 4.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gauge {

class ByteRing {
 public:
  /// @param capacity  bytes, a power of two of at least a page; mapped now, backed by memory when first used
  /// @throws Error(io) when the memory cannot be mapped
  explicit ByteRing(std::size_t capacity);
  ByteRing(const ByteRing&) = delete;
  ByteRing& operator=(const ByteRing&) = delete;
  ~ByteRing();

  /// A record of at most this many bytes always fits into an empty ring.
  [[nodiscard]] std::size_t max_record() const noexcept { return capacity_ / 2 - kHeaderBytes; }
  /// Bytes written and not yet read, padding included. Exact on neither side while the other one works.
  [[nodiscard]] std::size_t used() const noexcept;
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Writing thread: room for a record of up to `bytes`; nullptr when there is none. Never waits.
  [[nodiscard]] std::byte* reserve(std::size_t bytes) noexcept;
  /// Writing thread: publishes the first `bytes` of what reserve() gave. Skip it to give the room back.
  void commit(std::size_t bytes) noexcept;

  /// Reading thread: the oldest record, valid until pop(); an empty span without data when there is none.
  [[nodiscard]] std::span<const std::byte> front() noexcept;
  /// Reading thread: gives the room of the record that front() showed back.
  void pop() noexcept;

 private:
  static constexpr std::size_t kHeaderBytes = sizeof(std::uint32_t);
  static constexpr std::uint32_t kSkipToStart = 0xFFFFFFFF;

  [[nodiscard]] std::uint32_t header_at(std::uint64_t position) const noexcept;
  void put_header(std::uint64_t position, std::uint32_t value) noexcept;

  std::size_t capacity_;
  std::byte* bytes_;

  // Each thread's own variables on its own cache line.
  alignas(64) std::atomic<std::uint64_t> written_{0};
  std::uint64_t reserved_ = 0;   // where the record being written starts
  std::uint64_t read_seen_ = 0;  // read_, as last looked at
  alignas(64) std::atomic<std::uint64_t> read_{0};
  std::uint64_t front_ = 0;      // where the record being read starts
  std::size_t front_bytes_ = 0;  // and its size
};

}  // namespace gauge
