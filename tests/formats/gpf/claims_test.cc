// Nothing in a recording makes its reader allocate what it only claims to have: every allocation of this program is
// seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "tests/formats/gpf/reader_testing.h"

namespace gauge::gpf {
namespace {

std::size_t& largest_allocation() {
  thread_local std::size_t bytes = 0;
  return bytes;
}

/// Bytes of the largest allocation that `work` makes.
std::size_t largest_in(const std::function<void()>& work) {
  largest_allocation() = 0;
  work();
  return largest_allocation();
}

constexpr std::size_t kFew = std::size_t{64} << 10;

TEST(Claims, AllocationsAreSeen) {
  EXPECT_GE(largest_in([] { EXPECT_EQ(std::string(1 << 20, 'x').back(), 'x'); }), std::size_t{1} << 20);
}

TEST(Claims, BlockOfFourGigabytesAllocatesNothing) {
  // A single segment with a content size of 8 bytes, as no writer of ours makes: 4 GiB; then of 4 bytes: 64 MiB.
  for (const std::string& frame : {std::string("\x28\xb5\x2f\xfd\xe4\0\0\0\0\x01\0\0\0\x01\0\0", 16),
                                   std::string("\x28\xb5\x2f\xfd\xa4\0\0\0\x04\x01\0\0\0\0\0\0", 16)}) {
    const std::string bytes = three_blocks() + frame;
    EXPECT_LT(largest_in([&] { EXPECT_EQ(read_all(bytes).report.blocks, 3U); }), kFew);
  }
}

TEST(Claims, FieldOfFourGigabytesAllocatesNothing) {
  // A block, a length of 4 GiB - 1; in a block of 8 bytes, definitions (field 2), then samples (field 3), of that
  // length.
  for (const std::string& content :
       {std::string("\x0a\xff\xff\xff\xff\x0f", 6), std::string("\x0a\x08\x12\xff\xff\xff\xff\x0f\0\0", 10),
        std::string("\x0a\x08\x1a\xff\xff\xff\xff\x0f\0\0", 10)}) {
    EXPECT_LT(largest_in([&] { EXPECT_THROW((void)decode_block(content), Error); }), kFew);
  }
}

TEST(Claims, HeaderOfFourGigabytesAllocatesNothing) {
  std::string bytes = three_blocks();
  bytes.replace(4, 4, 4, '\xff');
  EXPECT_LT(largest_in([&] { EXPECT_THROW(read_all(bytes), Error); }), kFew);
}

}  // namespace
}  // namespace gauge::gpf

// Not in the namespace: these are those of the whole program. All of them, for what one allocates another one frees.
// GCC 12 inlines some of them and not others, and warns of pairs that are none.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  std::size_t& largest = gauge::gpf::largest_allocation();
  largest = std::max(largest, size);
  return std::malloc(size);
}
void* operator new(std::size_t size) {
  if (void* const memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
