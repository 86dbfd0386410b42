#include "recorder/cpython/line_table.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace gauge::cpython {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();  // CPython keeps lines and columns in an int

std::int64_t unsigned_at(Bytes bytes, std::size_t index) { return std::to_integer<std::uint8_t>(bytes[index]); }
std::int64_t signed_at(Bytes bytes, std::size_t index) { return static_cast<std::int8_t>(bytes[index]); }

/// What one entry of the 3.11 format says.
struct LocationEntry {
  std::int64_t bytes_of_code = 0;
  bool has_line = true;
  std::int64_t line_delta = 0;
  std::int64_t column = 0;  // counted from 1; 0 = none
};

constexpr std::byte kEntryStart{0x80};
constexpr std::int64_t kCodeUnitBytes = 2;

/// Takes an entry apart, byte after byte. The first one: 1, kind (4 bits), length in code units - 1 (3 bits).
class EntryReader {
 public:
  /// @param entry  from a byte with kEntryStart to before the next one
  explicit EntryReader(Bytes entry) : rest_(entry) {}

  /// std::nullopt if the entry is malformed.
  std::optional<LocationEntry> read() {
    const std::int64_t first = take_byte();
    const std::int64_t kind = (first >> 3) & 15;
    LocationEntry entry{.bytes_of_code = ((first & 7) + 1) * kCodeUnitBytes};
    switch (kind) {
      case 15:  // no location at all
        entry.has_line = false;
        break;
      case 14:  // line, lines to the end, columns of start and end counted from 1
        entry.line_delta = take_signed_varint();
        take_varint();
        entry.column = take_varint();
        break;
      case 13:  // line without columns
        entry.line_delta = take_signed_varint();
        break;
      case 12:
      case 11:
      case 10:  // the line, or one or two lines on; columns of start and end counted from 0, a byte each
        entry.line_delta = kind - 10;
        entry.column = take_byte() + 1;
        break;
      default:  // same line; the column from 0 is kind * 8 + 3 bits, the 4 bits after them are the length
        entry.column = (kind << 3 | take_byte() >> 4) + 1;
        break;
    }
    if (is_malformed_) return std::nullopt;
    return entry;
  }

 private:
  std::int64_t take_byte() {
    is_malformed_ = is_malformed_ || rest_.empty();
    if (is_malformed_) return 0;
    const std::int64_t byte = unsigned_at(rest_, 0);
    rest_ = rest_.subspan(1);
    return byte;
  }

  /// A variable-length integer: 6 bits per byte, lowest first, 0x40 = more follow.
  std::int64_t take_varint() {
    std::int64_t value = 0;
    for (unsigned shift = 0; shift <= kLongestShift; shift += 6) {
      const std::int64_t byte = take_byte();
      value |= (byte & 0x3f) << shift;
      if ((byte & 0x40) == 0) return value;
    }
    is_malformed_ = true;  // longer than any that CPython writes
    return 0;
  }

  /// The lowest bit is the sign.
  std::int64_t take_signed_varint() {
    const std::int64_t value = take_varint();
    return (value & 1) != 0 ? -(value >> 1) : value >> 1;
  }

  static constexpr unsigned kLongestShift = 30;

  Bytes rest_;
  bool is_malformed_ = false;
};

/// As it is shown: what CPython could not have meant is unknown.
SourcePosition shown_position(std::int64_t line, std::int64_t column) {
  if (line <= 0 || line > kMaxInt) return {};
  return {static_cast<std::uint32_t>(line), column <= kMaxInt ? static_cast<std::uint32_t>(column) : 0};
}

}  // namespace

/// Appends stretches of code in order of address and joins neighbours of equal position.
class LineTable::Builder {
 public:
  explicit Builder(std::vector<Run>& runs) : runs_(runs) {}

  void append(std::int64_t bytes_of_code, std::int64_t line, std::int64_t column = 0) {
    if (bytes_of_code <= 0) return;
    end_ = std::min<std::int64_t>(end_ + bytes_of_code, std::numeric_limits<std::uint32_t>::max());
    const auto end = static_cast<std::uint32_t>(end_);
    const SourcePosition position = shown_position(line, column);
    if (!runs_.empty() && runs_.back().position == position) {
      runs_.back().end = end;
    } else {
      runs_.push_back({end, position});
    }
  }
  void append_without_line(std::int64_t bytes_of_code) { append(bytes_of_code, 0); }

  // Objects/lnotab_notes.txt of CPython 3.9.
  void decode_lnotab(Bytes table, std::int64_t line) {
    for (std::size_t i = 0; i + 1 < table.size(); i += 2) {
      append(unsigned_at(table, i), line);
      line += signed_at(table, i + 1);
    }
    append(kRestOfCode, line);
  }

  // Objects/lnotab_notes.txt of CPython 3.10.
  void decode_linetable(Bytes table, std::int64_t line) {
    constexpr std::int64_t kNoLine = -128;
    for (std::size_t i = 0; i + 1 < table.size(); i += 2) {
      const std::int64_t delta = signed_at(table, i + 1);
      if (delta == kNoLine) {
        append_without_line(unsigned_at(table, i));
      } else {
        line += delta;
        append(unsigned_at(table, i), line);
      }
    }
  }

  // Objects/locations.md of CPython 3.11, InternalDocs/code_objects.md of later ones.
  void decode_locations(Bytes table, std::int64_t line) {
    while (!table.empty() && (table[0] & kEntryStart) != std::byte{0}) {
      const auto next = std::find_if(table.begin() + 1, table.end(),
                                     [](std::byte byte) { return (byte & kEntryStart) != std::byte{0}; });
      const auto size = static_cast<std::size_t>(next - table.begin());
      const std::optional<LocationEntry> entry = EntryReader(table.first(size)).read();
      if (!entry) return;
      line += entry->line_delta;
      if (entry->has_line) {
        append(entry->bytes_of_code, line, entry->column);
      } else {
        append_without_line(entry->bytes_of_code);
      }
      table = table.subspan(size);
    }
  }

 private:
  static constexpr std::int64_t kRestOfCode = std::numeric_limits<std::uint32_t>::max();

  std::vector<Run>& runs_;
  std::int64_t end_ = 0;
};

LineTable::LineTable(LineTableKind kind, Bytes table, std::uint32_t first_line) : first_line_(first_line) {
  if (first_line_ > kMaxInt) first_line_ = 0;
  if (table.empty()) return;
  Builder builder(runs_);
  switch (kind) {
    case LineTableKind::lnotab_3_9:
      builder.decode_lnotab(table, first_line_);
      break;
    case LineTableKind::linetable_3_10:
      builder.decode_linetable(table, first_line_);
      break;
    case LineTableKind::locations_3_11:
      builder.decode_locations(table, first_line_);
      break;
  }
  runs_.shrink_to_fit();
}

SourcePosition LineTable::position_of(std::int32_t instruction) const noexcept {
  if (instruction == -1) return {.line = first_line_};
  if (instruction < 0) return {};
  const auto offset = static_cast<std::uint32_t>(instruction);
  const auto run = std::upper_bound(runs_.begin(), runs_.end(), offset,
                                    [](std::uint32_t value, const Run& candidate) { return value < candidate.end; });
  return run == runs_.end() ? SourcePosition{} : run->position;
}

}  // namespace gauge::cpython
