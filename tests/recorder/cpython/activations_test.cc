#include "recorder/cpython/activations.h"

#include <gtest/gtest.h>

#include <memory>
#include <ranges>
#include <vector>

namespace gauge::cpython {
namespace {

/// Stacks are written outermost first here: it is the root from which same frames are counted.
class ActivationsTest : public testing::Test {
 protected:
  struct Call {
    std::uintptr_t address;
    std::uint32_t code;
    std::uint64_t fingerprint = 0;
    enum { function, generator, coroutine } kind = function;
  };

  Continuity sample(const std::vector<Call>& calls, bool is_partial = false, bool is_truncated = false) {
    std::vector<Activation> stack;
    for (const Call& call : std::views::reverse(calls)) {
      stack.push_back({.address = call.address,
                       .fingerprint = call.fingerprint,
                       .code = call.code,
                       .generator = call.kind == Call::function ? 0 : call.address,
                       .is_coroutine = call.kind == Call::coroutine});
    }
    return history.advance(stack, is_partial, is_truncated);
  }
  static void expect(const Continuity& result, std::uint32_t same_frames, bool is_new_call) {
    EXPECT_EQ(result.same_frames, same_frames);
    EXPECT_EQ(result.is_new_call, is_new_call);
  }

  ActivationHistory<8> history;
};

TEST_F(ActivationsTest, FirstSampleContinuesNothing) { expect(sample({{1, 1}}), 0, false); }

TEST_F(ActivationsTest, AnUnchangedStackIsTheSame) {
  sample({{1, 1, 5}, {2, 2, 6}, {3, 3, 7}});
  expect(sample({{1, 1, 5}, {2, 2, 6}, {3, 3, 8}}), 3, false);  // the innermost frame runs, as it must
}

TEST_F(ActivationsTest, ACallerThatHasRunHasCalledAnew) {
  sample({{1, 1, 5}, {2, 2, 6}, {3, 3, 7}});
  expect(sample({{1, 1, 5}, {2, 2, 66}, {3, 3, 7}}), 2, true);
}

TEST_F(ActivationsTest, ARootThatHasRunLeavesOnlyItself) {
  sample({{1, 1, 5}, {2, 2, 6}, {3, 3, 7}});
  expect(sample({{1, 1, 55}, {2, 2, 6}, {3, 3, 7}}), 1, true);
}

TEST_F(ActivationsTest, AnotherFunctionOrAnotherPlaceIsANewCall) {
  sample({{1, 1, 5}, {2, 2, 6}});
  expect(sample({{1, 1, 5}, {2, 9, 6}}), 1, true);
  expect(sample({{1, 1, 5}, {4, 9, 6}}), 1, true);
}

TEST_F(ActivationsTest, AReturnIsNoCall) {
  sample({{1, 1, 5}, {2, 2, 6}, {3, 3, 7}});
  expect(sample({{1, 1, 5}, {2, 2, 60}}), 2, false);
}

TEST_F(ActivationsTest, ACalleeOfWhatWasInnermostIsANewCall) {
  sample({{1, 1, 5}, {2, 2, 6}});
  expect(sample({{1, 1, 5}, {2, 2, 61}, {3, 3, 7}}), 2, true);
}

TEST_F(ActivationsTest, WhatAppearsAboveAPartialStackMayHaveBeenThere) {
  sample({{1, 1, 5}, {2, 2, 6}}, true);
  expect(sample({{1, 1, 5}, {2, 2, 6}, {3, 3, 7}}), 2, false);
}

TEST_F(ActivationsTest, AResumedGeneratorIsNoNewCallButItsCalleeIs) {
  sample({{1, 1, 5}, {2, 2, 6, Call::generator}, {3, 3, 7}});
  expect(sample({{1, 1, 55}, {2, 2, 6, Call::generator}, {3, 3, 7}}), 2, true);
  expect(sample({{1, 1, 56}, {2, 2, 6, Call::generator}}), 2, false);
}

TEST_F(ActivationsTest, AnotherGeneratorMayHaveBeenSuspendedBefore) {
  sample({{1, 1, 5}, {2, 2, 6, Call::generator}});
  expect(sample({{1, 1, 55}, {8, 2, 6, Call::generator}}), 1, false);
}

TEST_F(ActivationsTest, AResumedCoroutineIsNoNewCall) {
  sample({{1, 1, 5}, {2, 2, 6, Call::coroutine}, {3, 3, 7, Call::coroutine}});
  expect(sample({{1, 1, 55}, {2, 2, 6, Call::coroutine}, {3, 3, 77, Call::coroutine}}), 3, false);
}

TEST_F(ActivationsTest, ACoroutineThatHasRunAwaitsAnotherOne) {
  sample({{2, 2, 6, Call::coroutine}, {3, 3, 7, Call::coroutine}});
  expect(sample({{2, 2, 66, Call::coroutine}, {3, 3, 7, Call::coroutine}}), 1, true);
  expect(sample({{2, 2, 66, Call::coroutine}, {4, 3, 7, Call::coroutine}}), 1, true);
}

TEST_F(ActivationsTest, OnlyTheOutermostFramesAreRememberedWhereThereAreMore) {
  const std::vector<Call> deep{{1, 1, 5}, {2, 2, 5}, {3, 3, 5}, {4, 4, 5}, {5, 5, 5},
                               {6, 6, 5}, {7, 7, 5}, {8, 8, 5}, {9, 9, 5}};
  sample(deep);
  expect(sample(deep), 8, false);  // the ninth may be the same or not
}

TEST_F(ActivationsTest, TruncatedStacksHaveNoRootToCountFrom) {
  sample({{1, 1, 5}, {2, 2, 6}}, false, true);
  expect(sample({{1, 1, 5}, {2, 2, 6}}), 0, false);
  expect(sample({{1, 1, 5}, {2, 2, 6}}, false, true), 0, false);
}

TEST_F(ActivationsTest, NothingContinuesAfterTheStackWasGone) {
  sample({{1, 1, 5}});
  history.forget();
  expect(sample({{1, 1, 5}}), 0, false);
}

}  // namespace
}  // namespace gauge::cpython
