#include "formats/profile/call_graph.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// A folded graph, asked by names.
struct Folded {
  explicit Folded(const char* text) : profile(profile_of(text)), graph(fold(profile)) {}

  [[nodiscard]] const CallGraphNode& node(const char* name) const { return graph.node(function_of(profile, name)); }
  [[nodiscard]] CallEdge edge(const char* caller, const char* callee) const {
    CallEdge sum{.caller = function_of(profile, caller), .callee = function_of(profile, callee)};
    for (const CallEdge& edge : graph.edges) {
      if (edge.caller != sum.caller || edge.callee != sum.callee) continue;
      sum.inclusive += edge.inclusive;
      sum.self += edge.self;
      sum.outermost_samples += edge.outermost_samples;
      sum.occurrences += edge.occurrences;
    }
    return sum;
  }

  Profile profile;
  CallGraph graph;
};

TEST(CallGraph, SelfIsOfTheInnermostFrameAndInclusiveOfEveryFrame) {
  const Folded folded("main;load;parse 3 30 20\nmain;load 2 25 5\nmain 1 7 1");
  EXPECT_EQ(folded.node("main").self, (Weights{1, 7ns, 1ns}));
  EXPECT_EQ(folded.node("main").inclusive, (Weights{6, 62ns, 26ns}));
  EXPECT_EQ(folded.node("load").self, (Weights{2, 25ns, 5ns}));
  EXPECT_EQ(folded.node("load").inclusive, (Weights{5, 55ns, 25ns}));
  EXPECT_EQ(folded.node("parse").inclusive, (Weights{3, 30ns, 20ns}));
}

TEST(CallGraph, RecursionCountsOnceInInclusive) {
  const Folded folded("main;f;f;f 4");
  EXPECT_EQ(folded.node("f").inclusive.wall, 4ns);
  EXPECT_EQ(folded.node("f").occurrences, 12U);
}

TEST(CallGraph, RecursiveEdgesCarryNoInclusiveCost) {
  const Folded folded("main;f;f;f 4");
  EXPECT_EQ(folded.edge("main", "f").inclusive.samples, 4U);
  EXPECT_EQ(folded.edge("f", "f").inclusive.samples, 0U);
  EXPECT_EQ(folded.edge("f", "f").outermost_samples, 0U);
  EXPECT_EQ(folded.edge("f", "f").occurrences, 8U);
  EXPECT_EQ(folded.edge("f", "f").self.samples, 4U);
}

TEST(CallGraph, MutualRecursionNeverExceedsTheTotal) {
  const Folded folded("a;b;a;b 5\nb;a 2\na 3");
  EXPECT_EQ(folded.node("a").inclusive.samples, 10U);  // in every sample
  EXPECT_EQ(folded.node("b").inclusive.samples, 7U);
  EXPECT_EQ(folded.edge("a", "b").inclusive.samples, 5U);
  EXPECT_EQ(folded.edge("b", "a").inclusive.samples, 2U);  // only where b is the root: else a stands above it
  EXPECT_EQ(folded.edge("b", "a").occurrences, 7U);
}

TEST(CallGraph, InclusiveIsWhatComesInOverEdgesAndRoots) {
  const Folded folded(
      "a;b;a;c 5\nb;a;c 2\na 3\n[Worker] b;c;b;a 4\n[Worker] c 1\nc;c;c 2\n[9/Other] a;b@x.py:1:7;c 6\na;b@x.py:1:8;c "
      "2");
  for (const CallGraphNode& node : folded.graph.nodes) {
    Weights incoming;
    for (const CallEdge& edge : folded.graph.edges) {
      if (edge.callee == node.function) incoming += edge.inclusive;
    }
    for (const RootCost& root : folded.graph.roots) {
      if (root.function == node.function) incoming += root.inclusive;
    }
    EXPECT_EQ(incoming, node.inclusive) << folded.profile.function(node.function).unique_name;
  }
}

