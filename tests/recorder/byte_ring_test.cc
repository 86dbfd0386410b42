#include "recorder/byte_ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

namespace gauge {
namespace {

constexpr std::size_t kCapacity = 4096;

bool put(ByteRing& ring, const std::string& text) {
  std::byte* room = ring.reserve(text.size());
  if (room == nullptr) return false;
  std::memcpy(room, text.data(), text.size());
  ring.commit(text.size());
  return true;
}

std::string take(ByteRing& ring) {
  const std::span<const std::byte> record = ring.front();
  if (record.data() == nullptr) return "(empty)";
  std::string text(reinterpret_cast<const char*>(record.data()), record.size());
  ring.pop();
  return text;
}

TEST(ByteRing, GivesRecordsBackInOrderAndWhole) {
  ByteRing ring{kCapacity};
  EXPECT_EQ(take(ring), "(empty)");
  ASSERT_TRUE(put(ring, "one"));
  ASSERT_TRUE(put(ring, ""));
  ASSERT_TRUE(put(ring, "three"));
  EXPECT_EQ(take(ring), "one");
  EXPECT_EQ(take(ring), "");
  EXPECT_EQ(take(ring), "three");
  EXPECT_EQ(take(ring), "(empty)");
}

TEST(ByteRing, RefusesWhatDoesNotFitAndKeepsWhatIsThere) {
  ByteRing ring{kCapacity};
  const std::string kilobyte(1020, 'x');  // 1024 with its header
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(put(ring, kilobyte)) << i;
  EXPECT_FALSE(put(ring, "y"));
  EXPECT_EQ(take(ring), kilobyte);
  EXPECT_TRUE(put(ring, "y"));
}

TEST(ByteRing, TakesTheLongestRecordFromAnyPositionOnceEmpty) {
  ByteRing ring{kCapacity};
  const std::string longest(ring.max_record(), 'x');
  for (int i = 0; i < 2000; ++i) {  // 8 bytes further each time, so every position comes up
    ASSERT_TRUE(put(ring, "1234")) << i;
    ASSERT_EQ(take(ring), "1234") << i;
    ASSERT_TRUE(put(ring, longest)) << i;
    ASSERT_EQ(take(ring), longest) << i;
  }
  EXPECT_EQ(ring.reserve(ring.max_record() + 1), nullptr);
}

TEST(ByteRing, RoomThatIsNotCommittedIsGivenBack) {
  ByteRing ring{kCapacity};
  ASSERT_NE(ring.reserve(1000), nullptr);
  ASSERT_TRUE(put(ring, "only"));
  EXPECT_EQ(take(ring), "only");
  EXPECT_EQ(take(ring), "(empty)");
}

TEST(ByteRing, ARecordMayTurnOutShorterThanItsReservation) {
  ByteRing ring{kCapacity};
  std::byte* room = ring.reserve(1000);
  ASSERT_NE(room, nullptr);
  std::memcpy(room, "ab", 2);
  ring.commit(2);
  EXPECT_EQ(ring.used(), 8U);  // header 4, payload 2, padding 2
  EXPECT_EQ(take(ring), "ab");
}

TEST(ByteRing, TwoThreadsSeeEveryRecordOnceAndInOrder) {
  ByteRing ring{kCapacity};
  constexpr int kRecords = 200'000;
  std::thread producer{[&ring] {
    for (int i = 0; i < kRecords;) {
      if (put(ring, std::string(static_cast<std::size_t>(i % 97), 'p') + std::to_string(i))) ++i;
    }
  }};
  int wrong = 0;
  for (int i = 0; i < kRecords;) {
    const std::string text = take(ring);
    if (text == "(empty)") continue;
    if (text != std::string(static_cast<std::size_t>(i % 97), 'p') + std::to_string(i)) ++wrong;
    ++i;
  }
  producer.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace gauge
