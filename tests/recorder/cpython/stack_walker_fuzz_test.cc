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
constexpr int kWalks = 20000;
constexpr std::size_t kMaxCalls = 400;

/// A program that calls and returns at random. `call(code)` makes a call.
template <typename Thread, typename Call>
class RandomProgram {
 public:
  RandomProgram(unsigned seed, Thread& thread, Call call) : random_(seed), thread_(thread), call_(call) {}

  void step() {
    if (depth_ > 0 && (random_() % 2 == 0 || depth_ > kMaxCalls)) {
      thread_.pop();
      --depth_;
    } else {
      call_(0x100 * (1 + random_() % 9));
      ++depth_;
    }
  }

 private:
  std::mt19937 random_;
  Thread& thread_;
  Call call_;
  std::size_t depth_ = 0;
};

TEST(StackWalkerFuzz, SurvivesEveryLie) {
  UnreliableReader reader(1);
  const auto walker = std::make_unique<StackWalker>(reader, kFakeLayout);
  const auto guess = std::make_unique<StackGuess>();
  FakeThread thread(0x1000, 1);
  reader.may_lie = true;
  RandomProgram program{2, thread, [&thread, calls = 0](std::uintptr_t code) mutable {
                          thread.push(code, ++calls % 8 == 0 ? kGenerator : std::uint8_t{0});
                        }};
  for (int i = 0; i < kWalks; ++i) {
    program.step();
    EXPECT_LE(walker->walk(thread.state(), {thread.address(), 0}, *guess).frames.size(), StackWalker::kMaxDepth);
  }
}

TEST(FrameObjectWalkerFuzz, SurvivesEveryLie) {
  UnreliableReader reader(3);
  const auto walker = std::make_unique<FrameObjectWalker>(reader, kFakeObjectLayout);
  const auto guess = std::make_unique<StackGuess>();
  FakeObjectThread thread;
  reader.may_lie = true;
  RandomProgram program{4, thread, [&thread](std::uintptr_t code) { thread.push(code); }};
  for (int i = 0; i < kWalks; ++i) {
    program.step();
    EXPECT_LE(walker->walk(thread.state(), {}, *guess).frames.size(), Walk::kMaxDepth);
    ASSERT_LE(guess->object_begin, guess->object_count);
  }
}

}  // namespace
}  // namespace gauge::cpython
