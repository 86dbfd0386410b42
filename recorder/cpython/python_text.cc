#include "recorder/cpython/python_text.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "recorder/cpython/gather.h"
#include "recorder/cpython/raw_object.h"

namespace gauge::cpython {
namespace {

constexpr std::uint64_t kTextSubclassFlag = std::uint64_t{1} << 28;  // Py_TPFLAGS_UNICODE_SUBCLASS

/// Read at once in the hope that it holds the whole string. Most names do.
constexpr std::size_t kGuessBytes = 192;
constexpr std::size_t kPageBytes = 4096;

/// From the start of the string; never into the page after the header's, which may not be there.
MemoryRange guess_range(const ObjectLayout::Text& text, std::uintptr_t address) {
  const std::size_t rest_of_page = kPageBytes - address % kPageBytes;
  return {address, std::max(text.ascii_header, std::min(kGuessBytes, rest_of_page))};
}

/// What the header of a str says.
struct Head {
  std::uintptr_t type = 0;
  std::uint64_t length = 0;  // characters
  std::size_t unit = 0;      // bytes per character; 0 = not made ready (3.11)
  bool is_compact = false;
  bool is_ascii = false;
};

std::optional<Head> decode_head(const ObjectLayout& layout, const std::byte* bytes) {
  const auto& text = layout.text;
  if (!is_alive(value_at<std::uint64_t>(bytes, layout.object.reference_count))) return std::nullopt;
  const auto state = value_at<std::uint32_t>(bytes, text.state);
  Head head;
  head.type = value_at<std::uintptr_t>(bytes, layout.object.type);
  head.length = value_at<std::uint64_t>(bytes, text.length);
  head.unit = (state & text.kind_mask) >> text.kind_shift;
  head.is_compact = (state & text.compact_mask) != 0;
  head.is_ascii = (state & text.ascii_mask) != 0;
  const bool is_wide = head.unit == 0 && text.wide != 0 && !head.is_compact && !head.is_ascii;
  const bool is_ready = head.unit == 1 || ((head.unit == 2 || head.unit == 4) && !head.is_ascii);
  if (!is_wide && !is_ready) return std::nullopt;
  if (head.length > static_cast<std::uint64_t>(PTRDIFF_MAX) / 4) return std::nullopt;
  return head;
}

/// One string on its way from header to text.
class Reading {
 public:
  Reading() = default;
  Reading(const ObjectLayout& layout, TextRequest& request) : layout_(&layout), request_(&request) {}

  /// Takes the header and what was read behind it; finishes if that is all.
  void take_guess(const std::byte* bytes, std::size_t size) {
    const auto head = bytes == nullptr ? std::nullopt : decode_head(*layout_, bytes);
    if (!head) return finish();
    head_ = *head;
    if (!head_.is_compact || head_.type != layout_->landmarks.text_type) return;  // goes the long way
    locate_behind_header();
    const std::size_t offset = characters_.address - request_->address;
    if (offset <= size && characters_.size <= size - offset) take_characters(bytes + offset);
  }

  /// For strings that are not plain: checks the type, and finds the characters of those that lie elsewhere.
  void go_the_long_way(MemoryReader& reader) {
    if (is_finished_ || characters_.address != 0) return;
    if (!is_text_type(reader)) return finish();
    if (head_.is_compact) return locate_behind_header();
    std::uintptr_t data = 0;
    const auto& text = layout_->text;
    const bool is_wide = head_.unit == 0;
    if (!reader.read(request_->address + (is_wide ? text.wide : text.data), data) || data == 0) return finish();
    if (is_wide && !reader.read(request_->address + text.wide_length, head_.length)) return finish();
    if (is_wide) head_.unit = sizeof(wchar_t);
    locate(data);
  }

  void take_characters(const std::byte* bytes) {
    if (bytes == nullptr) return finish();
    const auto utf8 = encode_utf8({bytes, characters_.size}, head_.unit, head_.is_ascii, request_->buffer);
    if (utf8) {
      request_->text = {request_->buffer.data(), utf8->bytes};
      request_->state = utf8->is_whole && !is_cut_ ? TextState::whole : TextState::cut;
      const std::size_t all = (head_.length + 1) * head_.unit;
      request_->characters = {characters_.address, all};
    }
    finish();
  }

