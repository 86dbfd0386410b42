#include "formats/gzip_sink.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "formats/base/error.h"
#include "tests/formats/gunzip.h"

namespace gauge {
namespace {

std::string gzip(const std::string& bytes, std::size_t piece = 1000) {
  StringSink sink;
  GzipSink gzip{sink};
  for (std::size_t at = 0; at < bytes.size(); at += piece) gzip.write(bytes.substr(at, piece));
  gzip.finish();
  return sink.text();
}

std::string varied_text(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < size) {
    state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator
    text += static_cast<char>(state >> 24U);
  }
  return text;
}

TEST(GzipSink, WhatIsWrittenComesOutAgain) {
  for (const std::size_t size : {0U, 1U, 5000U, 1'000'000U}) {
    EXPECT_EQ(gunzip(gzip(varied_text(size))), varied_text(size));
  }
}

TEST(GzipSink, BytesDoNotTellTheTimeNorAName) {
  const std::string bytes = gzip("text");
  EXPECT_EQ(bytes.substr(0, 4), "\x1f\x8b\x08" + std::string(1, '\0'));  // RFC 1952: deflate, no flags, so no name
  EXPECT_EQ(bytes.substr(4, 4), std::string(4, '\0'));                   // MTIME
}

TEST(GzipSink, TheErrorOfTheSinkBehindComesThrough) {
  class FullSink final : public Sink {
    void write(std::string_view bytes) override {
      if (!bytes.empty()) throw Error(ErrorCode::io, "disk: full");
    }
  } full;
  GzipSink sink{full};
  EXPECT_THROW(
      {
        sink.write(varied_text(1'000'000));
        sink.finish();
      },
      Error);
}

}  // namespace
}  // namespace gauge
