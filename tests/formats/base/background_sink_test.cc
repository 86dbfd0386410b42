#include "formats/base/background_sink.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "formats/base/error.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPiece = BackgroundSink::kPieceBytes;

/// Does something with each piece.
class SinkThat final : public Sink {
 public:
  explicit SinkThat(std::function<void(std::string_view)> take) : take_(std::move(take)) {}
  void write(std::string_view bytes) override { take_(bytes); }

 private:
  std::function<void(std::string_view)> take_;
};

TEST(BackgroundSink, WhatIsWrittenArrivesInOrder) {
  for (const std::size_t count : {0U, 1U, 1000U, 300'000U}) {
    std::string expected;
    StringSink target;
    BackgroundSink sink{target};
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text = std::to_string(i) + ' ';
      sink.write(text);
      expected += text;
    }
    sink.finish();
    ASSERT_EQ(target.text(), expected);
  }
}

TEST(BackgroundSink, WritesWhileTheNextBytesAreMade) {
  std::atomic<bool> has_more_been_made = false;
  SinkThat target{[&](std::string_view /*bytes*/) {
    while (!has_more_been_made) std::this_thread::sleep_for(100us);
  }};
  BackgroundSink sink{target};
  sink.write(std::string(kPiece, 'a'));
  sink.write("made meanwhile");
  has_more_been_made = true;
  sink.finish();
}

TEST(BackgroundSink, HoldsTwoPiecesAndNoMore) {
  std::atomic<std::size_t> written = 0;
  SinkThat target{[&](std::string_view bytes) {
    std::this_thread::sleep_for(1ms);
    written += bytes.size();
  }};
  BackgroundSink sink{target};
  for (std::size_t made = kPiece; made <= 20 * kPiece; made += kPiece) {
    sink.write(std::string(kPiece, 'a'));
    EXPECT_GE(written + 2 * kPiece, made);
  }
  sink.finish();
  EXPECT_EQ(written, 20 * kPiece);
}

TEST(BackgroundSink, TheErrorOfTheOtherSinkComesThrough) {
  SinkThat full{[](std::string_view /*bytes*/) { throw Error(ErrorCode::io, "disk: full"); }};
  {
    BackgroundSink sink{full};
    sink.write("a");
    EXPECT_THROW(sink.finish(), Error);
  }
  BackgroundSink sink{full};
  const auto write_on = [&] {
    for (int i = 0; i < 3; ++i) sink.write(std::string(kPiece, 'a'));
  };
  EXPECT_THROW(write_on(), Error);
}

TEST(BackgroundSink, WithoutFinishTheRestIsForgotten) {
  StringSink target;
  { BackgroundSink{target}.write("half a fi"); }
  EXPECT_EQ(target.text(), "");
}

}  // namespace
}  // namespace gauge
