#include "formats/profile/recording_ids.h"

#include <gtest/gtest.h>

namespace gauge {
namespace {

/// One function "f" in "f.py", a frame of it at line 7, a stack of that frame, and a thread.
gpf::Definitions first_definitions() {
  gpf::Definitions definitions;
  definitions.first_string = 1;
  definitions.strings = {"f", "f.py", "Main"};
  definitions.first_function = 1;
  definitions.functions = {{.name = 1, .qualified_name = 0, .module = 0, .file = 2, .first_line = 3}};
  definitions.first_frame = 1;
  definitions.frame_function = {1};
  definitions.frame_line = {7};
  definitions.first_stack = 1;
  definitions.stack_parent_back = {1};
  definitions.stack_frame = {1};
  definitions.threads = {{.id = 1, .native_id = 42, .python_id = 0, .name = 3, .interpreter = 0}};
  return definitions;
}

struct Taken {
  bool define(const gpf::Definitions& definitions) { return ids.define(definitions, interner, tables); }

  TableInterner interner;
  ProfileTables tables;
  RecordingIds ids{ProcessId{0}};
};

TEST(RecordingIds, DefinitionsBecomeEntriesOfTheProfile) {
  Taken taken;
  ASSERT_TRUE(taken.define(first_definitions()));
  ASSERT_TRUE(taken.ids.stack(1).has_value());
  EXPECT_EQ(*taken.ids.stack(0), kEmptyStack);
  EXPECT_EQ(*taken.ids.thread(1), ThreadId{0});
  EXPECT_EQ(taken.tables.threads[0].name, "Main");
  EXPECT_EQ(taken.tables.threads[0].native_id, 42U);

  taken.interner.finish(taken.tables);
  EXPECT_EQ(taken.tables.functions[0].name, "f");
  EXPECT_EQ(taken.tables.functions[0].qualified_name, "f");  // where CPython has none
  EXPECT_EQ(taken.tables.functions[0].file, "f.py");
  EXPECT_EQ(taken.tables.frames[0].line, 7U);
}

TEST(RecordingIds, FramesHaveColumnsAndMayDifferInThemAlone) {
  Taken taken;
  gpf::Definitions definitions = first_definitions();
  definitions.frame_function = {1, 1, 1, 1};
  definitions.frame_line = {7, 7, 7, 8};
  definitions.frame_column = {5, 0, 5, 5};
  ASSERT_TRUE(taken.define(definitions));
  taken.interner.finish(taken.tables);
  const std::vector<Frame>& frames = taken.tables.frames;
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[0].column, 5U);
  EXPECT_EQ(frames[1].line, 7U);
  EXPECT_EQ(frames[1].column, 0U);
  EXPECT_EQ(frames[2].line, 8U);
}

TEST(RecordingIds, LaterBlocksGoOnCounting) {
  Taken taken;
  ASSERT_TRUE(taken.define(first_definitions()));
  gpf::Definitions more;
  more.first_frame = 2;
  more.frame_function = {1};
  more.frame_line = {8};
  more.first_stack = 2;
  more.stack_parent_back = {1, 3};  // below stack 1; a root
  more.stack_frame = {2, 2};
  ASSERT_TRUE(taken.define(more));
  EXPECT_EQ(taken.interner.stacks()[index_of(*taken.ids.stack(2))].parent, *taken.ids.stack(1));
  EXPECT_EQ(taken.interner.stacks()[index_of(*taken.ids.stack(3))].parent, kEmptyStack);
}

TEST(RecordingIds, TasksAreNeverOne) {
  Taken taken;
  gpf::Definitions definitions = first_definitions();
  definitions.first_task = 1;
  definitions.task_name = {0, 3, 3, 0};
  definitions.task_number = {7, 0, 0, 0};
  ASSERT_TRUE(taken.define(definitions));
  gpf::Definitions after_hole;
  after_hole.first_task = 6;  // 5 was lost
  after_hole.task_name = {3};
  after_hole.task_number = {0};
  ASSERT_TRUE(taken.define(after_hole));
  EXPECT_FALSE(taken.ids.task(0).has_value());
  EXPECT_FALSE(taken.ids.task(5).has_value());
  const TaskId last = *taken.ids.task(6);
  EXPECT_NE(*taken.ids.task(2), *taken.ids.task(3));
  taken.interner.finish(taken.tables);
  const Profile profile{std::move(taken.tables), nullptr};
  EXPECT_EQ(profile.task_name(*taken.ids.task(1)), "Task-7");
  EXPECT_EQ(profile.task_name(*taken.ids.task(2)), "Main");
  EXPECT_EQ(profile.task_name(*taken.ids.task(4)), "unnamed task");
  EXPECT_EQ(profile.task_name(last), "Main");
}

TEST(RecordingIds, PartsOfARecordingShareThreadsAndTasksByTheirWholeIds) {
  PartLinks links;
  Taken taken;
  taken.ids.link(links);
  gpf::Definitions first = first_definitions();
  first.first_task = 1;
  first.task_name = {3, 0};
  first.task_number = {0, 2};
  ASSERT_TRUE(taken.define(first));

  RecordingIds next{ProcessId{0}};
  next.link(links);
  gpf::Definitions second = first_definitions();
  second.threads = {{.id = 1, .native_id = 43, .name = 3, .whole_id = 9},
                    {.id = 2, .native_id = 42, .name = 3, .whole_id = 1}};
  second.first_task = 1;
  second.task_name = {0, 3, 3};
  second.task_number = {2, 0, 0};
  second.task_whole_id = {2, 1, 7};
  ASSERT_TRUE(next.define(second, taken.interner, taken.tables));
  EXPECT_EQ(next.thread(2), taken.ids.thread(1));
  EXPECT_NE(next.thread(1), taken.ids.thread(1));
  EXPECT_EQ(taken.tables.threads.size(), 2U);
  EXPECT_EQ(next.task(1), taken.ids.task(2));
  EXPECT_EQ(next.task(2), taken.ids.task(1));
  EXPECT_EQ(taken.tables.tasks.size(), 4U);       // with "no task"
  EXPECT_EQ(taken.tables.task_names.size(), 2U);  // a name is there once
}

TEST(RecordingIds, UnknownIdsAreNothing) {
  Taken taken;
  ASSERT_TRUE(taken.define(first_definitions()));
  EXPECT_FALSE(taken.ids.stack(2).has_value());
  EXPECT_FALSE(taken.ids.stack(0xFFFFFFFF).has_value());
  EXPECT_FALSE(taken.ids.thread(0).has_value());
  EXPECT_FALSE(taken.ids.thread(2).has_value());
}

TEST(RecordingIds, WhatLostBlocksDefinedIsLostWithAllThatRefersToIt) {
  Taken taken;
  ASSERT_TRUE(taken.define(first_definitions()));
  gpf::Definitions after_hole;
  after_hole.first_frame = 5;  // 2 to 4 were lost
  after_hole.frame_function = {1};
  after_hole.frame_line = {9};
  after_hole.first_stack = 4;                   // 2 and 3 were lost
  after_hole.stack_parent_back = {1, 5, 6, 1};  // stack 4 below lost 3; 5 a root; 6 a root of lost frame 3; 7 below 6
  after_hole.stack_frame = {5, 5, 3, 5};
  ASSERT_TRUE(taken.define(after_hole));
  EXPECT_FALSE(taken.ids.stack(2).has_value());
  EXPECT_FALSE(taken.ids.stack(4).has_value());
  EXPECT_TRUE(taken.ids.stack(5).has_value());
  EXPECT_FALSE(taken.ids.stack(6).has_value());
  EXPECT_FALSE(taken.ids.stack(7).has_value());
}

TEST(RecordingIds, FunctionWithALostTextIsLost) {
  Taken taken;
  gpf::Definitions definitions = first_definitions();
  definitions.first_string = 2;  // string 1, the name, was lost; 2 is now "f"
  ASSERT_TRUE(taken.define(definitions));
  EXPECT_FALSE(taken.ids.stack(1).has_value());
}

TEST(RecordingIds, DefinitionsThatBreakTheRulesAreRefusedWhole) {
  const auto refused = [](void (*spoil)(gpf::Definitions&)) {
    Taken taken;
    gpf::Definitions definitions = first_definitions();
    spoil(definitions);
    const bool was_refused = !taken.define(definitions);
    return was_refused && taken.tables.threads.empty() && taken.interner.stacks().size() == 1;
  };
  EXPECT_TRUE(refused([](gpf::Definitions& d) { d.functions[0].name = 4; }));
  EXPECT_TRUE(refused([](gpf::Definitions& d) { d.functions[0].file = 0xFFFFFFFF; }));
  EXPECT_TRUE(refused([](gpf::Definitions& d) { d.frame_function[0] = 2; }));
  EXPECT_TRUE(refused([](gpf::Definitions& d) { d.frame_function[0] = 0; }));
  EXPECT_TRUE(refused([](gpf::Definitions& d) { d.stack_frame[0] = 2; }));
  EXPECT_TRUE(refused([](gpf::Definitions& d) { d.stack_frame[0] = 0; }));
  EXPECT_TRUE(refused([](gpf::Definitions& d) { d.threads[0].id = 0; }));
  EXPECT_TRUE(refused([](gpf::Definitions& d) { d.threads[0].name = 9; }));
  EXPECT_TRUE(refused([](gpf::Definitions& d) {
    d.first_task = 1;
    d.task_name = {9};
    d.task_number = {0};
  }));
}

TEST(RecordingIds, IdsGivenBeforeAreRefused) {
  Taken taken;
  ASSERT_TRUE(taken.define(first_definitions()));
  EXPECT_FALSE(taken.define(first_definitions()));
}

TEST(RecordingIds, ForgedFirstIdCostsNoMemory) {
  for (const std::uint32_t first : {0xFFFFFFF0U, 1U << 24}) {
    Taken taken;
    gpf::Definitions definitions;
    definitions.first_string = first;
    definitions.strings = {"x"};
    EXPECT_FALSE(taken.define(definitions));
    gpf::Definitions threads;
    threads.threads = {{.id = first}};
    EXPECT_FALSE(taken.define(threads));
  }
}

TEST(RecordingIds, HolesOfManyBlocksTogetherAreBounded) {
  Taken taken;
  bool is_refused = false;
  for (std::uint32_t block = 1; block < 100 && !is_refused; ++block) {
    gpf::Definitions definitions;
    definitions.first_string = block << 20U;
    definitions.strings = {"x"};
    is_refused = !taken.define(definitions);
  }
  EXPECT_TRUE(is_refused);
}

TEST(RecordingIds, LastDefinitionOfAThreadHolds) {
  Taken taken;
  ASSERT_TRUE(taken.define(first_definitions()));
  gpf::Definitions renamed;
  renamed.first_string = 4;
  renamed.strings = {"Worker"};
  renamed.threads = {{.id = 1, .native_id = 42, .name = 4}};
  ASSERT_TRUE(taken.define(renamed));
  ASSERT_EQ(taken.tables.threads.size(), 1U);
  EXPECT_EQ(taken.tables.threads[0].name, "Worker");
}

TEST(RecordingIds, ThreadWithoutANameIsCalledByItsNativeId) {
  Taken taken;
  gpf::Definitions definitions;
  definitions.threads = {{.id = 1, .native_id = 1234}, {.id = 2}};
  ASSERT_TRUE(taken.define(definitions));
  EXPECT_EQ(taken.tables.threads[0].name, "thread 1234");
  EXPECT_EQ(taken.tables.threads[1].name, "thread #2");
}

TEST(RecordingIds, TextIsRepairedOnce) {
  Taken taken;
  gpf::Definitions definitions = first_definitions();
  definitions.strings[2] = "caf\xED\xB3\xA9";
  ASSERT_TRUE(taken.define(definitions));
  EXPECT_EQ(taken.tables.threads[0].name, "caf\\udce9");
}

TEST(RecordingIds, EqualFunctionsOfTwoRecordingsAreOneAndThreadsAreNot) {
  Taken taken;
  RecordingIds second(ProcessId{1});
  ASSERT_TRUE(taken.define(first_definitions()));
  ASSERT_TRUE(second.define(first_definitions(), taken.interner, taken.tables));
  EXPECT_EQ(*taken.ids.stack(1), *second.stack(1));
  EXPECT_NE(*taken.ids.thread(1), *second.thread(1));
  EXPECT_EQ(taken.tables.threads[1].process, ProcessId{1});
}

}  // namespace
}  // namespace gauge