TEST(CallGraph, EdgesAreSplitByCallSiteLine) {
  const Folded folded("main@m.py:1:5;f 2\nmain@m.py:1:6;f 3");
  ASSERT_EQ(folded.graph.edges.size(), 2U);
  EXPECT_EQ(folded.graph.edges[0].line, 5U);
  EXPECT_EQ(folded.graph.edges[0].inclusive.samples, 2U);
  EXPECT_EQ(folded.graph.edges[1].line, 6U);
  EXPECT_EQ(folded.graph.edges[1].inclusive.samples, 3U);
}

TEST(CallGraph, SelfIsSplitByExecutingLine) {
  const Folded folded("main@m.py:1:9 2\nmain@m.py:1:4 3\nmain@m.py:1:9;f 1");
  ASSERT_EQ(folded.graph.lines.size(), 3U);
  EXPECT_EQ(folded.graph.lines[0].line, 4U);
  EXPECT_EQ(folded.graph.lines[0].self.samples, 3U);
  EXPECT_EQ(folded.graph.lines[1].line, 9U);
  EXPECT_EQ(folded.graph.lines[1].self.samples, 2U);  // the line where f is called is not self cost
}

TEST(CallGraph, ColumnsOfALineAreOneEntry) {
  const Folded folded("main@m.py:1:5:9;f@m.py:8:9:1 2\nmain@m.py:1:5:15;f@m.py:8:9:7 3");
  ASSERT_EQ(folded.graph.edges.size(), 1U);
  EXPECT_EQ(folded.graph.edges[0].line, 5U);
  EXPECT_EQ(folded.graph.edges[0].inclusive.samples, 5U);
  ASSERT_EQ(folded.graph.lines.size(), 1U);
  EXPECT_EQ(folded.graph.lines[0].line, 9U);
  EXPECT_EQ(folded.graph.lines[0].self.samples, 5U);
}

TEST(CallGraph, RootsAreKeptPerThread) {
  const Folded folded("main;f 2\n[Worker] run;f 3\n[Worker] main 4");
  ASSERT_EQ(folded.graph.roots.size(), 3U);
  EXPECT_EQ(folded.graph.roots[0].inclusive.samples, 2U);
  EXPECT_EQ(folded.graph.roots[1].thread, ThreadId{1});
  EXPECT_EQ(folded.graph.threads[0].total.samples, 2U);
  EXPECT_EQ(folded.graph.threads[1].total.samples, 7U);
}

TEST(CallGraph, SamplesWithoutFramesBelongToTheThread) {
  const Folded folded("main 2\n- 3 300 0");
  EXPECT_EQ(folded.graph.threads[0].without_frames, (Weights{3, 300ns, 0ns}));
  EXPECT_EQ(folded.graph.threads[0].total, (Weights{5, 302ns, 0ns}));
  EXPECT_EQ(folded.graph.total, folded.profile.total());
}

TEST(CallGraph, SumOfSelfIsTheTotal) {
  const Folded folded("a;b;a;b 5 123456789 7\nb;a 2 987654321 3\na 3 1 1\n[W] a;c 4 999999999999 5\n- 1");
  Weights sum;
  for (const CallGraphNode& node : folded.graph.nodes) sum += node.self;
  for (const ThreadCost& thread : folded.graph.threads) sum += thread.without_frames;
  EXPECT_EQ(sum, folded.profile.total());
  EXPECT_EQ(sum.wall, 123456789ns + 987654321ns + 1ns + 999999999999ns + 1ns);
}

TEST(CallGraph, DeepRecursionIsFoldedInLinearTime) {
  std::string text = "main";
  for (int depth = 0; depth < 100'000; ++depth) text += ";f";
  const Folded folded((text + " 2").c_str());
  EXPECT_EQ(folded.node("f").inclusive.samples, 2U);
  EXPECT_EQ(folded.node("f").occurrences, 200'000U);
}

TEST(CallGraph, EmptyProfileFoldsToNothing) {
  const Folded folded("");
  EXPECT_TRUE(folded.graph.nodes.empty());
  EXPECT_TRUE(folded.graph.edges.empty());
  EXPECT_EQ(folded.graph.total, Weights{});
}

}  // namespace
}  // namespace gauge
