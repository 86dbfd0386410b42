#include "recorder/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "formats/gpf/records.h"
#include "tests/recorder/scripted_source.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// Time that passes only when somebody waits or works. Waking is exact unless `lateness` says otherwise.
class FakeClock final : public Clock {
 public:
  nanoseconds now() noexcept override { return time; }
  nanoseconds thread_cpu() noexcept override { return cpu; }
  void wait_until(Doorbell&, std::uint32_t, nanoseconds deadline) noexcept override {
    if (on_wait && on_wait(deadline)) return;
    time = std::max(time, deadline) + lateness;
  }

  nanoseconds time = 1'000s;
  nanoseconds cpu = 0ns;
  nanoseconds lateness = 0ns;
  std::function<bool(nanoseconds)> on_wait;  // returns true if it was woken by the bell
};

/// A sampler on a fake clock, looking at a source that notes when it is looked at.
class SamplerTest : public ::testing::Test {
 protected:
  SamplerTest() { control_.resume(kStart); }

  SamplerEnd run(std::uint64_t ticks) {
    source_.on_look = [this, ticks, user = source_.on_look](StackVisitor& visitor) {
      looks_.push_back(clock_.time);
      if (user) user(visitor);
      if (looks_.size() == ticks) control_.stop();
    };
    Sampler sampler{{source_, ring_, bell_, control_, progress_, clock_}, options_};
    return sampler.run();
  }

  static constexpr nanoseconds kStart = 1'000s;
  SamplerOptions options_{1ms, 0ns, 42};
  FakeClock clock_;
  ScriptedSource source_;
  ByteRing ring_{std::size_t{1} << 20};  // room for all samples of a test
  Doorbell bell_;
  SamplerControl control_;
  SamplerProgress progress_;
  std::vector<nanoseconds> looks_;
};

TEST_F(SamplerTest, AMillionTicksStayNearTheGridAndApart) {
  clock_.lateness = 20us;
  EXPECT_EQ(run(1'000'000), SamplerEnd::stopped);
  ASSERT_EQ(looks_.size(), 1'000'000U);
  nanoseconds farthest = 0ns;
  nanoseconds shortest = 1ms;
  for (std::size_t i = 0; i < looks_.size(); ++i) {
    const nanoseconds grid = kStart + static_cast<std::int64_t>(i + 1) * 1ms;
    farthest = std::max(farthest, std::chrono::abs(looks_[i] - 20us - grid));
    if (i > 0) shortest = std::min(shortest, looks_[i] - looks_[i - 1]);
  }
  EXPECT_LT(farthest, 5ms);  // six standard deviations
  EXPECT_GT(shortest, 200us);
  EXPECT_EQ(progress_.missed_ticks, 0U);
  EXPECT_EQ(progress_.ticks, 1'000'000U);
}

/// Where in a period that begins with the sampling each look was, as a fraction of the period.
std::vector<double> phases_of(const std::vector<nanoseconds>& looks, nanoseconds start, nanoseconds period) {
  std::vector<double> phases;
  for (const nanoseconds look : looks)
    phases.push_back(static_cast<double>(((look - start) % period).count()) / static_cast<double>(period.count()));
  return phases;
}

TEST_F(SamplerTest, EveryPointOfAPeriodIsMetWithEqualChanceEachTimeAnew) {
  constexpr int kBins = 20;
  constexpr int kTicks = 200'000;
  clock_.lateness = 100us;  // no step is so short that a late wake would take the next one with it
  run(kTicks);
  for (const nanoseconds period : {nanoseconds{1ms}, nanoseconds{500us}, nanoseconds{200us}}) {
    std::vector<int> bins(kBins);
    double sum_of_products = 0;
    double before = 0.5;
    for (const double phase : phases_of(looks_, kStart, period)) {
      ++bins[static_cast<std::size_t>(std::min(phase * kBins, kBins - 1.0))];
      sum_of_products += (phase - 0.5) * (before - 0.5);
      before = phase;
    }
    double chi_squared = 0;
    const double expected = double{kTicks} / kBins;
    for (const int count : bins) chi_squared += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi_squared, 43.82) << period.count();  // 19 degrees of freedom, p = 0.001
    // Neighbours are independent: variance of a uniform is 1/12, so the correlation has deviation 1/sqrt(n).
    EXPECT_LT(std::abs(sum_of_products / kTicks * 12), 4 / std::sqrt(double{kTicks})) << period.count();
  }
}

