#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>

#include "formats/writers.h"
#include "tests/formats/marshal_reader.h"
#include "tests/support/profile_of.h"

namespace gauge {
namespace {

MarshalValue pstats(std::string_view folded) {
  StringSink sink;
  write_pstats(profile_of(folded), {}, sink);
  return read_marshal(sink.text());
}

const MarshalValue& entry(const MarshalValue& dictionary, const std::string& name) {
  for (const auto& [key, value] : dictionary.entries) {
    if (key.elements.at(2).text == name) return value;
  }
  throw std::out_of_range("no row of " + name);
}

struct Row {
  std::uint64_t first_count = 0;
  std::uint64_t second_count = 0;
  double own = 0;
  double cumulative = 0;

  bool operator==(const Row&) const = default;
};

Row numbers(const MarshalValue& tuple) {
  return {tuple.elements.at(0).integer, tuple.elements.at(1).integer, tuple.elements.at(2).real,
          tuple.elements.at(3).real};
}

TEST(Pstats, KeyIsFileDefinitionLineAndUniqueName) {
  const MarshalValue rows = pstats("pkg.mod::Class.method@pkg/mod.py:7:9 1");
  const MarshalValue& key = rows.entries.at(0).key;
  EXPECT_EQ(key.elements.at(0).text, "pkg/mod.py");
  EXPECT_EQ(key.elements.at(1).integer, 7U);
  EXPECT_EQ(key.elements.at(2).text, "pkg.mod.Class.method");
}

TEST(Pstats, TimesAreWallSecondsSelfAndInclusive) {
  const MarshalValue rows = pstats("main 2 500000000\nmain;f 4 1250000000");
  EXPECT_EQ(numbers(entry(rows, "main")), (Row{6, 6, 0.5, 1.75}));
  EXPECT_EQ(numbers(entry(rows, "f")), (Row{4, 4, 1.25, 1.25}));
}

TEST(Pstats, RecursionCountsSamplesFirstAndOccurrencesSecond) {
  EXPECT_EQ(numbers(entry(pstats("main;f;f;f 4 1000000000"), "f")), (Row{4, 12, 1.0, 1.0}));
}

TEST(Pstats, CallersCountOccurrencesFirstAndSamplesSecond) {
  const MarshalValue rows = pstats("main;f;f;f 4 1000000000");
  const MarshalValue& callers = entry(rows, "f").elements.at(4);
  EXPECT_EQ(numbers(entry(callers, "main")), (Row{4, 4, 0.0, 1.0}));
  EXPECT_EQ(numbers(entry(callers, "f")), (Row{8, 0, 1.0, 0.0}));
  EXPECT_TRUE(entry(rows, "main").elements.at(4).entries.empty());
}

TEST(Pstats, CallSitesOfOneCallerAreOneRow) {
  const MarshalValue rows = pstats("main@m.py:1:5;f 2 2000000000\nmain@m.py:1:6;f 1 1000000000");
  const MarshalValue& callers = entry(rows, "f").elements.at(4);
  ASSERT_EQ(callers.entries.size(), 1U);
  EXPECT_EQ(numbers(callers.entries[0].value), (Row{3, 3, 3.0, 3.0}));
}

TEST(Pstats, FunctionWithoutAFileIsShownAsPstatsShowsBuiltins) {
  EXPECT_EQ(pstats("f@:0:0 1").entries.at(0).key.elements.at(0).text, "~");
}

TEST(Pstats, SamplesWithoutFramesHaveARowOfTheirOwn) {
  EXPECT_EQ(numbers(entry(pstats("main 1\n- 4 2000000000"), "[no Python frames]")), (Row{4, 4, 2.0, 2.0}));
}

TEST(Pstats, EmptyProfileHasOneRowBecausePstatsRefusesNone) {
  const MarshalValue rows = pstats("");
  ASSERT_EQ(rows.entries.size(), 1U);
  EXPECT_EQ(numbers(entry(rows, "[no samples]")), Row{});
}

TEST(Pstats, CountsBeyondThirtyOneBitsAreWhole) {
  // 2^31 - 1 is the last number of the short form; the reader adds 15-bit digits, as marshal does.
  std::string stack = "f";
  for (int i = 1; i < 70'000; ++i) stack += ";f";
  EXPECT_EQ(numbers(entry(pstats(stack + " 30679"), "f")).second_count, 70'000ULL * 30'679);  // > 2^31
}

TEST(Pstats, TextThatIsNotAsciiOrLongIsWhole) {
  const std::string name(300, 'x');
  const MarshalValue rows = pstats("größe 1\n" + name + " 1");
  EXPECT_EQ(entry(rows, "größe").elements.at(0).integer, 1U);
  EXPECT_EQ(entry(rows, name).elements.at(0).integer, 1U);
}

}  // namespace
}  // namespace gauge
