#include "recorder/cpython/line_table.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace gauge::cpython {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::int64_t kMaxLine = std::numeric_limits<std::int32_t>::max();  // CPython keeps lines in an int

std::int64_t unsigned_at(Bytes bytes, std::size_t index) { return std::to_integer<std::uint8_t>(bytes[index]); }
std::int64_t signed_at(Bytes bytes, std::size_t index) { return static_cast<std::int8_t>(bytes[index]); }

/// A signed variable-length integer of the 3.11 format: 6 bits per byte, lowest first, 0x40 = more follow; the lowest
/// bit of the whole is the sign. std::nullopt if it is cut off or longer than any that CPython writes.
std::optional<std::int64_t> signed_varint(Bytes bytes) {
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (const std::byte byte : bytes) {
    value |= std::to_integer<std::uint64_t>(byte & std::byte{0x3f}) << shift;
    if ((byte & std::byte{0x40}) == std::byte{0}) {
      const auto magnitude = static_cast<std::int64_t>(value >> 1);
      return (value & 1) != 0 ? -magnitude : magnitude;
    }
    shift += 6;
    if (shift > 30) break;
  }
  return std::nullopt;
}

/// What the first byte of a 3.11 entry says: 1, kind (4 bits), length in code units - 1 (3 bits).
struct LocationEntry {
  std::int64_t bytes_of_code;
  bool has_line;
  std::optional<std::int64_t> line_delta;  // nullopt = malformed
};

constexpr std::byte kEntryStart{0x80};
constexpr std::int64_t kCodeUnitBytes = 2;

LocationEntry location_entry(Bytes entry) {
  const std::int64_t first = unsigned_at(entry, 0);
  LocationEntry result{((first & 7) + 1) * kCodeUnitBytes, true, 0};
  switch (const std::int64_t kind = (first >> 3) & 15) {
    case 15:  // no location at all
      result.has_line = false;
      break;
    case 14:  // line, end line, columns
    case 13:  // line without columns
      result.line_delta = signed_varint(entry.subspan(1));
      break;
    case 12:
    case 11:
    case 10:  // the line, or one or two lines on
      result.line_delta = kind - 10;
      break;
    default:  // same line, short columns
      break;
  }
  return result;
}

}  // namespace

/// Appends stretches of code in order of address and joins neighbours of equal line.
class LineTable::Builder {
 public:
  explicit Builder(std::vector<Run>& runs) : runs_(runs) {}

  void append(std::int64_t bytes_of_code, std::int64_t line) {
    if (bytes_of_code <= 0) return;
    end_ = std::min<std::int64_t>(end_ + bytes_of_code, std::numeric_limits<std::uint32_t>::max());
    const auto end = static_cast<std::uint32_t>(end_);
    const auto shown = line > 0 && line <= kMaxLine ? static_cast<std::uint32_t>(line) : 0;
    if (!runs_.empty() && runs_.back().line == shown) {
      runs_.back().end = end;
    } else {
      runs_.push_back({end, shown});
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
      const LocationEntry entry = location_entry(table.first(size));
      if (!entry.line_delta) return;
      line += *entry.line_delta;
      entry.has_line ? append(entry.bytes_of_code, line) : append_without_line(entry.bytes_of_code);
      table = table.subspan(size);
    }
  }

 private:
  static constexpr std::int64_t kRestOfCode = std::numeric_limits<std::uint32_t>::max();

  std::vector<Run>& runs_;
  std::int64_t end_ = 0;
};

LineTable::LineTable(LineTableKind kind, Bytes table, std::uint32_t first_line) : first_line_(first_line) {
  if (first_line_ > kMaxLine) first_line_ = 0;
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

std::uint32_t LineTable::line_of(std::int32_t instruction) const noexcept {
  if (instruction == -1) return first_line_;
  if (instruction < 0) return 0;
  const auto offset = static_cast<std::uint32_t>(instruction);
  const auto run = std::upper_bound(runs_.begin(), runs_.end(), offset,
                                    [](std::uint32_t value, const Run& candidate) { return value < candidate.end; });
  return run == runs_.end() ? 0 : run->line;
}

}  // namespace gauge::cpython
