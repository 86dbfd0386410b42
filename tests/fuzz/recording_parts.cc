#include "tests/fuzz/recording_parts.h"

#include <algorithm>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/frame_writer.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/little_endian.h"

namespace gauge {
namespace {

constexpr std::size_t kPartHeaderBytes = 3;

/// What stands before the Metadata message repeats some of it: where they differ, nothing else would be looked at.
gpf::Metadata readable_metadata(std::string_view bytes) {
  try {
    return gpf::decode_metadata(bytes);
  } catch (const Error&) {
    return {};
  }
}

std::string header_of(std::string_view bytes, gpf::FrameWriter& frames) {
  const gpf::Metadata metadata = readable_metadata(bytes);
  std::string content{gpf::magic()};
  gpf::append_little_endian(static_cast<std::uint16_t>(metadata.format_major), content);
  gpf::append_little_endian(static_cast<std::uint16_t>(metadata.format_minor), content);
  gpf::append_little_endian(metadata.incompatible_features, content);
  gpf::append_little_endian(metadata.read_only_incompatible_features, content);
  gpf::append_little_endian(metadata.ignorable_features, content);
  content += frames.compress(bytes);
  std::string header;
  gpf::append_little_endian(gpf::kSkippableMagic, header);
  gpf::append_little_endian(static_cast<std::uint32_t>(content.size()), header);
  return header + content;
}

std::string frame_of(const Part& part, gpf::FrameWriter& frames) {
  if (part.kind == PartKind::raw) return part.bytes;
  if (part.kind == PartKind::skippable_frame) {
    std::string frame;
    gpf::append_little_endian(gpf::kSkippableMagic + 1, frame);
    gpf::append_little_endian(static_cast<std::uint32_t>(part.bytes.size()), frame);
    return frame + part.bytes;
  }
  std::string frame{frames.compress(part.bytes)};
  if (part.kind == PartKind::cut_frame) frame.resize(frame.size() - std::min<std::size_t>(frame.size(), 7));
  if (part.kind == PartKind::damaged_frame) frame.back() = static_cast<char>(frame.back() ^ 1);
  return frame;
}

}  // namespace

RecordingInput parse_input(std::string_view bytes) {
  RecordingInput input;
  if (bytes.empty()) return input;
  input.flags = static_cast<std::uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  while (bytes.size() >= kPartHeaderBytes) {
    const auto kind = static_cast<PartKind>(static_cast<std::uint8_t>(bytes[0]) % kPartKinds);
    const auto size = gpf::read_little_endian<std::uint16_t>(bytes, 1);
    bytes.remove_prefix(kPartHeaderBytes);
    input.parts.push_back({kind, std::string{bytes.substr(0, size)}});
    bytes.remove_prefix(std::min<std::size_t>(size, bytes.size()));
  }
  return input;
}

std::string serialize(const RecordingInput& input) {
  std::string bytes(1, static_cast<char>(input.flags));
  for (const Part& part : input.parts) {
    bytes += static_cast<char>(part.kind);
    gpf::append_little_endian(static_cast<std::uint16_t>(part.bytes.size()), bytes);
    bytes += part.bytes;
  }
  return bytes;
}

std::string recording_of(std::string_view bytes) {
  if (bytes.empty()) return {};
  const RecordingInput input = parse_input(bytes);
  if ((input.flags & RecordingInput::kRawFlag) != 0) return std::string{bytes.substr(1)};
  gpf::FrameWriter frames;
  std::string file;
  for (const Part& part : input.parts) file += file.empty() ? header_of(part.bytes, frames) : frame_of(part, frames);
  return file;
}

}  // namespace gauge
