#include "formats/shown_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/stack_identity.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using testing::UnorderedElementsAre;

/// What a tree is made to fit in: only nodes take room, so that a limit is a number of them.
ShownTree tree_of(const Profile& profile, std::uint64_t max_nodes) {
  const std::vector<std::uint32_t> identity = frame_identities(profile, WriteOptions::Frames::function);
  return show_tree(profile, identity, {.node = 1}, max_nodes);
}

/// The least limit that keeps the whole tree: what it takes.
std::uint64_t bytes_of(const Profile& profile, const TreeBytes& bytes) {
  const std::vector<std::uint32_t> identity = frame_identities(profile, WriteOptions::Frames::function);
  std::uint64_t limit = 0;
  while (show_tree(profile, identity, bytes, limit).threshold != 0) ++limit;
  return limit;
}

std::string name_of(const Profile& profile, const ShownTree& tree, StackId stack) {
  if (stack == kEmptyStack) return "";
  const StackId caller = tree.shown[index_of(profile.stack(stack).parent)];
  const std::string name =
      tree.is_rest[index_of(stack)] ? "*" : profile.function(profile.leaf_function(stack)).unique_name;
  return name_of(profile, tree, caller) + "/" + name;
}

/// "/main/load": where the samples of each stack have gone.
std::vector<std::string> places(const Profile& profile, const ShownTree& tree) {
  std::vector<std::string> names;
  for (const ThreadStack& entry : profile.thread_stacks()) {
    names.push_back(name_of(profile, tree, tree.shown[index_of(entry.stack)]));
  }
  return names;
}

TEST(ShownTree, IsWholeWhereItFits) {
  const Profile profile = profile_of("main;a 999999\nmain;b 1");
  const ShownTree tree = tree_of(profile, 3);
  EXPECT_EQ(tree.threshold, 0);
  EXPECT_THAT(places(profile, tree), UnorderedElementsAre("/main/a", "/main/b"));
}

TEST(ShownTree, PutsSmallCallsOfOneCallerTogetherWithWhatTheyCall) {
  const Profile profile = profile_of("main;a 9990\nmain;b;c 3\nmain;b;d 3\nmain;e 4");
  const ShownTree tree = tree_of(profile, 3);
  EXPECT_EQ(tree.threshold, 1e-3);  // b is 6 of 10,000, e is 4
  EXPECT_THAT(places(profile, tree), UnorderedElementsAre("/main/a", "/main/*", "/main/*", "/main/*"));
}

TEST(ShownTree, KeepsWhatIsLargeByAnyWeight) {
  const Profile profile = profile_of("main;a 9990 1000000000 0\nmain;b 1 1 100\nmain;c 1 1\nmain;d 1 1");
  const ShownTree tree = tree_of(profile, 4);
  EXPECT_THAT(places(profile, tree), UnorderedElementsAre("/main/a", "/main/b", "/main/*", "/main/*"));
}

TEST(ShownTree, CountsLinesOfAFunctionTogether) {
  const Profile profile = profile_of("main;a 9990\nmain;b@p.py:1:2 6\nmain;b@p.py:1:3 6\nmain;c 8\nmain;d 8");
  const ShownTree tree = tree_of(profile, 4);
  EXPECT_EQ(tree.threshold, 1e-3);  // b is 12 of some 10,000, its lines 6 each
  EXPECT_THAT(places(profile, tree), UnorderedElementsAre("/main/a", "/main/b", "/main/b", "/main/*", "/main/*"));
}

// main and b are in two threads, main with samples of its own in one of them.
constexpr const char* kTwoThreads = "main;a 1000000\nmain;b;a 1\n[Worker] main 1\n[Worker] main;b 1";

TEST(ShownTree, TakesFramesAndNodesOnce) {
  const Profile profile = profile_of(kTwoThreads);
  const std::vector<std::uint32_t> of_frames = {100, 20, 3};  // main, a, b
  EXPECT_EQ(bytes_of(profile, {.frame = of_frames}), 123U);
  EXPECT_EQ(bytes_of(profile, {.node = 10}), 40U);
  const std::vector<std::uint32_t> identity = frame_identities(profile, WriteOptions::Frames::function);
  EXPECT_EQ(show_tree(profile, identity, {.frame = of_frames, .node = 10, .entry = 1}, 1000).table_bytes, 163U);
}

TEST(ShownTree, TakesAnEntryForEachThreadThatHasSamplesOfANode) {
  const Profile profile = profile_of(kTwoThreads);
  EXPECT_EQ(bytes_of(profile, {.entry = 10}), 40U);
  const std::vector<std::uint32_t> of_path = {100, 20, 3};
  EXPECT_EQ(bytes_of(profile, {.path = of_path}), 120U + 123U + 100U + 103U);
  EXPECT_EQ(bytes_of(profile, {.path = of_path, .max_depth = 2}), 120U + 103U + 100U + 103U);
}

TEST(ShownTree, TakesASliceForEachThreadThatWasInANode) {
  const std::vector<std::uint32_t> of_slices = {100, 20, 3};
  EXPECT_EQ(bytes_of(profile_of(kTwoThreads), {.slice = of_slices}), 100U + 20U + 3U + 20U + 100U + 3U);
}

TEST(ShownTree, NamesAndSaysWhatIsPutTogether) {
  const Profile profile = profile_of("main;a 9990\nmain;b;c 3\nmain;b;d 3\nmain;e 4");
  EXPECT_EQ(rest_name(tree_of(profile, 3)), "[calls below 0.1 %]");
  EXPECT_EQ(rest_text(tree_of(profile, 3)), ", calls below 0.1 % put together");
  EXPECT_EQ(rest_text(tree_of(profile, 100)), "");
}

TEST(ShownTree, EndsWithTenPercentWhateverTheLimit) {
  const Profile profile = profile_of("a 2\nb 2\nc 2\nd 2\ne 2");
  EXPECT_EQ(tree_of(profile, 1).threshold, 0.1);
}

}  // namespace
}  // namespace gauge
