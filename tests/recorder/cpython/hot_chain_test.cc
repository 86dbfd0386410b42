// Whether a stack can be put together of frames that were never on the stack at the same time: programs that move on
// while they are copied, at every place and from every state.
#include "recorder/cpython/hot_chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "recorder/cpython/stack_walker.h"
#include "tests/recorder/cpython/fake_interpreter.h"
#include "tests/recorder/cpython/pausing_reader.h"

namespace gauge::cpython {
namespace {

/// root calls a(), which calls a leaf, then b(), which calls another, at the same addresses; and so on. Each round
/// writes the same bytes.
class TwoChains {
 public:
  static constexpr std::size_t kSteps = 16;

  TwoChains() {
    for (const std::uintptr_t code : {0x10U, 0x20U, 0x30U}) thread_.push(code);
    thread_.push(kRoot);
    for (std::size_t i = 0; i < kSteps; ++i) step();  // from now on the remains of calls are there
  }

  void step() {
    const std::size_t step = next_++ % kSteps;
    const bool is_a = step < kSteps / 2;
    const std::uintptr_t function = is_a ? kA : kB;
    const std::uintptr_t leaf = is_a ? kLeafOfA : kLeafOfB;
    thread_.set_stamp(100 * step);
    switch (step % (kSteps / 2)) {
      case 0:
        return thread_.jump(kRoot + (is_a ? 1 : 2));
      case 1:
        return thread_.push(function);
      case 2:
        return thread_.jump(function + 1);
      case 3:
        return thread_.push(leaf);
      case 4:
        return thread_.jump(leaf + 1);
      case 6:
        return thread_.jump(function + 2);
      default:
        return thread_.pop();
    }
  }

  [[nodiscard]] ThreadState state() const { return thread_.state(); }
  /// Whether the stack can have been that of the program, whole or without its innermost frames.
  [[nodiscard]] static bool is_possible(const Walk& walk) {
    const std::size_t depth = walk.frames.size();
    if (depth < 4 || depth > 6) return depth < 4 && walk.is_partial;
    if (depth == 4) return true;
    const RawFrame& function = walk.frames[depth - 5];
    const bool is_a = walk.frames[depth - 4].instruction == kRoot + 1;
    if (function.executable != (is_a ? kA : kB)) return false;
    if (depth == 5) return true;
    return function.instruction == function.executable + 1 && walk.frames[0].executable == (is_a ? kLeafOfA : kLeafOfB);
  }

 private:
  static constexpr std::uintptr_t kRoot = 0x100, kA = 0xA00, kB = 0xB00, kLeafOfA = 0xA50, kLeafOfB = 0xB50;

  FakeThread thread_{0x1000, 1};
  std::size_t next_ = 0;
};

/// root calls a(), which calls itself, then b(), which does the same, to various depths.
class TwoRecursions {
 public:
  /// @param below  frames below root
  explicit TwoRecursions(std::size_t below) {
    for (std::size_t i = 0; i < below; ++i) thread_.push(kBelow);
    thread_.push(kRoot);
    jump_to_call();
  }

  void step() {
    if (is_falling_) {
      thread_.set_stamp(1000 * (kDepths[call_ / 2] - depth_));
      thread_.push(is_a() ? kA : kB);
      is_falling_ = ++depth_ < kDepths[call_ / 2];
      return;
    }
    thread_.pop();
    if (--depth_ > 0) return;
    call_ = (call_ + 1) % (2 * kDepths.size());
    jump_to_call();
    is_falling_ = true;
  }

  /// Goes on until the `call`th call of a round, counted from 0, is so deep.
  void go_to(std::size_t call, std::size_t depth) {
    do step();
    while (call_ != call || depth_ != depth);
  }

  [[nodiscard]] ThreadState state() const { return thread_.state(); }
  /// Whether the stack can have been that of the program, whole or without its innermost frames.
  [[nodiscard]] static bool is_possible(const Walk& walk) {
    const auto root = std::find_if(walk.frames.begin(), walk.frames.end(),
                                   [](const RawFrame& frame) { return frame.executable == kRoot; });
    if (root == walk.frames.end()) return true;
    const std::uintptr_t function = root->instruction == kRoot + 1 ? kA : kB;
    return std::all_of(walk.frames.begin(), root, [&](const RawFrame& frame) { return frame.executable == function; });
  }

 private:
  static constexpr std::uintptr_t kBelow = 0x100, kRoot = 0x200, kA = 0xA00, kB = 0xB00;
  static constexpr std::array<std::size_t, 4> kDepths = {1, 8, 2, 30};

