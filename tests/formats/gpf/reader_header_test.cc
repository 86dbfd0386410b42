// What the reader makes of the header: versions, features, and files that are no recordings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "formats/base/error.h"
#include "tests/formats/gpf/reader_testing.h"
#include "tests/support/recording_builder.h"

namespace gauge::gpf {
namespace {

using ::testing::HasSubstr;

// The prefix of the header; see framing.h.
constexpr std::size_t kMajorAt = 16;
constexpr std::size_t kIncompatibleAt = 20;

TEST(Reader, NewerMajorVersionIsRefusedWithBothVersions) {
  Metadata metadata = test_metadata();
  metadata.format_major = 2;
  metadata.format_minor = 3;
  const Error error = error_of(RecordingBuilder{metadata}.finish());
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(),
               "test.gpf: format version 2.3 is newer than 1.2, the newest this gauge reads; upgrade gauge");
}

TEST(Reader, NewerMajorVersionIsRecognisedThoughItsMetadataIsNot) {
  std::string bytes = RecordingBuilder{}.finish();
  bytes[kMajorAt] = 9;
  bytes[frame_ends(bytes)[0] - 1] ^= 1;
  EXPECT_EQ(error_of(bytes).code(), ErrorCode::unsupported);
}

TEST(Reader, NewerMinorVersionIsRead) {
  Metadata metadata = test_metadata();
  metadata.format_minor = 7;
  EXPECT_TRUE(read_all(RecordingBuilder{metadata}.finish()).report.is_complete());
}

TEST(Reader, UnknownIncompatibleFeatureIsRefused) {
  Metadata metadata = test_metadata();
  metadata.incompatible_features = 4;
  const Error error = error_of(RecordingBuilder{metadata}.finish());
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(), "test.gpf: uses features this gauge does not know (mask 0x4); upgrade gauge");
}

TEST(Reader, FeaturesThatOnlyWritersMustKnowAreIgnored) {
  Metadata metadata = test_metadata();
  metadata.read_only_incompatible_features = 1;
  metadata.ignorable_features = 0x80000000;
  EXPECT_TRUE(read_all(RecordingBuilder{metadata}.finish()).report.is_complete());
}

TEST(Reader, ChangedVersionIsDamageNotANewerFile) {
  std::string bytes = RecordingBuilder{}.finish();
  bytes[kMajorAt] = 2;
  EXPECT_EQ(error_of(bytes).code(), ErrorCode::corrupt);
  bytes = RecordingBuilder{}.finish();
  bytes[kIncompatibleAt] = 1;
  EXPECT_EQ(error_of(bytes).code(), ErrorCode::corrupt);
}

TEST(Reader, EmptyFileIsNamed) {
  EXPECT_STREQ(error_of("").what(), "test.gpf: is empty (0 bytes); give a recording made by gauge record");
}

TEST(Reader, HeaderSpoiltByTextConversionIsNamed) {
  std::string bytes = three_blocks();
  const std::size_t crlf = bytes.find("\r\n");
  bytes.erase(crlf, 1);  // as a transfer in text mode does
  EXPECT_THAT(error_of(bytes).what(), HasSubstr("text conversion"));
}

struct Stranger {
  std::string bytes;
  std::string looks_like;
};

class ReaderOfStrangers : public ::testing::TestWithParam<Stranger> {};

TEST_P(ReaderOfStrangers, SaysWhatTheFileLooksLike) {
  const Error error = error_of(GetParam().bytes);
  EXPECT_EQ(error.code(), ErrorCode::corrupt);
  EXPECT_EQ(error.what(), "test.gpf: is not a gauge recording (it looks like " + GetParam().looks_like +
                              "); give a recording made by gauge record");
}

INSTANTIATE_TEST_SUITE_P(
    Formats, ReaderOfStrangers,
    ::testing::Values(Stranger{"import sys\nprint(sys.argv)\n", "text"}, Stranger{"  {\"frames\": []}", "JSON"},
                      Stranger{"<!doctype html>", "HTML or XML"}, Stranger{"\n \n", "blank text"},
                      Stranger{"\x1f\x8b\x08\x00", "gzip data: unpack it first"},
                      Stranger{"\x28\xb5\x2f\xfd\x24\x05\x29", "zstd data without a recording's header"},
                      Stranger{"\x7f"
                               "ELF\x02\x01\x01",
                               "an executable or a shared library"},
                      Stranger{"PERFILE2\x68", "a perf.data file of Linux perf"},
                      Stranger{"HCAT\x01", "a binary profile of CPython's profiling.sampling"},
                      Stranger{"\x80\x04\x95\x0a", "a pickle"},
                      Stranger{"\xfb\xa9\x03\xda", "a pstats file or other marshalled data"},
                      Stranger{"{(\x03\x00", "a pstats file or other marshalled data"},
                      Stranger{std::string(64, '\0'), "nothing but zeros"},
                      Stranger{"\x01\x02\x03\xff", "unknown data"}));

}  // namespace
}  // namespace gauge::gpf
