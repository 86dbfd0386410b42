#include "formats/base/json_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "formats/base/error.h"

namespace gauge {
namespace {

std::string json_of(const std::function<void(JsonWriter&)>& write) {
  StringSink sink;
  JsonWriter json(sink);
  write(json);
  json.finish();
  return sink.text();
}

TEST(JsonWriter, NestsObjectsAndArrays) {
  const std::string text = json_of([](JsonWriter& json) {
    json.begin_object();
    json.member("name", "gauge");
    json.key("list");
    json.begin_array();
    json.value(1);
    json.begin_object();
    json.end_object();
    json.null();
    json.end_array();
    json.member("ok", true);
    json.end_object();
  });
  EXPECT_EQ(text, R"({"name":"gauge","list":[1,{},null],"ok":true})");
}

TEST(JsonWriter, EscapesWhatJsonDemandsAndLeavesUnicodeAlone) {
  const std::string text = json_of([](JsonWriter& json) { json.value("\"\\\n\x01\x7f/é𝄞"); });
  EXPECT_EQ(text, "\"\\\"\\\\\\n\\u0001\x7f/é𝄞\"");  // RFC 8259, section 7
}

TEST(JsonWriter, KeepsZeroBytesInText) {
  using namespace std::string_view_literals;
  EXPECT_EQ(json_of([](JsonWriter& json) { json.value("a\0b"sv); }), R"("a\u0000b")");
}

TEST(JsonWriter, WritesIntegersExactly) {
  const std::string text = json_of([](JsonWriter& json) {
    json.begin_array();
    json.value(std::numeric_limits<std::int64_t>::min());
    json.value(std::numeric_limits<std::uint64_t>::max());
    json.value(std::uint32_t{0});
    json.end_array();
  });
  EXPECT_EQ(text, "[-9223372036854775808,18446744073709551615,0]");
}

TEST(JsonWriter, WritesTheShortestTextOfADouble) {
  EXPECT_EQ(json_of([](JsonWriter& json) { json.value(0.1); }), "0.1");
}

TEST(JsonWriter, RefusesNumbersThatJsonHasNot) {
  StringSink sink;
  JsonWriter json(sink);
  EXPECT_THROW(json.value(std::numeric_limits<double>::quiet_NaN()), Error);
}

TEST(JsonWriter, RefusesTextThatIsNotUtf8AndShowsIt) {
  StringSink sink;
  JsonWriter json(sink);
  try {
    json.value("a\xed\xb2\x80");  // a lone surrogate, U+DC80
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt);
    EXPECT_STREQ(error.what(), "json: text is not UTF-8 (\"a\\xed\\xb2\\x80\"); repair it before it is written");
  }
}

TEST(JsonWriter, EmptyViewsAreEmptyTexts) {
  const std::string text = json_of([](JsonWriter& json) {
    json.begin_object();
    json.member(std::string_view{}, std::string_view{});
    json.end_object();
  });
  EXPECT_EQ(text, R"({"":""})");
}

TEST(JsonWriter, HandsLargeDocumentsOverInPieces) {
  class CountingSink final : public Sink {
   public:
    void write(std::string_view bytes) override {
      largest = std::max(largest, bytes.size());
      total += bytes.size();
    }
    std::size_t largest = 0;
    std::size_t total = 0;
  } sink;
  JsonWriter json(sink);
  json.begin_array();
  for (int i = 0; i < 1'000'000; ++i) json.value(7);
  json.end_array();
  json.finish();
  EXPECT_EQ(sink.total, 2'000'001U);  // a digit and a comma each, two brackets, one comma less
  EXPECT_LT(sink.largest, 100'000U);
}

class FullSink final : public Sink {
 public:
  void write(std::string_view) override { throw Error{ErrorCode::io, "full"}; }
};

TEST(JsonWriter, PassesTheErrorOfItsSinkOn) {
  FullSink sink;
  JsonWriter json(sink);
  json.value("x");
  EXPECT_THROW(json.finish(), Error);
}

}  // namespace
}  // namespace gauge