TEST_F(SamplerTest, SlotsThatPassDuringALongLookAreSkippedAndCounted) {
  source_.on_look = [this](StackVisitor&) {
    if (looks_.size() == 3) clock_.time = looks_.back() + 7'200us;
  };
  run(5);
  EXPECT_EQ(progress_.missed_ticks, 6U);
  EXPECT_EQ(progress_.ticks, 5U);
  EXPECT_GE(looks_[3], looks_[2] + 7'200us);
  EXPECT_LT(looks_[3], looks_[2] + 7'200us + 1ms);
  EXPECT_LT(looks_[4], kStart + 14ms);  // near the old grid
}

TEST_F(SamplerTest, AWakeThatComesSlotsTooLateSkipsThem) {
  source_.on_look = [this](StackVisitor& visitor) { ScriptedSource::show_sample(visitor, 1, clock_.time, {{1, 0}}); };
  clock_.on_wait = [this](nanoseconds deadline) {
    if (looks_.size() == 2 && deadline < kStart + 10ms) clock_.time = kStart + 10ms;  // wanted in slot 3
    return clock_.time >= deadline;
  };
  run(4);
  // Woken at 10 ms, as if that were what it was to be woken for.
  EXPECT_EQ(looks_[2], kStart + 10ms);
  EXPECT_NEAR(static_cast<double>(progress_.missed_ticks), static_cast<double>((looks_[2] - looks_[1]) / 1ms - 1), 1);
  EXPECT_LT(looks_[3], kStart + 11ms + 500us);
  EXPECT_EQ(statuses_of(ring_), (std::vector<std::uint32_t>{gpf::kAfterGap, 0, gpf::kAfterGap, 0}));
}

TEST_F(SamplerTest, WhatSamplesStandForAndWhatWasMissedAddUpToTheTimePassed) {
  source_.on_look = [this, looks = 0](StackVisitor& visitor) mutable {
    ScriptedSource::show_sample(visitor, 1, clock_.time, {{1, 0}});
    if (++looks % 5 == 0) clock_.time += std::chrono::microseconds{looks % 1'501};
  };
  // A busy machine: most wakes are on time, every third comes 0 to 4 ms late, and every fifth look lasts up to 1.5 ms.
  clock_.on_wait = [this, wakes = 0](nanoseconds) mutable {
    clock_.lateness = ++wakes % 3 == 0 ? std::chrono::microseconds{wakes * 7 % 4'001} : 0us;
    return false;
  };
  run(10'000);
  const std::vector<std::uint32_t> statuses = statuses_of(ring_);
  nanoseconds stood_for = 0ns;
  for (std::size_t i = 0; i < looks_.size(); ++i) {
    const nanoseconds since = i == 0 ? nanoseconds{1ms} : looks_[i] - looks_[i - 1];
    stood_for += (statuses.at(i) & gpf::kAfterGap) != 0 ? std::min<nanoseconds>(since, 1ms) : since;
  }
  const nanoseconds elapsed = looks_.back() - kStart;
  EXPECT_GT(progress_.missed_ticks, 1'000U);
  const nanoseconds missed = static_cast<std::int64_t>(progress_.missed_ticks) * 1ms;
  const auto in_ms = [](nanoseconds time) { return static_cast<double>(time.count()) / 1e6; };
  EXPECT_NEAR(in_ms(stood_for + missed), in_ms(elapsed), 3);  // the first and the last tick
}

TEST_F(SamplerTest, ALittleLatenessMissesNothing) {
  options_.interval = 100us;
  clock_.lateness = 70us;  // what a loaded machine takes to wake a thread
  run(10'000);
  EXPECT_EQ(progress_.missed_ticks, 0U);  // never a whole slot late, as 70 < 100
  EXPECT_LT(looks_.back(), kStart + 10'005 * 100us);
}

TEST_F(SamplerTest, TheSampleAfterMissedSlotsIsMarkedAsAfterAGap) {
  source_.on_look = [this](StackVisitor& visitor) {
    ScriptedSource::show_sample(visitor, 1, clock_.time, {{1, 0}});
    if (looks_.size() == 2) clock_.time += 5ms;
  };
  run(4);
  EXPECT_EQ(statuses_of(ring_), (std::vector<std::uint32_t>{gpf::kAfterGap, 0, gpf::kAfterGap, 0}));
}

TEST_F(SamplerTest, PauseStopsLookingAndLeavesAMarkedGap) {
  source_.on_look = [this](StackVisitor& visitor) {
    ScriptedSource::show_sample(visitor, 1, clock_.time, {{1, 0}});
    if (looks_.size() == 2) control_.pause(clock_.time);
  };
  clock_.on_wait = [this](nanoseconds deadline) {
    if (!control_.is_paused()) return false;
    EXPECT_EQ(deadline, nanoseconds::max());  // it sleeps, it does not poll
    clock_.time += 3s;
    control_.resume(clock_.time);
    return true;
  };
  run(4);
  ASSERT_EQ(looks_.size(), 4U);
  EXPECT_GE(looks_[2] - looks_[1], 3s + 500us);
  EXPECT_EQ(progress_.missed_ticks, 0U);  // nobody asked for those
  EXPECT_EQ(statuses_of(ring_), (std::vector<std::uint32_t>{gpf::kAfterGap, 0, gpf::kAfterGap, 0}));
}

TEST_F(SamplerTest, WhatPassesBeforeTheFirstTickIsMissed) {
  clock_.time = kStart + 50ms;  // when the sampler got its first core
  run(1);
  EXPECT_EQ(looks_[0], kStart + 50ms);
  EXPECT_EQ(progress_.missed_ticks, 49U);
}

TEST_F(SamplerTest, AllIsMissedWhereItGetsACoreOnlyOnceItIsToldToStop) {
  clock_.time = kStart + 50ms;
  control_.stop();
  EXPECT_EQ(run(1), SamplerEnd::stopped);
  EXPECT_TRUE(looks_.empty());
  EXPECT_EQ(progress_.missed_ticks, 49U);
}

TEST_F(SamplerTest, WhatPassesAfterTheLastTickIsMissed) {
  clock_.on_wait = [this](nanoseconds) {
    if (looks_.size() < 3) return false;
    clock_.time = looks_.back() + 50ms;  // no core for that long, and told to stop meanwhile
    control_.stop();
    return true;
  };
  run(1'000);
  EXPECT_EQ(looks_.size(), 3U);
  EXPECT_EQ(progress_.missed_ticks, 49U);
}

TEST_F(SamplerTest, AtAPauseOnlyWhatPassedBeforeItIsMissed) {
  clock_.on_wait = [this](nanoseconds) {
    if (looks_.size() < 3 || control_.is_paused()) return false;
    clock_.time = looks_.back() + 20ms;
    control_.pause(clock_.time);
    clock_.time += 30ms;  // before it notices
    control_.stop();
    return true;
  };
  run(1'000);
  EXPECT_EQ(progress_.missed_ticks, 19U);
}

/// What the samples of each thread in the queue stand for together, by the rule of the file format.
class StoodFor final : public QueueVisitor {
 public:
  explicit StoodFor(nanoseconds interval) : interval_(interval) {}
  void on_code(const CodeSight&) override {}
  void on_thread(const ThreadSight&) override {}
  void on_task(const TaskSight&) override {}
  void on_interval(nanoseconds interval) override { intervals.push_back(interval_ = interval); }
  void on_sample(const QueuedSample& sample) override {
    const nanoseconds since = sample.time - std::exchange(last_[sample.thread], sample.time);
    totals[sample.thread] += (sample.status & gpf::kAfterGap) != 0 ? std::min(interval_, since) : since;
  }
  std::map<std::uint32_t, nanoseconds> totals;
  std::vector<nanoseconds> intervals;

 private:
  nanoseconds interval_;
  std::map<std::uint32_t, nanoseconds> last_;
};

/// Looks at two threads, between which so much time passes as `delay` says of each look.
class HeldUpSamplerTest : public SamplerTest {
 protected:
  void run_delayed(std::uint64_t ticks, const std::function<nanoseconds(std::uint64_t)>& delay) {
    source_.on_look = [this, delay, looks = std::uint64_t{0}](StackVisitor& visitor) mutable {
      ScriptedSource::show_sample(visitor, 1, clock_.time, {{1, 0}});
      clock_.time += delay(++looks);
      ScriptedSource::show_sample(visitor, 2, clock_.time, {{1, 0}});
      end_ = clock_.time;
    };
    run(ticks);
  }
  /// Of the time that passed, what each thread's samples stand for, and what was missed.
  void expect_all_time_counted() {
    StoodFor stood_for{options_.interval};
    SampleConsumer consumer{ring_};
    while (consumer.take(stood_for)) {
    }
    ASSERT_EQ(stood_for.totals.size(), 2U);
    const nanoseconds missed = static_cast<std::int64_t>(progress_.missed_ticks) * options_.interval;
    for (const auto& [thread, total] : stood_for.totals) {
      EXPECT_NEAR(static_cast<double>((total + missed).count()) / static_cast<double>((end_ - kStart).count()), 1, 0.01)
          << thread;
    }
  }

  nanoseconds end_{};
};

TEST_F(HeldUpSamplerTest, WhatPassesInTheMiddleOfALookIsMissedByAllThreads) {
  run_delayed(5'000, [](std::uint64_t look) {  // every seventh time its core is taken
    return look % 7 == 0 ? std::chrono::microseconds{100 + look * 37 % 40'000} : 0us;
  });
  EXPECT_GT(progress_.missed_ticks, 5'000U);
  expect_all_time_counted();
}

TEST_F(HeldUpSamplerTest, LooksThatAlwaysTakeLongFollowOneAfterTheOther) {
  run_delayed(5'000, [](std::uint64_t) { return 2500us; });
  EXPECT_LT(end_ - kStart, 5'000 * 3ms);
  expect_all_time_counted();
}

class SamplerBudgetTest : public SamplerTest {
 protected:
  /// Each look uses `cost()` of CPU time, and as much of the clock's.
  void run_costing(const std::function<nanoseconds()>& cost, std::uint64_t ticks) {
    source_.on_look = [this, cost](StackVisitor& visitor) {
      ScriptedSource::show_sample(visitor, 1, clock_.time, {{1, 0}});
      clock_.cpu += cost();
      clock_.time += cost();
    };
    run(ticks);
    SampleConsumer consumer{ring_};
    while (consumer.take(seen_)) {
    }
  }
  [[nodiscard]] double share_used() const {
    return static_cast<double>(clock_.cpu.count()) / static_cast<double>((clock_.time - kStart).count());
  }

  StoodFor seen_{1ms};
};

TEST_F(SamplerBudgetTest, WithoutABudgetTheIntervalStaysWhatWasAskedFor) {
  run_costing([] { return 100us; }, 1'000);
  EXPECT_TRUE(seen_.intervals.empty());
  EXPECT_NEAR(share_used(), 0.1, 0.001);
}

TEST_F(SamplerBudgetTest, ABudgetThatSufficesChangesNothing) {
  options_.max_overhead = 0.2;
  run_costing([] { return 100us; }, 1'000);
  EXPECT_TRUE(seen_.intervals.empty());
}

TEST_F(SamplerBudgetTest, TheIntervalGrowsUntilTheBudgetIsKept) {
  options_.max_overhead = 0.01;
  run_costing([] { return 100us; }, 10'000);
  EXPECT_NEAR(share_used(), 0.01, 0.001);
  EXPECT_EQ(seen_.intervals, (std::vector<nanoseconds>{5ms, 10ms}));  // guessed; 100 us are 1 % of it
  EXPECT_EQ(progress_.missed_ticks, 0U);
}

TEST_F(SamplerBudgetTest, WhatTheWriterUsesCountsToo) {
  options_.max_overhead = 0.01;
  const auto look = [this] {
    progress_.writer_cpu_ns += 300'000;  // asked for twice a look
    return 100us;
  };
  run_costing(look, 1'000);
  EXPECT_EQ(seen_.intervals.back(), 70ms);
}

TEST_F(SamplerBudgetTest, TheIntervalShrinksAgainToWhatWasAskedFor) {
  options_.max_overhead = 0.01;
  run_costing([this] { return looks_.size() < 500 ? 100us : 1us; }, 3'000);
  EXPECT_NE(std::ranges::find(seen_.intervals, nanoseconds{10ms}), seen_.intervals.end());
  EXPECT_EQ(seen_.intervals.back(), 1ms);
}

TEST_F(SamplerBudgetTest, ADearStartDoesNotCount) {
  options_.max_overhead = 0.01;
  run_costing([this] { return looks_.size() == 1 ? 20ms : 10us; }, 500);
  EXPECT_EQ(seen_.intervals, (std::vector<nanoseconds>{5ms, 1ms}));
}

TEST_F(SamplerBudgetTest, HoweverDearTheLooksThereIsOneASecond) {
  options_.max_overhead = 0.001;
  run_costing([] { return 50ms; }, 20);
  EXPECT_EQ(seen_.intervals.back(), 1s);
}

TEST_F(SamplerBudgetTest, SamplesStandForAllTheTimeWhateverTheInterval) {
  options_.max_overhead = 0.01;
  // Dear and cheap by turns, a few seconds each: the rate goes to and fro.
  run_costing([this] { return (clock_.time - kStart) / 5s % 2 == 0 ? 100us : 10us; }, 20'000);
  EXPECT_GT(seen_.intervals.size(), 10U);
  EXPECT_EQ(progress_.missed_ticks, 0U);
  const auto in_ms = [](nanoseconds time) { return static_cast<double>(time.count()) / 1e6; };
  EXPECT_NEAR(in_ms(seen_.totals.at(1)), in_ms(looks_.back() - kStart), 10);  // the first sample stands for an interval
}

TEST_F(SamplerTest, StopWakesASleepingSampler) {
  options_.interval = 3600s;
  int waits = 0;
  clock_.on_wait = [&](nanoseconds) {
    ++waits;
    control_.stop();
    return true;
  };
  EXPECT_EQ(run(1), SamplerEnd::stopped);
  EXPECT_EQ(waits, 1);
  EXPECT_TRUE(looks_.empty());
}

TEST_F(SamplerTest, StopWakesAPausedSampler) {
  control_.pause(clock_.time);
  clock_.on_wait = [&](nanoseconds) {
    control_.stop();
    return true;
  };
  EXPECT_EQ(run(1), SamplerEnd::stopped);
  EXPECT_TRUE(looks_.empty());
}

TEST_F(SamplerTest, EndsByItselfWhenTheDurationIsOver) {
  options_.duration = 100ms;
  EXPECT_EQ(run(1'000'000), SamplerEnd::duration_over);
  EXPECT_NEAR(static_cast<double>(looks_.size()), 100, 5);
  EXPECT_EQ(clock_.time, kStart + 100ms);
}

TEST_F(SamplerTest, LooksNoMoreOnceTheInterpreterEnds) {
  source_.on_look = [this](StackVisitor&) { source_.is_ending = looks_.size() == 3; };
  EXPECT_EQ(run(1'000'000), SamplerEnd::interpreter_ended);
  EXPECT_EQ(looks_.size(), 3U);
}

TEST_F(SamplerTest, ReportsItsOwnCpuTimeAndTheSourcesCounters) {
  clock_.cpu = 7ms;
  source_.totals = {
      .failed_reads = 1, .retried_reads = 2, .partial_stacks = 3, .truncated_stacks = 4, .unknown_names = 5};
  run(1);
  EXPECT_EQ(progress_.cpu_ns, 7'000'000U);
  EXPECT_EQ(progress_.failed_reads, 1U);
  EXPECT_EQ(progress_.retried_reads, 2U);
  EXPECT_EQ(progress_.unknown_names, 5U);
}

TEST_F(SamplerTest, RingsForTheReaderOnceWhenTheQueueFills) {
  std::vector<SampledFrame> deep(2000, SampledFrame{70'000, 70'000});
  source_.on_look = [&](StackVisitor& visitor) {
    for (auto& frame : deep) ++frame.instruction;
    ScriptedSource::show_sample(visitor, 1, clock_.time, deep);
  };
  run(30);  // 12 kB each: a quarter of the megabyte is reached at the 22nd
  EXPECT_EQ(bell_.rings(), 1U);
}

}  // namespace
}  // namespace gauge
