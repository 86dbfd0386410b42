#include "cli/quantities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::Throws;

auto complains(const std::string& beginning, const std::string& remedy) {
  return Throws<Error>(
      testing::Property(&Error::what, AllOf(StartsWith(beginning), HasSubstr("; "), HasSubstr(remedy))));
}

TEST(ParseRate, ReadsSamplesPerSecond) {
  EXPECT_EQ(parse_rate("100", "-r"), 10ms);
  EXPECT_EQ(parse_rate("100hz", "-r"), 10ms);
  EXPECT_EQ(parse_rate("100 Hz", "-r"), 10ms);
  EXPECT_EQ(parse_rate("10khz", "-r"), 100us);
  EXPECT_EQ(parse_rate("1.5kHz", "-r"), 666667ns);
  EXPECT_EQ(parse_rate(".5", "-r"), 2s);
}

TEST(ParseRate, TakesItsOwnLimits) {
  EXPECT_EQ(parse_rate("100khz", "-r"), 10us);
  EXPECT_EQ(parse_rate("0.02", "-r"), 50s);
}

TEST(ParseRate, RefusesZeroAndLess) {
  EXPECT_THAT([] { (void)parse_rate("0", "--rate"); }, complains("--rate: '0' takes no samples", "100"));
  EXPECT_THAT([] { (void)parse_rate("-5", "--rate"); }, complains("--rate: '-5' takes no samples", "100"));
}

TEST(ParseRate, RefusesWhatIsTooFastOrTooSlow) {
  EXPECT_THAT([] { (void)parse_rate("1ghz", "-r"); }, complains("-r: '1ghz' is too fast", "at most 100 khz"));
  EXPECT_THAT([] { (void)parse_rate("100001", "-r"); }, complains("-r: '100001' is too fast", "at most 100 khz"));
  EXPECT_THAT([] { (void)parse_rate("0.01", "-r"); }, complains("-r: '0.01' is too slow", "a minute"));
}

TEST(ParseRate, RefusesWhatIsNoRate) {
  for (const char* text :
       {"", " ", "fast", "10ms", "10 k", "inf", "nan", "0x10", "1e3", "--", "1,000", "100hz!", "."}) {
    EXPECT_THAT([&] { (void)parse_rate(text, "GAUGE_RATE"); }, complains("GAUGE_RATE: '", "is not a rate")) << text;
  }
}

