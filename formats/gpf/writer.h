// Writes a .gpf recording: interns names and stacks, gathers samples in columns, closes a block about every second.
//
// Runs inside the recorded process (on the stream thread) as well as in tests and in `gauge merge`; so no protobuf
// runtime. Every block is handed to the sink in one write, whole: what a killed process leaves is a row of good blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "formats/base/sink.h"
#include "formats/gpf/records.h"
#include "formats/gpf/sample_columns.h"

namespace gauge::gpf {

/// A code object by its texts: UTF-8, lone surrogates as three bytes; empty = unknown.
struct FunctionText {
  std::string_view name;
  std::string_view qualified_name;
  std::string_view module;
  std::string_view file;
  std::uint32_t first_line = 0;
  FunctionKind kind = FunctionKind::plain;
};

/// A thread. Source of the rest: Thread in schemas/gauge.proto.
struct ThreadText {
  std::uint32_t id = 0;
  std::uint64_t native_id = 0;
  std::uint64_t python_id = 0;
  std::string_view name;
  std::int64_t interpreter = 0;
  std::uint32_t whole_id = 0;
};

struct WriterOptions {
  std::uint32_t max_block_samples = 4096;  // 1 to kMaxBlockSamples
  std::chrono::nanoseconds max_block_time = std::chrono::seconds{1};
};

/// Not thread-safe. Every function that may write throws Error(io) when the sink does; after that the writer takes
/// calls but writes nothing more (what is on disk stays readable).
class Writer {
 public:
  /// Writes the header at once. `sink` must outlive the writer.
  Writer(Sink& sink, const Metadata& metadata, const WriterOptions& options = {});
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();  // does not write: a recording without finish() is a cut one, and says so

  /// Interning: equal content gives the equal id, defined in the file before its first use. Ids start at 1.
  [[nodiscard]] std::uint32_t string(std::string_view text);  // "" is 0
  [[nodiscard]] std::uint32_t function(const FunctionText& text);
  [[nodiscard]] std::uint32_t frame(std::uint32_t function, std::uint32_t line, std::uint32_t column = 0);
  [[nodiscard]] std::uint32_t stack(std::uint32_t parent, std::uint32_t frame);  // parent 0 = frame is a root

  /// Defines thread `thread.id`, or renames it.
  void define_thread(const ThreadText& thread);

  /// Defines an asyncio task: by its name, or, with "" for it, by the number that asyncio gives it (0 = unknown).
  /// @param id        1 for the first task, and one more for each that follows
  /// @param whole_id  see schemas/gauge.proto; 0 = the same
  void define_task(std::uint32_t id, std::string_view name, std::uint64_t number, std::uint32_t whole_id = 0);

  /// Adds a sample; closes the block first when it is full or old enough.
  void append(const SampleRecord& sample);
  /// From the next block on, samples after a gap stand for `interval`. Closes the open block if it changes.
  void set_interval(std::chrono::nanoseconds interval);
  /// Losses::samples is counted here; the rest goes into the next block as given.
  void set_losses(const Losses& losses);
  void add_clock(const ClockAnchor& anchor);

  /// Writes the open block if it holds anything.
  void flush();
  /// Writes the open block and the end record. Nothing may follow. After a write that failed, tries once more: there
  /// may be room for so little.
  void finish(const End& end);

  /// The open block as it stands, as one frame of the same kind: what would be lost now. Hardly compressed, as the
  /// next one replaces it. Empty where it holds no samples and defines nothing; valid until the next call of this or
  /// of the next function. The block stays open.
  [[nodiscard]] std::string_view open_block();
  /// Bytes that the open block would take now if it was closed, or a few more.
  [[nodiscard]] std::size_t open_bytes();
  /// CPU time of a thread that rounding has kept back so far, for its next sample: less than a unit.
  [[nodiscard]] std::chrono::nanoseconds cpu_rest(std::uint32_t thread) const;
  /// The header frame, as it was written.
  [[nodiscard]] std::string_view header() const noexcept;

  /// Bytes handed to the sink so far.
  [[nodiscard]] std::uint64_t bytes_written() const noexcept;
  /// Blocks handed to the sink so far.
  [[nodiscard]] std::uint64_t blocks() const noexcept;
  /// Samples appended so far.
  [[nodiscard]] std::uint64_t samples() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauge::gpf
