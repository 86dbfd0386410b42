// The walkers on a memory that lies: any read may fail or bring garbage.
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "recorder/cpython/frame_object_walker.h"
#include "recorder/cpython/stack_walker.h"
#include "tests/recorder/cpython/fake_frame_objects.h"
#include "tests/recorder/cpython/fake_interpreter.h"
#include "tests/recorder/cpython/unreliable_reader.h"

namespace gauge::cpython {
namespace {

constexpr std::uint8_t kGenerator = 1;

TEST(StackWalkerFuzz, SurvivesEveryLie) {
  UnreliableReader reader(1);
  const auto walker = std::make_unique<StackWalker>(reader, kFakeLayout);
  const auto guess = std::make_unique<StackGuess>();
  FakeThread thread(0x1000, 1);
  reader.may_lie = true;
  std::mt19937 random(2);
  std::size_t depth = 0;
  for (int i = 0; i < 20000; ++i) {
    if (depth > 0 && (random() % 2 == 0 || depth > 400)) {
      thread.pop();
      --depth;
    } else {
      thread.push(0x100 * (1 + random() % 9), random() % 8 == 0 ? kGenerator : std::uint8_t{0});
      ++depth;
    }
    EXPECT_LE(walker->walk(thread.state(), {thread.address(), 0}, *guess).frames.size(), StackWalker::kMaxDepth);
  }
}

TEST(FrameObjectWalkerFuzz, SurvivesEveryLie) {
  UnreliableReader reader(3);
  const auto walker = std::make_unique<FrameObjectWalker>(reader, kFakeObjectLayout);
  const auto guess = std::make_unique<StackGuess>();
  FakeObjectThread thread;
  reader.may_lie = true;
  std::mt19937 random(4);
  std::size_t depth = 0;
  for (int i = 0; i < 20000; ++i) {
    if (depth > 0 && (random() % 2 == 0 || depth > 400)) {
      thread.pop();
      --depth;
    } else {
      thread.push(0x100 * (1 + random() % 9));
      ++depth;
    }
    EXPECT_LE(walker->walk(thread.state(), {}, *guess).frames.size(), Walk::kMaxDepth);
    ASSERT_LE(guess->object_begin, guess->object_count);
  }
}

}  // namespace
}  // namespace gauge::cpython
