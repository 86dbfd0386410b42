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
  const std::vector<std::uint32_t> no_bytes(profile.functions().size());
  return show_tree(profile, {.identity = identity, .frame_bytes = no_bytes, .node_bytes = 1, .max_bytes = max_nodes});
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

TEST(ShownTree, EndsWithTenPercentWhateverTheLimit) {
  const Profile profile = profile_of("a 2\nb 2\nc 2\nd 2\ne 2");
  EXPECT_EQ(tree_of(profile, 1).threshold, 0.1);
}

}  // namespace
}  // namespace gauge