  [[nodiscard]] bool is_a() const { return call_ % 2 == 0; }
  void jump_to_call() { thread_.jump(kRoot + (is_a() ? 1 : 2)); }

  FakeThread thread_{0x1000, 1};
  std::size_t call_ = 0, depth_ = 0;
  bool is_falling_ = true;
};

/// root runs a generator, a(), then another, b(), each where it lay the last time; and so on. Generators do not lie on
/// the data stack, so they and their caller are copied apart from each other.
class TwoGenerators {
 public:
  TwoGenerators() {
    for (const std::uintptr_t code : {0x10U, 0x20U, 0x30U}) thread_.push(code);
    thread_.push(kRoot);
    for (std::size_t i = 0; i < kSteps; ++i) step();
  }

  void step() {
    const std::size_t step = next_++ % kSteps;
    const bool is_a = step < kSteps / 2;
    const std::uintptr_t generator = is_a ? kA : kB;
    thread_.set_stamp(100 * step);
    switch (step % (kSteps / 2)) {
      case 0:
        return thread_.jump(kRoot + (is_a ? 1 : 2));
      case 1:
        return thread_.push(generator, kGenerator);
      case 2:
        return thread_.jump(generator + 1);
      default:
        return thread_.pop();
    }
  }

  [[nodiscard]] ThreadState state() const { return thread_.state(); }
  /// Whether the stack can have been that of the program, whole or without its innermost frame.
  [[nodiscard]] static bool is_possible(const Walk& walk) {
    const std::size_t depth = walk.frames.size();
    if (walk.result == Walk::Result::failed) return true;
    if (depth < 5) return depth == 4 || walk.is_partial;
    return depth == 5 && walk.frames[0].executable == (walk.frames[1].instruction == kRoot + 1 ? kA : kB);
  }

 private:
  static constexpr std::size_t kSteps = 8;
  static constexpr std::uint8_t kGenerator = 1;
  static constexpr std::uintptr_t kRoot = 0x100, kA = 0xA00, kB = 0xB00;

  FakeThread thread_{0x1000, 1};
  std::size_t next_ = 0;
};

/// Walks the program's stack while it moves on by so many steps before each of the pieces.
struct Move {
  std::size_t piece, steps;
};

class HotChainTest : public testing::Test {
 protected:
  Walk walk_while(std::size_t phase, std::span<const Move> moves) {
    while (next_ % TwoChains::kSteps != phase) step();
    reader_.before_piece = [](std::size_t) {};
    walker_->walk(program_.state(), {}, *guess_);  // so that the first copy of the next has all
    const ThreadState state = program_.state();
    reader_.pieces = 0;
    reader_.before_piece = [&](std::size_t piece) {
      for (const Move& move : moves) {
        for (std::size_t i = 0; piece == move.piece && i < move.steps; ++i) step();
      }
    };
    return walker_->walk(state, {}, *guess_);
  }
  std::size_t pieces_of_a_copy() {
    walk_while(0, {});
    return reader_.pieces;
  }

 private:
  void step() {
    program_.step();
    ++next_;
  }

  TwoChains program_;
  std::size_t next_ = 0;
  PausingReader reader_;
  std::unique_ptr<StackWalker> walker_ = std::make_unique<StackWalker>(reader_, kFakeLayout);
  std::unique_ptr<StackGuess> guess_ = std::make_unique<StackGuess>();
};

TEST_F(HotChainTest, NoTwoMovesDuringACopyMakeAStackThatNeverWas) {
  const std::size_t pieces = pieces_of_a_copy();
  ASSERT_GT(pieces, 10u);
  std::mt19937 random(20261124);
  std::size_t impossible = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::size_t one = 1 + random() % (pieces - 2);
    const std::size_t two = one + 1 + random() % (pieces - one - 1);
    const std::size_t steps = 1 + random() % TwoChains::kSteps;
    // The second move completes the round, so that the program is back where it was, or nearly so.
    const Move moves[] = {{one, steps}, {two, TwoChains::kSteps - steps + random() % 3}};
    impossible += TwoChains::is_possible(walk_while(random() % TwoChains::kSteps, moves)) ? 0 : 1;
  }
  EXPECT_EQ(impossible, 0u);
}

TEST_F(HotChainTest, MovesAllThroughACopyMakeNoStackThatNeverWas) {
  const std::size_t pieces = pieces_of_a_copy();
  std::mt19937 random(20261125);
  std::size_t impossible = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::vector<Move> moves(3 + random() % 8);
    for (Move& move : moves) move = {1 + random() % (3 * pieces), 1 + random() % 20};
    impossible += TwoChains::is_possible(walk_while(random() % TwoChains::kSteps, moves)) ? 0 : 1;
  }
  EXPECT_EQ(impossible, 0u);
}

