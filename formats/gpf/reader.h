// Reads .gpf recordings block by block.
//
// A file holds one recording, or several, one after the other. It may end anywhere: the recorded process can be killed.
// Every whole block is delivered, the rest is counted in the report. A damaged block is skipped and counted; the blocks
// after it are delivered. Only a file that is no .gpf at all, whose first header is damaged, or that is of a newer
// major version is an Error. What a killed recorder kept beside the file, its open block, is read as the last block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gpf/records.h"

namespace gauge::gpf {

/// A region of the file that could not be used.
struct Damage {
  std::uint64_t offset = 0;            // first byte
  std::uint64_t bytes = 0;             // length; 0 = something is missing at `offset`
  std::optional<std::uint64_t> block;  // index of the block it is, where it still looks like one
  std::string what;                    // "checksum does not match", ...
};

struct ReadReport {
  std::uint64_t file_offset = 0;    // where in its file the recording begins
  std::uint64_t file_bytes = 0;     // that it takes there
  std::uint64_t blocks = 0;         // delivered
  std::uint64_t samples = 0;        // in them
  std::vector<Damage> damage;       // in file order, the cut-off tail not included; offsets are of the file
  std::uint64_t dropped_bytes = 0;  // of the cut-off tail
  bool truncated = false;           // no end record
  bool has_open_block = false;      // the last block is from the file beside this one

  [[nodiscard]] bool is_complete() const noexcept { return damage.empty() && !truncated; }
};

/// What visits the frames of a recording. One of a later version, which readers pass over, comes without a block; a
/// long one of them, in pieces. Valid during the call.
using FrameVisitor = std::function<void(std::string_view bytes, const Block* block)>;

/// An open recording: its blocks can be read any number of times, in any order, from several threads at once.
class Recording {
 public:
  /// Opens a file and finds its recordings and their blocks, and the open one beside it. Bytes that a growing file
  /// gains later are not seen. Where a recording begins whose header cannot be read, it is damage of the one before.
  /// @return at least one
  /// @throws Error(io)           the file cannot be opened or read
  /// @throws Error(corrupt)      not a .gpf: says what it looks like; or its header is damaged
  /// @throws Error(unsupported)  written by a newer major version or with features this reader does not know
  static std::vector<Recording> open_all(const std::string& path);
  /// The first one: of a file that a recorder has made, all.
  static Recording open(const std::string& path);
  /// The same for bytes in memory; `subject` stands for the path in messages.
  static std::vector<Recording> all_from_bytes(std::string bytes, const std::string& subject);
  static Recording from_bytes(std::string bytes, const std::string& subject);

  Recording(Recording&&) noexcept;
  Recording& operator=(Recording&&) noexcept;
  ~Recording();

  [[nodiscard]] const std::string& path() const noexcept;
  [[nodiscard]] const Metadata& metadata() const noexcept;
  /// Frames that look like blocks; some may prove damaged when decoded. The open block, kept beside, is the last one.
  [[nodiscard]] std::size_t block_count() const noexcept;
  /// Decodes block `index`, 0 to block_count() - 1. @return std::nullopt where it is damaged. Thread-safe.
  [[nodiscard]] std::optional<Block> block(std::size_t index) const;
  /// Why block `index` could not be decoded. Empty for a good one.
  [[nodiscard]] std::optional<Damage> damage(std::size_t index) const;
  /// Calls `observer` for each block that any later pass over the recording has come past, on the thread that reads.
  void on_block(std::function<void()> observer);
  /// Decodes every good block in file order, and tells what was lost. A block that stands twice is delivered once.
  ReadReport for_each_block(const std::function<void(const Block&)>& visit) const;
  /// The same, with the frames as they stand in the file, those of later versions included.
  ReadReport for_each_frame(const FrameVisitor& visit) const;
  /// The frame that the recording begins with.
  [[nodiscard]] std::string header() const;

 private:
  class Impl;
  class FileReader;
  explicit Recording(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauge::gpf
