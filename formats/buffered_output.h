// Gathers the many small pieces a writer makes into few writes to its sink.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include "formats/base/sink.h"

namespace gauge {

/// Bytes in order. What was appended last reaches the sink with finish(), which must therefore be called last; without
/// it, as when an error unwinds, it is forgotten. Every function throws Error(io) when the sink does.
class BufferedOutput {
 public:
  explicit BufferedOutput(Sink& sink) : sink_(sink) {}
  BufferedOutput(const BufferedOutput&) = delete;
  BufferedOutput& operator=(const BufferedOutput&) = delete;

  template <typename... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
    if (buffer_.size() >= kFlushBytes) finish();
  }
  /// The same for FMT_COMPILE(...): where it is called for every sample.
  template <typename Compiled, typename... Args>
  void print_compiled(const Compiled& format, Args&&... args) {
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
    if (buffer_.size() >= kFlushBytes) finish();
  }
  void append(std::string_view bytes) {
    buffer_.append(bytes.data(), bytes.data() + bytes.size());
    if (buffer_.size() >= kFlushBytes) finish();
  }
  /// Where the next bytes are put, of which there is place for so many, and which wrote() hands in: for a piece that is
  /// put together from so many numbers that asking for place for each would take as long as writing them.
  [[nodiscard]] char* room(std::size_t bytes) {
    buffer_.reserve(buffer_.size() + bytes);
    return buffer_.data() + buffer_.size();
  }
  /// @param end  behind the last byte of what was put from room() on
  void wrote(const char* end) {
    buffer_.resize(static_cast<std::size_t>(end - buffer_.data()));
    if (buffer_.size() >= kFlushBytes) finish();
  }
  void finish() {
    if (buffer_.size() == 0) return;
    sink_.write({buffer_.data(), buffer_.size()});
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kFlushBytes = std::size_t{64} << 10;

  Sink& sink_;
  fmt::memory_buffer buffer_;
};

}  // namespace gauge
