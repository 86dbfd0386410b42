#include "formats/base/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

namespace gauge {
namespace {

using namespace std::chrono_literals;

class ReadAheadBy : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Threads, ReadAheadBy, testing::Values(0, 1, 2, 7));

TEST_P(ReadAheadBy, GivesItemsInOrder) {
  constexpr std::size_t kCount = 500;
  ReadAhead<std::string> items{kCount, GetParam(), [](std::size_t index, std::string& item) {
                                 if (index % 7 == 0) std::this_thread::sleep_for(100us);
                                 item = std::to_string(index);
                               }};
  for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(items.take(), std::to_string(i));
}

TEST_P(ReadAheadBy, AnItemStaysUntilTheNextIsTaken) {
  ReadAhead<std::size_t> items{100, GetParam(), [](std::size_t index, std::size_t& item) { item = index; }};
  for (std::size_t i = 0; i < 100; ++i) {
    const std::size_t& item = items.take();
    std::this_thread::sleep_for(50us);
    ASSERT_EQ(item, i);
  }
}

TEST_P(ReadAheadBy, PassesOnWhatMakingAnItemThrows) {
  ReadAhead<int> items{10, GetParam(), [](std::size_t index, int& item) {
                         if (index == 3) throw std::runtime_error("three");
                         item = 1;
                       }};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(items.take(), 1);
  EXPECT_THROW(static_cast<void>(items.take()), std::runtime_error);
  EXPECT_EQ(items.take(), 1);  // the others are whole
}

TEST_P(ReadAheadBy, MakesOnlySoManyAhead) {
  std::atomic<std::size_t> made = 0;
  ReadAhead<int> items{1000, GetParam(), [&](std::size_t /*index*/, int& /*item*/) { ++made; }};
  static_cast<void>(items.take());
  std::this_thread::sleep_for(5ms);
  EXPECT_LE(made, 2 * GetParam() + 1);
}

TEST_P(ReadAheadBy, CanBeLeftAtAnyTime) {
  for (std::size_t taken = 0; taken < 20; ++taken) {
    ReadAhead<int> items{20, GetParam(), [](std::size_t /*index*/, int& item) { item = 0; }};
    for (std::size_t i = 0; i < taken; ++i) static_cast<void>(items.take());
  }
}

}  // namespace
}  // namespace gauge
