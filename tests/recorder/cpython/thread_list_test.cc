#include "recorder/cpython/thread_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/recorder/cpython/fake_interpreter.h"
#include "tests/recorder/cpython/unreliable_reader.h"

namespace gauge::cpython {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// A runtime with interpreters and threads, linked as the interpreter does it: newest first.
class FakeRuntime {
 public:
  FakeRuntime() { add_interpreter(); }
  std::uintptr_t address() const { return runtime_.address(); }
  void add_interpreter() {
    Memory& memory = interpreters_.emplace_back(64);
    memory.set(kFakeLayout.interpreter.next, runtime_.get(kFakeLayout.runtime.interpreters_head));
    memory.set(kFakeLayout.interpreter.id, next_interpreter_++);
    runtime_.set(kFakeLayout.runtime.interpreters_head, memory.address());
  }
  FakeThread& add_thread(std::size_t interpreter = 0) {
    Memory& memory = interpreters_[interpreter];
    FakeThread& thread = *threads_.emplace_back(std::make_unique<FakeThread>(memory.address(), next_thread_++));
    link(thread, interpreter);
    return thread;
  }
  void link(FakeThread& thread, std::size_t interpreter = 0) {
    Memory& memory = interpreters_[interpreter];
    thread.state_memory().set(kFakeLayout.thread.next, memory.get(kFakeLayout.interpreter.threads_head));
    memory.set(kFakeLayout.interpreter.threads_head, thread.address());
  }
  void remove(FakeThread& gone) {
    for (Memory& interpreter : interpreters_) {
      const std::uint64_t next = gone.state_memory().get(kFakeLayout.thread.next);
      if (interpreter.get(kFakeLayout.interpreter.threads_head) == gone.address()) {
        interpreter.set(kFakeLayout.interpreter.threads_head, next);
      }
      for (auto& thread : threads_) {
        Memory& state = thread->state_memory();
        if (state.get(kFakeLayout.thread.next) == gone.address()) state.set(kFakeLayout.thread.next, next);
      }
    }
  }
  Memory& interpreter(std::size_t index) { return interpreters_[index]; }
  Memory& runtime() { return runtime_; }

 private:
  Memory runtime_{64};
  std::deque<Memory> interpreters_;
  std::vector<std::unique_ptr<FakeThread>> threads_;
  std::uint64_t next_interpreter_ = 0;
  std::uint64_t next_thread_ = 1;
};

class ThreadListTest : public testing::Test {
 protected:
  /// The unique ids of the live threads.
  std::vector<std::uint64_t> refresh() {
    list->refresh();
    std::vector<std::uint64_t> ids;
    for (const std::uint16_t index : list->live()) ids.push_back(list->record(index).state.unique_id);
    return ids;
  }