/// Generators do not lie on the data stack: the program has time between the copies of one and of its caller.
TEST(HotChain, NoGeneratorIsTakenForAnotherOfItsCaller) {
  // Steps of the program for a hundred pieces: at some speeds it is back where it was from one copy to the next.
  for (const unsigned percent : {50U, 60U, 70U, 80U, 90U}) {
    TwoGenerators program;
    PausingReader reader;
    StackWalker walker(reader, kFakeLayout);
    const auto guess = std::make_unique<StackGuess>();
    std::mt19937 random(20261127);
    reader.before_piece = [&](std::size_t) {
      for (auto steps = (percent + random() % 100) / 100; steps > 0; --steps) program.step();
    };
    std::size_t impossible = 0;
    for (int i = 0; i < 20'000; ++i) {
      const Walk walk = walker.walk(program.state(), {}, *guess);
      impossible += TwoGenerators::is_possible(walk) ? 0 : 1;
      for (std::size_t steps = random() % 100; steps > 0; --steps) program.step();
    }
    EXPECT_EQ(impossible, 0u) << percent;
  }
}

/// A program as fast as any: a call or a return in the time in which 128 bytes are copied, one time in two.
std::size_t impossible_of_recursions(std::size_t frames_below, int walks) {
  TwoRecursions program(frames_below);
  PausingReader reader;
  StackWalker walker(reader, kFakeLayout);
  const auto guess = std::make_unique<StackGuess>();
  std::mt19937 random(20261126);
  reader.before_piece = [&](std::size_t) {
    if (random() % 2 == 0) program.step();
  };
  std::size_t impossible = 0;
  for (int i = 0; i < walks; ++i) {
    impossible += TwoRecursions::is_possible(walker.walk(program.state(), {}, *guess)) ? 0 : 1;
    for (std::size_t steps = random() % 100; steps > 0; --steps) program.step();
  }
  return impossible;
}

/// The sampler stands still on the way through a copy, for less time than it would notice, until the program is about
/// to come back to the frames copied before. What lies below these must be copied from before or from after that.
TEST(HotChain, ACallIsNotTakenForTheNextOne) {
  constexpr std::size_t kFirstOfB = 1, kSecondOfA = 2, kThirdOfA = 4, kLastOfA = 6;  // calls of a round
  TwoRecursions program(40);
  PausingReader reader;
  reader.piece_bytes = 32;
  StackWalker walker(reader, kFakeLayout);
  const auto guess = std::make_unique<StackGuess>();
  const auto walk_with_pause = [&](std::size_t pause, std::size_t comes_back) {
    reader.before_piece = [](std::size_t) {};
    program.go_to(kThirdOfA, 1);
    walker.walk(program.state(), {}, *guess);
    program.go_to(kLastOfA, 24);  // after that the hot frames end right above root
    walker.walk(program.state(), {}, *guess);
    program.go_to(kLastOfA, 16);
    const ThreadState state = program.state();
    program.go_to(kSecondOfA, 8);
    reader.pieces = 0;
    reader.before_piece = [&](std::size_t piece) {
      if (piece == pause) program.go_to(kFirstOfB, 1);
      for (std::size_t steps = piece == comes_back ? 3 : 0; steps > 0; --steps) program.step();
    };
    return walker.walk(state, {}, *guess);
  };
  constexpr auto kNever = std::numeric_limits<std::size_t>::max();
  EXPECT_FALSE(walk_with_pause(kNever, kNever).is_partial);
  const std::size_t pieces = reader.pieces;
  for (std::size_t pause = 1; pause < pieces; ++pause) {
    for (std::size_t comes_back = pause + 1; comes_back < pause + 8; ++comes_back) {
      EXPECT_TRUE(TwoRecursions::is_possible(walk_with_pause(pause, comes_back))) << pause << ", " << comes_back;
    }
  }
}

TEST(HotChain, RecursionsThatComeAndGoAreNotMixed) { EXPECT_EQ(impossible_of_recursions(40, 5'000), 0u); }

TEST(HotChain, RecursionsAcrossTheEndOfAChunkAreNotMixed) {
  constexpr std::size_t kFrames = FakeThread::kChunkBytes / FakeThread::kFrameBytes;
  for (std::size_t above = 1; above < 10; above += 2) {
    EXPECT_EQ(impossible_of_recursions(kFrames - above, 2'000), 0u) << above << " frames before the end";
  }
}

}  // namespace
}  // namespace gauge::cpython
