// Makes the zstd frames of a .gpf file.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "formats/gpf/records.h"

namespace gauge::gpf {

/// Compresses contents into canonical frames (see framing.h). Keeps its buffers: nothing is allocated once they have
/// grown to the size of the largest block. Not thread-safe.
class FrameWriter {
 public:
  FrameWriter();
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;
  ~FrameWriter();

  /// @param content     at most kMaxBlockBytes, else Error(usage)
  /// @param boundaries  where its statistics change, ascending: there a new zstd block, with codes of its own, begins
  /// @return            the frame; valid until the next call
  [[nodiscard]] std::string_view compress(std::string_view content, std::span<const std::size_t> boundaries = {});
  /// A frame of the same kind for a moment: made in a tenth of the time, and hardly smaller than its content.
  [[nodiscard]] std::string_view wrap(std::string_view content);
  /// The first frame of a file.
  [[nodiscard]] std::string header(const Metadata& metadata);

 private:
  class Context;
  void reserve(std::string_view content, std::size_t parts);
  std::unique_ptr<Context> context_;
  std::string frame_;
};

}  // namespace gauge::gpf
