// What the tests of the reader share: a recording of three blocks, where its frames end, and what is read of bytes.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/reader.h"
#include "formats/gpf/records.h"
#include "tests/support/recording_builder.h"

namespace gauge::gpf {

inline Recording reading(const std::string& bytes) { return Recording::from_bytes(bytes, "test.gpf"); }

struct Delivered {
  std::vector<Block> blocks;
  ReadReport report;
};

inline Delivered read_all(const Recording& recording) {
  Delivered delivered;
  delivered.report = recording.for_each_block([&](const Block& block) { delivered.blocks.push_back(block); });
  return delivered;
}

inline Delivered read_all(const std::string& bytes) { return read_all(reading(bytes)); }

inline Error error_of(const std::string& bytes) {
  try {
    (void)reading(bytes);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "was accepted";
  return Error{ErrorCode::usage, ""};
}

/// Three blocks, of 2, 1 and 3 samples; the last one has the end record.
inline std::string three_blocks() {
  return RecordingBuilder{}
      .samples(2, {.stack = "main;load", .cpu = std::chrono::milliseconds{4}})
      .next_block()
      .sample({.stack = "main;parse", .thread = 2})
      .next_block()
      .samples(3, {.stack = "main;load;read@lib/io.py:10:12", .status = kOnCpu | kGilHeld, .same_frames = 2})
      .finish();
}

/// Where the header and each block of a recording end.
inline std::vector<std::size_t> frame_ends(const std::string& bytes) {
  std::vector<std::size_t> ends;
  std::size_t next = bytes.find("\x28\xb5\x2f\xfd", 40);  // past the metadata's own frame
  while (next != std::string::npos) {
    ends.push_back(next);
    next = bytes.find("\x28\xb5\x2f\xfd", next + 1);
  }
  ends.push_back(bytes.size());
  return ends;
}

}  // namespace gauge::gpf
