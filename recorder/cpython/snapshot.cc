#include "recorder/cpython/snapshot.h"

namespace gauge::cpython {

std::size_t Snapshot::add(std::uintptr_t address, std::size_t size) noexcept {
  if (count_ == ranges_.size() || size > MemoryReader::kWindowBytes - bytes_) return kNone;
  ranges_[count_] = {address, size};
  offsets_[count_] = bytes_;
  bytes_ += size;
  return count_++;
}

bool Snapshot::take() noexcept {
  const std::chrono::nanoseconds start = reader_.now();
  taken_ = reader_.gather(std::span(ranges_).first(count_));
  took_ = reader_.now() - start;
  return taken_ == bytes_;
}

const std::byte* Snapshot::find(std::size_t index, std::uintptr_t address, std::size_t size) const noexcept {
  const MemoryRange& range = ranges_[index];
  if (!contains(range.address, range.size, address, size)) return nullptr;
  return copy(index) + (address - range.address);
}

}  // namespace gauge::cpython
