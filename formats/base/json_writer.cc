#include "formats/base/json_writer.h"

#include <fmt/core.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cassert>

#include "formats/base/error.h"

namespace gauge {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{64} << 10;
constexpr std::size_t kShownBytes = 40;

// RapidJSON's own fast paths for numbers and strings exist for its StringBuffer only, so that one is used and emptied
// now and then, rather than a stream of ours on the sink.
using RapidWriter = rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::UTF8<>,
                                      rapidjson::CrtAllocator, rapidjson::kWriteValidateEncodingFlag>;

// A default string_view has no address, which RapidJSON takes for an error of the caller.
const char* address_of(std::string_view text) { return text.empty() ? "" : text.data(); }
rapidjson::SizeType length_of(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

/// The text with everything but printable ASCII as \xNN, cut to what fits in a message.
std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kShownBytes)) {
    const bool is_plain = c >= ' ' && c <= '~';
    shown += is_plain ? std::string{c} : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return shown;
}

}  // namespace

class JsonWriter::Impl {
 public:
  explicit Impl(Sink& sink) : sink_(sink), writer_(buffer_) {}

  RapidWriter& writer() noexcept { return writer_; }

  void flush_if_large() {
    if (buffer_.GetSize() >= kFlushBytes) flush();
  }

  void flush() {
    sink_.write({buffer_.GetString(), buffer_.GetSize()});
    buffer_.Clear();
  }

 private:
  Sink& sink_;
  rapidjson::StringBuffer buffer_;
  RapidWriter writer_;
};

namespace {

void require_utf8(bool accepted, std::string_view text) {
  if (accepted) return;
  throw Error{ErrorCode::corrupt,
              fmt::format("json: text is not UTF-8 (\"{}\"); repair it before it is written", printable(text))};
}

}  // namespace

JsonWriter::JsonWriter(Sink& sink) : impl_(std::make_unique<Impl>(sink)) {}
JsonWriter::~JsonWriter() = default;

void JsonWriter::begin_object() { impl_->writer().StartObject(); }
void JsonWriter::begin_array() { impl_->writer().StartArray(); }

void JsonWriter::end_object() {
  impl_->writer().EndObject();
  impl_->flush_if_large();
}

void JsonWriter::end_array() {
  impl_->writer().EndArray();
  impl_->flush_if_large();
}

void JsonWriter::key(std::string_view name) {
  require_utf8(impl_->writer().Key(address_of(name), length_of(name)), name);
}

void JsonWriter::value(std::string_view text) {
  require_utf8(impl_->writer().String(address_of(text), length_of(text)), text);
  impl_->flush_if_large();
}

void JsonWriter::value(std::int64_t number) {
  impl_->writer().Int64(number);
  impl_->flush_if_large();
}

void JsonWriter::value(std::uint64_t number) {
  impl_->writer().Uint64(number);
  impl_->flush_if_large();
}

void JsonWriter::value(double number) {
  if (!impl_->writer().Double(number)) {
    throw Error{ErrorCode::corrupt, fmt::format("json: {} is not a JSON number; leave the value out", number)};
  }
  impl_->flush_if_large();
}

void JsonWriter::value(bool truth) { impl_->writer().Bool(truth); }

void JsonWriter::null() { impl_->writer().Null(); }

void JsonWriter::finish() {
  assert(impl_->writer().IsComplete());
  impl_->flush();
}

}  // namespace gauge
