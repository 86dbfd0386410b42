#include "formats/gpf/header.h"

#include <fmt/core.h>

#include <optional>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/frame_reader.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/little_endian.h"

namespace gauge::gpf {
namespace {

constexpr std::size_t kLookBytes = 512;
constexpr std::uint32_t kKnownFeatures = 0;

Error damaged(const std::string& subject, std::string_view facts) {
  return Error{ErrorCode::corrupt,
               fmt::format("{}: its header is damaged ({}); take another copy or record again", subject, facts)};
}

Error cut(const std::string& subject, std::uint64_t bytes) {
  return Error{
      ErrorCode::corrupt,
      fmt::format("{}: ends inside its header ({} bytes): recording had hardly begun; record again", subject, bytes)};
}

std::string first_bytes() {
  std::string bytes;
  append_little_endian(kSkippableMagic, bytes);
  return bytes;
}

/// Tells a recording whose first bytes suffered from something that never was one.
void require_recording(std::string_view beginning, const std::string& subject) {
  if (beginning.empty()) {
    throw Error{ErrorCode::corrupt,
                fmt::format("{}: is empty (0 bytes); give a recording made by gauge record", subject)};
  }
  const bool has_start = beginning.starts_with(first_bytes());
  const std::string_view after =
      beginning.size() > kSkippableHeaderBytes ? beginning.substr(kSkippableHeaderBytes) : std::string_view{};
  const bool has_magic = after.starts_with(magic());
  if (has_start && has_magic) return;
  const bool may_be_cut = first_bytes().starts_with(beginning.substr(0, 4)) && magic().starts_with(after);
  if (may_be_cut) throw cut(subject, beginning.size());
  if (has_magic || beginning.find("GPF") < kSkippableHeaderBytes + kMagic.size()) {
    throw damaged(subject, "its first bytes have changed, as text conversion does");
  }
  throw Error{ErrorCode::corrupt, fmt::format("{}: is not a gauge recording (it looks like {}); give a recording made "
                                              "by gauge record",
                                              subject, describe_bytes(beginning))};
}

/// The numbers before the Metadata, in the fields that repeat them.
Metadata prefix_of(std::string_view content) {
  Metadata prefix;
  prefix.format_major = read_little_endian<std::uint16_t>(content, 8);
  prefix.format_minor = read_little_endian<std::uint16_t>(content, 10);
  prefix.incompatible_features = read_little_endian<std::uint32_t>(content, 12);
  prefix.read_only_incompatible_features = read_little_endian<std::uint32_t>(content, 16);
  prefix.ignorable_features = read_little_endian<std::uint32_t>(content, 20);
  return prefix;
}

bool agree(const Metadata& prefix, const Metadata& metadata) noexcept {
  return prefix.format_major == metadata.format_major && prefix.format_minor == metadata.format_minor &&
         prefix.incompatible_features == metadata.incompatible_features &&
         prefix.read_only_incompatible_features == metadata.read_only_incompatible_features &&
         prefix.ignorable_features == metadata.ignorable_features;
}

void require_supported(const Metadata& prefix, const std::string& subject) {
  if (prefix.format_major > kFormatMajor) {
    throw Error{ErrorCode::unsupported,
                fmt::format("{}: format version {}.{} is newer than {}.{}, the newest this gauge reads; upgrade gauge",
                            subject, prefix.format_major, prefix.format_minor, kFormatMajor, kFormatMinor)};
  }
  if ((prefix.incompatible_features & ~kKnownFeatures) != 0) {
    throw Error{ErrorCode::unsupported,
                fmt::format("{}: uses features this gauge does not know (mask {:#x}); upgrade gauge", subject,
                            prefix.incompatible_features & ~kKnownFeatures)};
  }
}

Metadata read_metadata(std::string_view frame, const Metadata& prefix, const std::string& subject) {
  try {
    std::string content;
    return decode_metadata(decompress_frame(frame, content));
  } catch (const Error& error) {
    require_supported(prefix, subject);  // a newer version may well have another header
    throw damaged(subject, fmt::format("metadata {}", error.what()));
  }
}

}  // namespace

Header read_header(const ByteSource& source, std::uint64_t offset, const std::string& subject) {
  std::string storage;
  const std::string_view beginning = source.read(offset, kLookBytes, storage);
  require_recording(beginning, subject);

  const auto content_bytes = read_little_endian<std::uint32_t>(beginning, 4);
  const std::uint64_t bytes = kSkippableHeaderBytes + std::uint64_t{content_bytes};
  if (content_bytes < kPrefixBytes || bytes > kSkippableHeaderBytes + kPrefixBytes + max_frame_bytes()) {
    throw damaged(subject, fmt::format("it claims {} bytes", content_bytes));
  }
  if (bytes > source.size() - offset) throw cut(subject, source.size() - offset);
  const std::string_view content = source.read(offset + kSkippableHeaderBytes, content_bytes, storage);
  if (content.size() < content_bytes) throw cut(subject, content.size());

  const Metadata prefix = prefix_of(content);
  Header header{.metadata = read_metadata(content.substr(kPrefixBytes), prefix, subject), .bytes = bytes};
  if (!agree(prefix, header.metadata)) throw damaged(subject, "its version or features have changed");
  require_supported(prefix, subject);
  return header;
}

}  // namespace gauge::gpf
