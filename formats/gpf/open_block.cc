#include "formats/gpf/open_block.h"

#include <algorithm>
#include <filesystem>
#include <ranges>

#include "formats/base/error.h"
#include "formats/gpf/byte_source.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/frame_index.h"
#include "formats/gpf/frame_reader.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/header.h"

namespace gauge::gpf {
namespace {

std::optional<OpenBlock> last_good_block(const ByteSource& source, const FrameIndex& index) {
  std::string frame;
  std::string content;
  for (const FrameExtent& extent : std::ranges::reverse_view(index.blocks)) {
    try {
      const std::string_view bytes = source.read(extent.offset, static_cast<std::size_t>(extent.bytes), frame);
      return OpenBlock{
          .metadata = {}, .block = decode_block(decompress_frame(bytes, content)), .frame = std::string{bytes}};
    } catch (const Error&) {
      continue;  // the version before it is nearly as good
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<OpenBlock> read_open_block(const std::string& path) {
  const std::string beside = path + std::string{kOpenBlockSuffix};
  std::error_code error;
  if (!std::filesystem::is_regular_file(beside, error)) return std::nullopt;
  try {
    const std::unique_ptr<ByteSource> source = open_file(beside);
    Header header = read_header(*source, 0, beside);
    std::optional<OpenBlock> open_block = last_good_block(*source, index_frames(*source, header.bytes));
    if (open_block) open_block->metadata = std::move(header.metadata);
    return open_block;
  } catch (const Error&) {
    return std::nullopt;  // somebody else's file, or gone meanwhile; the recording itself is whole without it
  }
}

}  // namespace gauge::gpf
