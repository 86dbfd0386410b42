// Recordings with known content, so that a test reads like its subject:
//
//   const std::string bytes = RecordingBuilder{}
//                                 .sample({.stack = "main;load"})
//                                 .next_block()
//                                 .sample({.stack = "main;parse", .after = 20ms, .cpu = 5ms})
//                                 .finish();
//
// Frames read NAME or MODULE::QUALIFIED.NAME, then @FILE, @FILE:FIRST_LINE, @FILE:FIRST_LINE:LINE or
// @FILE:FIRST_LINE:LINE:COLUMN (default file prog.py, first line 1, executing line = first line, column 0), as in
// profile_of.h; but without its escapes. Where the metadata say CPython 3.9 or 3.10, the recording gets the last part
// of the name alone, as from a recorder there.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "formats/gpf/records.h"

namespace gauge {

/// Of process 42, sampled every 10 ms from 1 s (CLOCK_MONOTONIC), which was 2023-11-14 22:13:20 UTC, on.
[[nodiscard]] gpf::Metadata test_metadata();

struct TestSample {
  std::string_view stack;                                          // root first, by ';'; "" = no Python frames
  std::chrono::nanoseconds after = std::chrono::milliseconds{10};  // since the sample before, of any thread
  std::uint32_t thread = 1;
  std::chrono::nanoseconds cpu{};
  std::uint32_t status = 0;  // kAfterGap is added to the first sample of each thread, as the recorder does
  std::uint32_t same_frames = 0;
  std::string_view task;  // its name; "" = none. Equal names are one task, "Task-N" has asyncio's number N
  std::uint32_t outer_frames = 0;
  std::uint32_t task_same_frames = 0;
};

class RecordingBuilder {
 public:
  explicit RecordingBuilder(const gpf::Metadata& metadata = test_metadata());
  RecordingBuilder(RecordingBuilder&&) noexcept;
  RecordingBuilder& operator=(RecordingBuilder&&) noexcept;
  ~RecordingBuilder();

  /// Names a thread. One that is not named is defined with its first sample: "MainThread" is 1, "Thread-N" the others.
  RecordingBuilder& thread(std::uint32_t id, std::string_view name);
  RecordingBuilder& sample(const TestSample& sample);
  RecordingBuilder& samples(int count, const TestSample& sample);
  /// What samples after a gap stand for, from here on.
  RecordingBuilder& interval(std::chrono::nanoseconds interval);
  RecordingBuilder& losses(const gpf::Losses& losses);
  RecordingBuilder& clock(const gpf::ClockAnchor& anchor);
  RecordingBuilder& next_block();

  /// The whole file. Call once, or cut() once, last.
  [[nodiscard]] std::string finish(std::string_view reason = "stop");
  /// The file of a recorder that was killed after its last whole block: without an end record.
  [[nodiscard]] std::string cut();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauge
