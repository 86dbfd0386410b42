#include "recorder/cpython/task_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gauge::cpython {
namespace {

/// Notes the tasks that are shown, as long as there is room.
class Tasks final : public StackVisitor {
 public:
  bool on_code(const CodeSight& /*code*/) noexcept override { return true; }
  bool on_thread(const ThreadSight& /*thread*/) noexcept override { return true; }
  bool on_task(const TaskSight& task) noexcept override {
    if (has_room) shown.push_back(fmt::format("{} {} {}", task.task, task.name, task.number));
    return has_room;
  }
  bool on_sample(const ThreadSample& /*sample*/) noexcept override { return true; }

  bool has_room = true;
  std::vector<std::string> shown;
};

FoundTask numbered(std::uintptr_t address, std::uint64_t number) {
  return {.address = address, .coroutine = address + 1, .number = number};
}

FoundTask named(std::uintptr_t address, std::string_view name) {
  return {.address = address, .coroutine = address + 1, .name = name};
}

class TaskTableTest : public testing::Test {
 protected:
  std::uint32_t number_of(const FoundTask& task) { return table_.number_of(task, tasks_); }

  Tasks tasks_;
  TaskTable table_;
};

TEST_F(TaskTableTest, EachTaskIsShownOnceAndKeepsItsNumber) {
  EXPECT_EQ(number_of(numbered(0x1000, 7)), 1U);
  EXPECT_EQ(number_of(named(0x2000, "worker")), 2U);
  EXPECT_EQ(number_of(numbered(0x1000, 7)), 1U);
  EXPECT_EQ(number_of(named(0x2000, "worker")), 2U);
  EXPECT_EQ(tasks_.shown, (std::vector<std::string>{"1  7", "2 worker 0"}));
}

TEST_F(TaskTableTest, ANewTaskInTheSameMemoryIsAnotherOne) {
  EXPECT_EQ(number_of(numbered(0x1000, 7)), 1U);
  EXPECT_EQ(number_of(numbered(0x1000, 8)), 2U);
  EXPECT_EQ(number_of(named(0x1000, "worker")), 3U);
  FoundTask other_coroutine = named(0x1000, "worker");
  other_coroutine.coroutine += 16;
  EXPECT_EQ(number_of(other_coroutine), 4U);
  EXPECT_EQ(number_of(numbered(0x1000, 7)), 5U);  // what had been there is gone for good
}

TEST_F(TaskTableTest, ATaskThatFoundNoRoomIsShownNextTime) {
  tasks_.has_room = false;
  EXPECT_EQ(number_of(numbered(0x1000, 7)), 0U);
  tasks_.has_room = true;
  EXPECT_EQ(number_of(numbered(0x1000, 7)), 1U);
}

TEST_F(TaskTableTest, MoreTasksThanThereIsRoomForGetNewNumbersNeverOldOnes) {
  constexpr std::uint32_t kMany = 4 * static_cast<std::uint32_t>(TaskTable::kCapacity);
  for (std::uint32_t i = 1; i <= kMany; ++i) ASSERT_EQ(number_of(numbered(std::uintptr_t{i} * 176, i)), i);
  EXPECT_EQ(number_of(numbered(std::uintptr_t{kMany} * 176, kMany)), kMany);
  EXPECT_EQ(number_of(numbered(176, 1)), kMany + 1);
}

TEST_F(TaskTableTest, FollowsTheCallsOfEachTaskWhateverOthersDo) {
  const std::vector<Activation> one{{.address = 20, .code = 2}, {.address = 10, .code = 1}};
  const std::vector<Activation> other{{.address = 40, .code = 4}, {.address = 30, .code = 3}};
  EXPECT_EQ(table_.advance(1, one, false).same_frames, 0U);
  EXPECT_EQ(table_.advance(2, other, false).same_frames, 0U);
  EXPECT_EQ(table_.advance(1, one, false).same_frames, 2U);
  EXPECT_EQ(table_.advance(2, other, false).same_frames, 2U);
}

TEST_F(TaskTableTest, NothingGoesOnAfterALostSampleOrATaskInItsPlace) {
  const std::vector<Activation> stack{{.address = 20, .code = 2}, {.address = 10, .code = 1}};
  (void)table_.advance(1, stack, false);
  table_.forget(1);
  EXPECT_EQ(table_.advance(1, stack, false).same_frames, 0U);
  (void)table_.advance(1 + static_cast<std::uint32_t>(TaskTable::kHistories), stack, false);
  EXPECT_EQ(table_.advance(1, stack, false).same_frames, 0U);
}

}  // namespace
}  // namespace gauge::cpython