  FakeRuntime runtime;
  InterruptedReader reader;
  std::unique_ptr<ThreadList> list = std::make_unique<ThreadList>(reader, kFakeLayout, runtime.address());
};

TEST_F(ThreadListTest, FindsEveryThreadOfEveryInterpreter) {
  runtime.add_interpreter();
  runtime.add_thread(0);
  runtime.add_thread(1);
  runtime.add_thread(0);
  EXPECT_THAT(refresh(), UnorderedElementsAre(1, 2, 3));
  for (const std::uint16_t index : list->live()) {
    const ThreadRecord& record = list->record(index);
    EXPECT_EQ(list->interpreter(record).id, record.state.unique_id == 2 ? 1 : 0);
  }
}

TEST_F(ThreadListTest, AnEmptyRuntimeHasNoThreads) { EXPECT_THAT(refresh(), IsEmpty()); }

TEST_F(ThreadListTest, TakesOneCallToTheKernelWhenNothingChanged) {
  for (int i = 0; i < 20; ++i) runtime.add_thread();
  refresh();
  reader.gathers = reader.reads = 0;
  EXPECT_EQ(refresh().size(), 20u);
  EXPECT_EQ(reader.gathers, 1u);
  EXPECT_EQ(reader.reads, 0u);
}

TEST_F(ThreadListTest, SeesThreadsComeAndGo) {
  FakeThread& first = runtime.add_thread();
  FakeThread& second = runtime.add_thread();
  EXPECT_THAT(refresh(), ElementsAre(2, 1));
  runtime.add_thread();
  EXPECT_THAT(refresh(), ElementsAre(3, 2, 1));
  runtime.remove(second);
  EXPECT_THAT(refresh(), ElementsAre(3, 1));
  runtime.remove(first);
  EXPECT_THAT(refresh(), ElementsAre(3));
}

TEST_F(ThreadListTest, KeepsWhatIsRememberedOfAThreadAsLongAsItLives) {
  runtime.add_thread();
  refresh();
  list->record(list->live()[0]).number = 42;
  runtime.add_thread();
  refresh();
  EXPECT_EQ(list->record(list->live()[1]).number, 42u);
  EXPECT_EQ(list->record(list->live()[0]).number, 0u);
}

TEST_F(ThreadListTest, TakesANewThreadInTheSameMemoryForANewOne) {
  FakeThread& thread = runtime.add_thread();
  refresh();
  list->record(list->live()[0]).number = 42;
  thread.state_memory().set(kFakeLayout.thread.unique_id, 7);
  EXPECT_THAT(refresh(), ElementsAre(7));
  EXPECT_EQ(list->record(list->live()[0]).number, 0u);
}

TEST_F(ThreadListTest, AThreadThatStartsGetsItsKernelIdAndStaysTheSame) {
  FakeThread& thread = runtime.add_thread();
  thread.state_memory().set(kFakeLayout.thread.native_id, 0);
  refresh();
  list->record(list->live()[0]).number = 42;
  thread.state_memory().set(kFakeLayout.thread.native_id, 99);
  refresh();
  EXPECT_EQ(list->record(list->live()[0]).number, 42u);
  EXPECT_EQ(list->record(list->live()[0]).state.native_id, 99u);
}

TEST_F(ThreadListTest, ABrokenLinkLosesNoThreadThatWasKnown) {
  runtime.add_thread();
  FakeThread& middle = runtime.add_thread();
  runtime.add_thread();
  refresh();
  middle.state_memory().set(kFakeLayout.thread.next, 16);
  EXPECT_THAT(refresh(), UnorderedElementsAre(1, 2, 3));
  middle.state_memory().set(kFakeLayout.thread.next, runtime.address());  // readable, but no thread state
  EXPECT_THAT(refresh(), UnorderedElementsAre(1, 2, 3));
}

TEST_F(ThreadListTest, ABrokenInterpreterLinkKeepsTheMainInterpreter) {
  runtime.add_thread(0);
  runtime.add_interpreter();
  runtime.add_thread(1);
  EXPECT_THAT(refresh(), UnorderedElementsAre(1, 2));
  runtime.interpreter(1).set(kFakeLayout.interpreter.next, 16);
  EXPECT_THAT(refresh(), UnorderedElementsAre(1, 2));
}

TEST_F(ThreadListTest, EndsInAListThatIsACircle) {
  FakeThread& first = runtime.add_thread();
  FakeThread& second = runtime.add_thread();
  first.state_memory().set(kFakeLayout.thread.next, second.address());
  EXPECT_THAT(refresh(), UnorderedElementsAre(1, 2));
  runtime.interpreter(0).set(kFakeLayout.interpreter.next, runtime.interpreter(0).address());
  EXPECT_THAT(refresh(), UnorderedElementsAre(1, 2));
}

TEST_F(ThreadListTest, SeesWhoHasTheGilOfEachInterpreter) {
  runtime.add_interpreter();
  FakeThread& main = runtime.add_thread(0);
  runtime.add_thread(1);
  Memory gil{64};
  gil.set(kFakeLayout.gil.holder, main.address());
  gil.set(kFakeLayout.gil.locked, 1);
  gil.set(kFakeLayout.gil.switches, 7);
  runtime.interpreter(0).set(kFakeLayout.interpreter.gil, gil.address());
  const auto sight_of = [&](std::size_t live) { return list->interpreter(list->record(list->live()[live])).gil_sight; };
  refresh();
  EXPECT_EQ(sight_of(0), std::nullopt) << "it was found just now";
  refresh();
  EXPECT_EQ(list->record(list->live()[1]).state.address, main.address());
  EXPECT_EQ(sight_of(1), (GilSight{main.address(), true, 7}));
  EXPECT_EQ(sight_of(0), std::nullopt) << "it has no GIL yet";
  gil.set(kFakeLayout.gil.switches, 8);
  refresh();
  EXPECT_EQ(sight_of(1), (GilSight{main.address(), true, 8}));
  Memory other{64};
  runtime.interpreter(0).set(kFakeLayout.interpreter.gil, other.address());
  refresh();
  EXPECT_EQ(sight_of(1), std::nullopt) << "it is another one than was copied";
  refresh();
  EXPECT_EQ(sight_of(1), GilSight{});
}

TEST_F(ThreadListTest, CountsThreadsBeyondItsCapacity) {
  for (std::size_t i = 0; i < ThreadList::kMaxThreads + 5; ++i) runtime.add_thread();
  EXPECT_EQ(refresh().size(), ThreadList::kMaxThreads);
  EXPECT_EQ(list->surplus(), 5u);
  EXPECT_EQ(refresh().size(), ThreadList::kMaxThreads);
  EXPECT_EQ(list->surplus(), 5u);
}

TEST_F(ThreadListTest, UsesTheRoomOfThreadsThatEnded) {
  for (int round = 0; round < 500; ++round) {
    FakeThread& thread = runtime.add_thread();
    ASSERT_EQ(refresh().size(), 1u);
    ASSERT_LT(list->live()[0], 2u);
    runtime.remove(thread);
  }
}

TEST(ThreadListFuzz, SurvivesEveryLie) {
  FakeRuntime runtime;
  for (int i = 0; i < 30; ++i) runtime.add_thread();
  UnreliableReader reader(3);
  const auto list = std::make_unique<ThreadList>(reader, kFakeLayout, runtime.address());
  reader.may_lie = true;
  for (int i = 0; i < 10000; ++i) {
    list->refresh();
    ASSERT_LE(list->live().size(), ThreadList::kMaxThreads);
  }
  reader.may_lie = false;
  list->refresh();
  EXPECT_EQ(list->live().size(), 30u);
}

}  // namespace
}  // namespace gauge::cpython
