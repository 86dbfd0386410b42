#include <gtest/gtest.h>

#include <string>

#include "formats/writers.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

std::string callgrind(std::string_view folded) {
  StringSink sink;
  write_callgrind(profile_of(folded), {}, sink);
  return sink.text();
}

/// The block of the function whose "fn=" line contains `name`, from that line to the next empty one.
std::string block_of(const std::string& text, const std::string& name) {
  for (std::size_t at = text.find("\nfn="); at != std::string::npos; at = text.find("\nfn=", at + 1)) {
    const std::size_t end = text.find("\n\n", at);
    std::string block = text.substr(at + 1, end - at);
    if (block.substr(0, block.find('\n')).find(name) != std::string::npos) return block;
  }
  return "";
}

TEST(Callgrind, HeaderIsInTheOrderItsReadersNeed) {
  const std::string text = callgrind("main 3 30 20 gil");
  EXPECT_TRUE(text.starts_with("# callgrind format\nversion: 1\ncreator: gauge " GAUGE_VERSION "\npid: 1\ncmd: "));
  EXPECT_NE(text.find("events: Samples WallNs CpuNs GilNs\nsummary: 3 30 20 30\n\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\n\ntotals: 3 30 20 30\n"));
}

TEST(Callgrind, ProcessAndThreadStandAboveTheRoots) {
  const std::string text = callgrind("main@m.py:4:5 3 30 20");
  EXPECT_EQ(block_of(text, "<process 1>"),
            "fn=(1) <process 1>\ncob=(1)\ncfn=(2) <thread MainThread>\ncalls=3 0\n0 3 30 20 0\n");
  EXPECT_EQ(block_of(text, "(2)"), "fn=(2)\ncfi=(2) m.py\ncfn=(3) main\ncalls=3 4\n0 3 30 20 0\n");
  EXPECT_EQ(block_of(text, "(3)"), "fn=(3)\n5 3 30 20 0\n");
}

TEST(Callgrind, SelfIsAtExecutingLinesAndCallsAtTheirSites) {
  const std::string text = callgrind("main@m.py:1:5 2\nmain@m.py:1:7;f@m.py:9:11 3\nmain@m.py:1:8;f@m.py:9:10 4");
  EXPECT_EQ(block_of(text, "(3)"),
            "fn=(3)\n5 2 2 0 0\ncfn=(4) f\ncalls=3 9\n7 3 3 0 0\ncfn=(4)\ncalls=4 9\n8 4 4 0 0\n");
  EXPECT_EQ(block_of(text, "(4)"), "fn=(4)\n10 4 4 0 0\n11 3 3 0 0\n");
}

TEST(Callgrind, RecursiveCallIsWrittenWithoutCostButNotAsNoCall) {
  const std::string text = callgrind("main;f@m.py:2:3;f@m.py:2:4 5");
  EXPECT_EQ(block_of(text, "(4)"), "fn=(4) f\n4 5 5 0 0\ncfn=(4)\ncalls=1 2\n3 0 0 0 0\n");
}

TEST(Callgrind, ModuleIsSetOffForGroupingAndNamesThePackage) {
  const std::string text = callgrind("json.decoder::Decoder.decode@d.py:1 1");
  EXPECT_NE(text.find(") json.decoder::Decoder.decode\n"), std::string::npos);
  EXPECT_NE(text.find(") json\n"), std::string::npos);
}

TEST(Callgrind, EqualNamesInDifferentFilesAreDifferentFunctions) {
  const std::string text = callgrind("m::run@a.py:1 1\nm::run@b.py:1 2");
  EXPECT_NE(text.find(") m::run:1 (a.py)\n"), std::string::npos);
  EXPECT_NE(text.find(") m::run:1 (b.py)\n"), std::string::npos);
}

TEST(Callgrind, ControlCharactersDoNotBreakLines) {
  EXPECT_NE(callgrind("a\\nb\\tc\x01 1").find(") a\\nb\\tc\\x01\n"), std::string::npos);
}

TEST(Callgrind, SamplesWithoutFramesAreSelfCostOfTheThread) {
  EXPECT_EQ(block_of(callgrind("- 4 40 4"), "(2)"), "fn=(2)\n0 4 40 4 0\n");
}

TEST(Callgrind, EmptyProfileHasNoFunctionAndNoCost) {
  const std::string text = callgrind("");
  EXPECT_EQ(text.find("fn="), std::string::npos);
  EXPECT_TRUE(text.ends_with("summary: 0 0 0 0\n\ntotals: 0 0 0 0\n"));
}

}  // namespace
}  // namespace gauge