  [[nodiscard]] bool is_finished() const { return is_finished_; }
  [[nodiscard]] MemoryRange characters() const { return characters_; }

 private:
  void finish() { is_finished_ = true; }

  [[nodiscard]] bool is_text_type(MemoryReader& reader) const {
    if (head_.type == layout_->landmarks.text_type) return true;
    std::uint64_t flags = 0;
    return reader.read(head_.type + layout_->type.flags, flags) && (flags & kTextSubclassFlag) != 0;
  }

  void locate_behind_header() {
    locate(request_->address + (head_.is_ascii ? layout_->text.ascii_header : layout_->text.compact_header));
  }

  void locate(std::uintptr_t data) {
    // Every character takes at least a byte of the buffer, so more of them need not be read.
    const std::uint64_t count = std::min<std::uint64_t>(head_.length, request_->buffer.size());
    is_cut_ = count < head_.length;
    characters_ = {data, static_cast<std::size_t>(count) * head_.unit};
  }

  const ObjectLayout* layout_ = nullptr;
  TextRequest* request_ = nullptr;
  Head head_;
  MemoryRange characters_;
  bool is_cut_ = false;
  bool is_finished_ = false;
};

/// Appends one character; false if it does not fit.
class Utf8Buffer {
 public:
  explicit Utf8Buffer(std::span<char> buffer) : buffer_(buffer) {}

  bool append(std::uint32_t character) {
    if (character < 0x80) return put({static_cast<char>(character)});
    if (character < 0x800) return put({byte(0xc0, character >> 6), tail(character)});
    if (character < 0x10000) return put({byte(0xe0, character >> 12), tail(character >> 6), tail(character)});
    return put({byte(0xf0, character >> 18), tail(character >> 12), tail(character >> 6), tail(character)});
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static char byte(unsigned mark, std::uint32_t bits) { return static_cast<char>(mark | bits); }
  static char tail(std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); }

  bool put(std::initializer_list<char> bytes) {
    if (bytes.size() > buffer_.size() - size_) return false;
    std::copy(bytes.begin(), bytes.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
    return true;
  }

  std::span<char> buffer_;
  std::size_t size_ = 0;
};

std::uint32_t character_at(const std::byte* bytes, std::size_t unit) {
  if (unit == 1) return value_at<std::uint8_t>(bytes, 0);
  if (unit == 2) return value_at<std::uint16_t>(bytes, 0);
  return value_at<std::uint32_t>(bytes, 0);
}

}  // namespace

std::optional<Utf8> encode_utf8(std::span<const std::byte> characters, std::size_t unit, bool is_ascii,
                                std::span<char> buffer) noexcept {
  const std::uint32_t last = is_ascii ? 0x7f : 0x10ffff;
  Utf8Buffer out(buffer);
  for (std::size_t at = 0; at + unit <= characters.size(); at += unit) {
    const std::uint32_t character = character_at(characters.data() + at, unit);
    if (character > last) return std::nullopt;
    if (!out.append(character)) return Utf8{out.size(), false};
  }
  return Utf8{out.size(), true};
}

void read_texts(MemoryReader& reader, const ObjectLayout& layout, std::span<TextRequest> requests) noexcept {
  requests = requests.first(std::min(requests.size(), kMaxTextsPerRead));
  const auto max_faults = static_cast<unsigned>(requests.size());
  std::array<Reading, kMaxTextsPerRead> readings;
  std::array<MemoryRange, kMaxTextsPerRead> ranges;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].state = TextState::unreadable;
    requests[i].text = {};
    requests[i].characters = {};
    readings[i] = Reading(layout, requests[i]);
    ranges[i] = guess_range(layout.text, requests[i].address);
  }
  gather_each(reader, std::span(ranges).first(requests.size()), max_faults,
              [&](std::size_t i, const std::byte* bytes) { readings[i].take_guess(bytes, ranges[i].size); });

  std::array<Reading*, kMaxTextsPerRead> open;
  std::size_t open_count = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    readings[i].go_the_long_way(reader);
    if (readings[i].is_finished()) continue;
    ranges[open_count] = readings[i].characters();
    open[open_count++] = &readings[i];
  }
  gather_each(reader, std::span(ranges).first(open_count), max_faults,
              [&](std::size_t i, const std::byte* bytes) { open[i]->take_characters(bytes); });
}

}  // namespace gauge::cpython