TEST(ParseRotation, ReadsATimeASizeOrBoth) {
  EXPECT_EQ(parse_rotation("1h", "--rotate"), (RotationLimits{.time = 1h}));
  EXPECT_EQ(parse_rotation("90 min", "--rotate"), (RotationLimits{.time = 90min}));
  EXPECT_EQ(parse_rotation("256MB", "--rotate"), (RotationLimits{.bytes = 256'000'000}));
  EXPECT_EQ(parse_rotation("64KiB", "--rotate"), (RotationLimits{.bytes = 65'536}));
  EXPECT_EQ(parse_rotation("1.5 gib", "--rotate"), (RotationLimits{.bytes = 1'610'612'736}));
  EXPECT_EQ(parse_rotation("1h,256MB", "--rotate"), (RotationLimits{.time = 1h, .bytes = 256'000'000}));
  EXPECT_EQ(parse_rotation("1GB, 1d", "--rotate"), (RotationLimits{.time = 24h, .bytes = 1'000'000'000}));
}

TEST(ParseRotation, RefusesWhatIsNoLimit) {
  for (const char* text : {"", ",", "1h,", "256", "1h 256MB", "often", "1x", "MB", "1e3s", "100%"}) {
    EXPECT_THAT([&] { (void)parse_rotation(text, "--rotate"); },
                complains("--rotate: '", "is neither a time nor a size"))
        << text;
  }
}

TEST(ParseRotation, RefusesWhatMayBeMinutesOrMegabytes) {
  EXPECT_THAT([] { (void)parse_rotation("256M", "--rotate"); }, complains("--rotate: '256M' may be", "MB"));
  EXPECT_EQ(parse_rotation("5m", "--rotate"), (RotationLimits{.time = 5min}));
}

TEST(ParseRotation, RefusesPartsOfNoUse) {
  EXPECT_THAT([] { (void)parse_rotation("0s", "--rotate"); }, complains("--rotate: '0s' is too short", "1s"));
  EXPECT_THAT([] { (void)parse_rotation("-1h", "--rotate"); }, complains("--rotate: '-1h' is too short", "1s"));
  EXPECT_THAT([] { (void)parse_rotation("10ms", "--rotate"); }, complains("--rotate: '10ms' is too short", "1s"));
  EXPECT_THAT([] { (void)parse_rotation("1KB", "--rotate"); }, complains("--rotate: '1KB' is too small", "64KiB"));
  EXPECT_THAT([] { (void)parse_rotation("0MB", "--rotate"); }, complains("--rotate: '0MB' is too small", "64KiB"));
  EXPECT_THAT([] { (void)parse_rotation("4000d", "--rotate"); }, complains("--rotate: '4000d'", "leave it out"));
  EXPECT_THAT([] { (void)parse_rotation("9999999GB", "--rotate"); }, complains("--rotate: '9999999GB'", "leave it"));
}

TEST(ParseRotation, RefusesTwoOfAKind) {
  EXPECT_THAT([] { (void)parse_rotation("1h,2h", "--rotate"); }, complains("--rotate: '2h' is a second time", "one"));
  EXPECT_THAT([] { (void)parse_rotation("1MB,2MB", "--rotate"); }, complains("--rotate: '2MB' is a second", "one"));
}

TEST(ParseInterval, ReadsTimes) {
  EXPECT_EQ(parse_interval("250us", "-i"), 250us);
  EXPECT_EQ(parse_interval("10ms", "-i"), 10ms);
  EXPECT_EQ(parse_interval("1s", "-i"), 1s);
  EXPECT_EQ(parse_interval("50000ns", "-i"), 50us);
}

TEST(ParseInterval, RefusesABareNumber) {
  EXPECT_THAT([] { (void)parse_interval("10", "-i"); }, complains("-i: '10' has no unit", "10ms"));
}

TEST(ParseInterval, RefusesZeroNegativeAndHertz) {
  EXPECT_THAT([] { (void)parse_interval("0ms", "-i"); }, complains("-i: '0ms' is no time at all", "10ms"));
  EXPECT_THAT([] { (void)parse_interval("-1ms", "-i"); }, complains("-i: '-1ms' is no time at all", "10ms"));
  EXPECT_THAT([] { (void)parse_interval("100hz", "-i"); }, complains("-i: '100hz' is not a time", "10ms"));
}

TEST(ParseDuration, ReadsTimesAndBareSeconds) {
  EXPECT_EQ(parse_duration("30s", "-d"), 30s);
  EXPECT_EQ(parse_duration("30", "-d"), 30s);
  EXPECT_EQ(parse_duration("500ms", "-d"), 500ms);
  EXPECT_EQ(parse_duration("1.5m", "-d"), 90s);
  EXPECT_EQ(parse_duration("2h", "-d"), 2h);
}

TEST(ParseDuration, RefusesNothingAndForever) {
  EXPECT_THAT([] { (void)parse_duration("0", "-d"); }, complains("-d: '0' is no time at all", "30s"));
  EXPECT_THAT([] { (void)parse_duration("-1s", "-d"); }, complains("-d: '-1s' is no time at all", "30s"));
  EXPECT_THAT([] { (void)parse_duration("1e99s", "-d"); }, complains("-d: '1e99s' is not a time", "30s"));
  EXPECT_THAT([] { (void)parse_duration("99999d", "-d"); }, complains("-d: '99999d' is more than ten years", "leave"));
}

TEST(ParseShare, KnowsPerCentOfACore) {
  EXPECT_DOUBLE_EQ(parse_share("1%", "--max-overhead"), 0.01);
  EXPECT_DOUBLE_EQ(parse_share("0.5 %", "--max-overhead"), 0.005);
  EXPECT_DOUBLE_EQ(parse_share("100%", "--max-overhead"), 1);
}

TEST(ParseShare, RefusesAllThatIsNone) {
  for (const char* text : {"", "1", "0.01", "%", "one%", "1%%", "1 percent", "nan%"}) {
    EXPECT_THAT([&] { (void)parse_share(text, "--max-overhead"); },
                complains("--max-overhead: '", "is no share of a core; write it as 1% or 0.5%"))
        << text;
  }
  EXPECT_THAT([] { (void)parse_share("0%", "-m"); }, complains("-m: '0%' leaves nothing to record with", "1%"));
  EXPECT_THAT([] { (void)parse_share("-1%", "-m"); }, complains("-m: '-1%' leaves nothing to record with", "1%"));
  EXPECT_THAT([] { (void)parse_share("101%", "-m"); }, complains("-m: '101%' is more than one core", "leave it out"));
}

TEST(ParsePercent, TakesNumbersWithAndWithoutTheSign) {
  EXPECT_DOUBLE_EQ(parse_percent("0.5%", "--min-percent"), 0.005);
  EXPECT_DOUBLE_EQ(parse_percent("100", "--min-percent"), 1);
  for (const std::string text : {"0", "-1", "101", "x", "5ms", ""}) {
    EXPECT_THAT([&] { (void)parse_percent(text, "--min-percent"); },
                complains("--min-percent: '" + text + "' is not a percentage above 0, up to 100", "0.5%"));
  }
}

TEST(ParseCount, RefusesAllButWholeNumbersFromOne) {
  EXPECT_EQ(parse_count("12", "-n"), 12U);
  for (const char* text : {"", "0", "-1", "1.5", "ten", "99999999999999999999"}) {
    EXPECT_THAT([&] { (void)parse_count(text, "--limit"); }, complains("--limit: '", "from 1 up")) << text;
  }
}

TEST(FormatTime, KeepsThreeDigits) {
  EXPECT_EQ(format_time(0ns), "0 s");
  EXPECT_EQ(format_time(999ns), "999 ns");
  EXPECT_EQ(format_time(12345ns), "12.3 us");
  EXPECT_EQ(format_time(3ms), "3.00 ms");
  EXPECT_EQ(format_time(12'345ms), "12.3 s");
  EXPECT_EQ(format_time(312s), "5 min 12 s");
  EXPECT_EQ(format_time(7500s), "2 h 5 min");
}

TEST(FormatTime, NeverRoundsToAFigureOfTheNextUnit) {
  EXPECT_EQ(format_time(999'600ns), "1.00 ms");
  EXPECT_EQ(format_time(999'999'999ns), "1.00 s");
  EXPECT_EQ(format_time(99'970ms), "100 s");
}

TEST(FormatRate, SpeaksHertz) {
  EXPECT_EQ(format_rate(10ms), "100 Hz");
  EXPECT_EQ(format_rate(100us), "10 kHz");
  EXPECT_EQ(format_rate(2s), "0.5 Hz");
  EXPECT_EQ(format_rate(0ns), "unknown rate");
}

TEST(FormatCount, GroupsThousandsAndKnowsOne) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1234567), "1 234 567");
  EXPECT_EQ(format_count(1, "sample"), "1 sample");
  EXPECT_EQ(format_count(1000, "sample"), "1 000 samples");
}

TEST(FormatBytes, SpeaksBinaryUnits) {
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1536), "1.50 KiB");
  EXPECT_EQ(format_bytes(1048575), "1.00 MiB");
  EXPECT_EQ(format_bytes(std::uint64_t{5} << 30U), "5.00 GiB");
}

}  // namespace
}  // namespace gauge::cli
