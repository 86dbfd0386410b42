#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "formats/writers.h"
#include "tests/formats/spans/timeline.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

using test::Timeline;
using namespace std::chrono_literals;

std::string collapsed(const Profile& profile, const WriteOptions& options = {}) {
  StringSink sink;
  write_collapsed(profile, options, sink);
  return sink.text();
}

std::string collapsed(std::string_view folded, const WriteOptions& options = {}) {
  return collapsed(profile_of(folded), options);
}

TEST(Collapsed, AFrameIsItsNameItsFileAndTheLineOfItsDefinition) {
  EXPECT_EQ(collapsed("app::main@app.py:3:5;pkg.mod::Class.method@pkg/mod.py:7:9 4"),
            "app.main (app.py:3);pkg.mod.Class.method (pkg/mod.py:7) 4\n");
}

TEST(Collapsed, LinesOfAFunctionAreOneFrameUnlessAskedFor) {
  const char* const folded = "f@p.py:1:5;g@p.py:9:10 1\nf@p.py:1:6;g@p.py:9:10 2\nf@p.py:1:0 4";
  EXPECT_EQ(collapsed(folded), "f (p.py:1) 4\nf (p.py:1);g (p.py:9) 3\n");
  EXPECT_EQ(collapsed(folded, {.frames = WriteOptions::Frames::line}),
            "f (p.py) 4\nf (p.py:5);g (p.py:10) 1\nf (p.py:6);g (p.py:10) 2\n");
}

TEST(Collapsed, TheWeightIsTheOneAskedForAndSamplesOtherwise) {
  const char* const folded = "f@p.py 3 30 20 gil\ng@p.py 1 7 0";
  EXPECT_EQ(collapsed(folded), "f (p.py:1) 3\ng (p.py:1) 1\n");
  EXPECT_EQ(collapsed(folded, {.weight = Weight::wall}), "f (p.py:1) 30\ng (p.py:1) 7\n");
  EXPECT_EQ(collapsed(folded, {.weight = Weight::cpu}), "f (p.py:1) 20\n");
  EXPECT_EQ(collapsed(folded, {.weight = Weight::gil}), "f (p.py:1) 30\n");
}

TEST(Collapsed, ThreadsAreTakenTogetherUnlessAskedFor) {
  const char* const folded = "[7/MainThread] f@p.py 1\n[8/Pool] f@p.py 2\n[7/Pool] - 4";
  EXPECT_EQ(collapsed(folded), "[no Python frames] 4\nf (p.py:1) 3\n");
  EXPECT_EQ(collapsed(folded, {.with_threads = true}),
            "<thread MainThread>;f (p.py:1) 1\n"
            "<thread Pool 9 of process 7>;[no Python frames] 4\n"  // native ids: the pid and the threads before it
            "<thread Pool 9 of process 8>;f (p.py:1) 2\n");
  EXPECT_EQ(collapsed(folded, {.with_processes = true}),
            "<process 7>;[no Python frames] 4\n<process 7>;f (p.py:1) 1\n<process 8>;f (p.py:1) 2\n");
  EXPECT_EQ(collapsed("[7/Pool] f@p.py 1", {.with_threads = true, .with_processes = true}),
            "<process 7>;<thread Pool>;f (p.py:1) 1\n");
}

TEST(Collapsed, FilesAreNamedBelowTheirImportRootUnlessAskedForWhole) {
  const char* const folded = "f@/src/pkg/p.py 1";  // profile_of works in /src
  EXPECT_EQ(collapsed(folded), "f (pkg/p.py:1) 1\n");
  EXPECT_EQ(collapsed(folded, {.paths = WriteOptions::Paths::full}), "f (/src/pkg/p.py:1) 1\n");
}

TEST(Collapsed, WhatSeparatesFramesAndLinesIsSpelledOut) {
  EXPECT_EQ(collapsed("a\\;b\\nc@d\\;e.py:1 1"), "a\\x3bb\\nc (d\\x3be.py:1) 1\n");
}

TEST(Collapsed, ANameNeverEndsInANumberThatWouldMakeItADifference) {
  Timeline timeline;
  timeline.tick(10ms, "f 12");
  timeline.tables.functions[0].file.clear();
  EXPECT_EQ(collapsed(timeline.profile()), "f 12 () 1\n");
}

TEST(Collapsed, ANameWithoutAFileStandsAlone) {
  EXPECT_EQ(collapsed("[MainThread] [truncated]@:0:0;f@p.py 1"), "[truncated];f (p.py:1) 1\n");
}

TEST(Collapsed, LinesAreSortedByTheirBytes) {
  // After "f" come " 1" of its own line, " 12 ()", ";g" of its callee, "g": of "f" itself the lines lie apart.
  Timeline timeline;
  for (const char* const stack : {"f;g", "f", "f !", "fg", "a;b", "a", "f !;a"}) timeline.tick(10ms, stack);
  for (Function& function : timeline.tables.functions) function.file.clear();
  const std::string text = collapsed(timeline.profile());
  std::istringstream stream{text};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  EXPECT_EQ(lines.size(), 7U);
  EXPECT_TRUE(std::ranges::is_sorted(lines)) << text;
}

TEST(Collapsed, AnEmptyProfileSaysSo) { EXPECT_EQ(collapsed(""), "[no samples] 0\n"); }

}  // namespace
}  // namespace gauge
