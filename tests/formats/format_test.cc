// What holds for every row of the format table.

#include "formats/format.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "formats/base/error.h"
#include "formats/profile/profile_view.h"
#include "tests/formats/format_totals.h"
#include "tests/formats/gunzip.h"
#include "tests/support/golden.h"
#include "tests/support/profile_of.h"

namespace gauge {

/// What GoogleTest shows of a row when a test of it fails. The name is GoogleTest's.
static void PrintTo(const Format& format, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << format.name;
}

namespace {

using namespace std::chrono_literals;

std::string written(const Format& format, const Profile& profile) {
  StringSink sink;
  format.write(profile, {}, sink);
  return sink.text();
}

/// Takes `limit` bytes, then is full, as a disk may be.
class FullSink final : public Sink {
 public:
  explicit FullSink(std::size_t limit) : left_(limit) {}
  void write(std::string_view bytes) override {
    if (bytes.size() > left_) throw Error(ErrorCode::io, "disk: cannot be written (No space left on device)");
    left_ -= bytes.size();
  }

 private:
  std::size_t left_;
};

std::string test_name(std::string_view format_name) {
  std::string name{format_name};
  for (char& c : name) c = c == '-' ? '_' : c;  // GoogleTest takes no dashes
  return name;
}

class EveryFormat : public testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(Table, EveryFormat, testing::ValuesIn(formats().begin(), formats().end()),
                         [](const auto& row) { return test_name(row.param.name); });

TEST_P(EveryFormat, IsFoundByNameAndByExtension) {
  const Format& format = GetParam();
  EXPECT_EQ(find_format(format.name)->name, format.name);
  EXPECT_EQ(format_of_path("out" + std::string{format.extension})->name, format.name);
  EXPECT_TRUE(format.extension.starts_with('.'));
  EXPECT_FALSE(format.summary.empty());
}

TEST_P(EveryFormat, IsFoundByItsNameAsASuffixAndCompressed) {
  const std::string name{GetParam().name};
  EXPECT_EQ(format_of_path("out." + name)->name, name);
  EXPECT_EQ(format_of_path("out" + std::string{GetParam().extension} + ".gz")->name, name);
}

TEST_P(EveryFormat, IsOneGzipMemberWhereAskedForOrWhereItsReadersExpectIt) {
  const Profile profile = profile_of(golden("program.folded"));
  StringSink plain;
  write_file(GetParam(), profile, {}, plain);
  StringSink compressed;
  write_file(GetParam(), profile, {.gzip = true}, compressed);
  EXPECT_EQ(gunzip(compressed.text()), written(GetParam(), profile));
  EXPECT_EQ(GetParam().is_gzipped ? gunzip(plain.text()) : plain.text(), written(GetParam(), profile));
}

TEST_P(EveryFormat, WritesEqualBytesForEqualProfiles) {
  const std::string folded = golden("program.folded");
  EXPECT_EQ(written(GetParam(), profile_of(folded)), written(GetParam(), profile_of(folded)));
}

TEST_P(EveryFormat, WritesSomethingForAnEmptyProfile) { EXPECT_NE(written(GetParam(), profile_of("")), ""); }

TEST_P(EveryFormat, PassesOnTheErrorOfASink) {
  const Profile profile = profile_of(golden("program.folded"));
  const std::size_t size = written(GetParam(), profile).size();
  for (const std::size_t limit : {std::size_t{0}, size / 2, size - 1}) {
    FullSink sink(limit);
    EXPECT_THROW(GetParam().write(profile, {}, sink), Error) << "full after " << limit << " of " << size << " bytes";
  }
}

TEST_P(EveryFormat, SaysItIsBinaryExactlyWhenItsBytesAreNoText) {
  const std::string bytes = written(GetParam(), profile_of(golden("program.folded")));
  const bool has_control =
      std::any_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\t'; });
  EXPECT_EQ(GetParam().is_binary, has_control);
}

class EveryFormatAndProfile : public testing::TestWithParam<std::tuple<Format, const char*>> {
 protected:
  [[nodiscard]] static const Format& format() { return std::get<0>(GetParam()); }
  [[nodiscard]] static std::string profile_name() { return std::get<1>(GetParam()); }
  [[nodiscard]] static Profile profile() { return profile_of(golden(profile_name() + ".folded")); }
};
INSTANTIATE_TEST_SUITE_P(Table, EveryFormatAndProfile,
                         testing::Combine(testing::ValuesIn(formats().begin(), formats().end()),
                                          testing::Values("program", "processes")),
                         [](const auto& row) {
                           return test_name(std::get<0>(row.param).name) + "_" + std::get<1>(row.param);
                         });

TEST_P(EveryFormatAndProfile, WritesTheGoldenFile) {
  std::string path = std::string{format().name} + "/" + profile_name() + std::string{format().extension};
  // As written, before gzip, whose bytes are another with each version of zlib.
  if (format().is_gzipped) path.resize(path.rfind('.'));
  expect_golden(path, written(format(), profile()));
}

void expect_weights(const Profile& profile, std::string_view format, const std::string& bytes) {
  const TotalsReader read_totals = totals_reader(std::string{format});
  Weights sampled;
  profile.for_each_sample([&](const Sample& sample) { sampled += weights_of(sample); });

  const FormatTotals totals = read_totals(bytes);
  EXPECT_TRUE(totals.samples || totals.wall || totals.cpu || totals.gil);
  EXPECT_EQ(totals.samples.value_or(sampled.samples), sampled.samples);
  EXPECT_LE(std::chrono::abs(totals.wall.value_or(sampled.wall) - sampled.wall), totals.rounding);
  EXPECT_LE(std::chrono::abs(totals.cpu.value_or(sampled.cpu) - sampled.cpu), totals.rounding);
  EXPECT_LE(std::chrono::abs(totals.gil.value_or(sampled.gil) - sampled.gil), totals.rounding);
}

TEST_P(EveryFormatAndProfile, WeighsWhatTheSamplesWeigh) {
  if (!totals_reader(std::string{format().name})) GTEST_SKIP() << format().name << " holds no weights";
  expect_weights(profile(), format().name, written(format(), profile()));
}

TEST_P(EveryFormatAndProfile, WeighsWhatAViewOfTheSamplesWeighs) {
  if (!totals_reader(std::string{format().name})) GTEST_SKIP() << format().name << " holds no weights";
  const ProfileView view{.since = 10ns, .merge_threads = true, .depth = 2};
  expect_weights(view_of(profile(), view), format().name, written(format(), view_of(profile(), view)));
}

/// Formats whose viewers take so much and no more.
class DrawnFormat : public testing::Test {
 protected:
  /// As many calls as make each format too large, in two threads, and one that is most of the time.
  static Profile many_small_calls() {
    std::string folded = "main;large 20000\n[Worker] main;large 20000\n";
    for (int i = 0; i < 2100; ++i) {
      folded += fmt::format("{}main;f{};load 1 11 7\n", i % 3 == 0 ? "[Worker] " : "", i);
    }
    const Profile profile = profile_of(folded);
    ProfileTables tables = Profile{profile}.take_tables();
    for (Function& function : tables.functions) {
      if (function.name.starts_with('f')) function.unique_name.append(100'000, 'x');
    }
    return {std::move(tables), profile.sample_source()};
  }
};
class EveryDrawnFormat : public DrawnFormat, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Table, EveryDrawnFormat,
                         testing::Values("chrome", "firefox", "html", "perfetto", "speedscope"),
                         [](const auto& row) { return std::string{row.param}; });

TEST_P(EveryDrawnFormat, PutsSmallCallsTogetherWhereEvenTotalsAreTooLarge) {
  const Profile profile = many_small_calls();
  const std::string bytes = written(*find_format(GetParam()), profile);
  EXPECT_LT(bytes.size(), 1'000'000U);
  EXPECT_TRUE(bytes.find("[calls below 0.05 %]") != std::string::npos);
  expect_weights(profile, GetParam(), bytes);
}

TEST_P(EveryDrawnFormat, SaysThatSmallCallsAreTogether) {
  if (std::string_view{GetParam()} == "html") GTEST_SKIP() << "the page says it by itself, of its threshold";
  const std::string bytes = written(*find_format(GetParam()), many_small_calls());
  EXPECT_TRUE(bytes.find("Worker, calls below 0.05 % put together") != std::string::npos);
}

TEST_F(DrawnFormat, ShowsAllCallsWhereTheWholeIsWanted) {
  StringSink sink;
  find_format("perfetto")->write(many_small_calls(), {.timeline = WriteOptions::Timeline::whole}, sink);
  EXPECT_GT(sink.text().size(), 200'000'000U);
  EXPECT_TRUE(sink.text().find("[calls below") == std::string::npos);
}

TEST(FormatTable, NamesAndExtensionsAreUnique) {
  std::set<std::string_view> names;
  std::set<std::string_view> extensions;
  for (const Format& format : formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_TRUE(extensions.insert(format.extension).second) << format.extension;
  }
}

TEST(FormatTable, UnknownNameIsNotFound) {
  EXPECT_EQ(find_format("speedscop"), nullptr);
  EXPECT_EQ(find_format(""), nullptr);
  EXPECT_EQ(format_of_path("out.unknown"), nullptr);
}

}  // namespace
}  // namespace gauge
