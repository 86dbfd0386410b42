// From the byte offset of an instruction to the place in the source it belongs to, for the table format of any CPython.
//
// Pure: knows no interpreter, takes the raw bytes of co_lnotab (3.9) or co_linetable (3.10 on). The rule is CPython's
// own: an entry holds an instruction iff start <= instruction < end. Reading one entry further or less, or keeping the
// last line across an entry without one, gives a wrong line for up to a quarter of all instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gauge::cpython {

enum class LineTableKind {
  lnotab_3_9,      // pairs (address delta, signed line delta); a line lasts until the next pair
  linetable_3_10,  // pairs (address delta, signed line delta); -128 = these bytes have no line
  locations_3_11,  // entries of 1 to 8 code units with lines and columns, since 3.11
};

/// The format CPython 3.`minor` writes.
[[nodiscard]] constexpr LineTableKind line_table_kind(int minor) noexcept {
  if (minor <= 9) return LineTableKind::lnotab_3_9;
  return minor == 10 ? LineTableKind::linetable_3_10 : LineTableKind::locations_3_11;
}

/// Where in its file an instruction comes from.
struct SourcePosition {
  std::uint32_t line = 0;  // counted from 1; 0 = it has no line, and then no column
  /// Where the expression or statement begins: bytes of the line in UTF-8, counted from 1. 0 = unknown: CPython before
  /// 3.11, or with -X no_debug_ranges, or an instruction to which the compiler gave none.
  std::uint32_t column = 0;

  bool operator==(const SourcePosition&) const = default;
};

/// The lines and columns of one code object. Copies what it needs of the table: 12 bytes per change of position.
///
/// A malformed table is decoded up to where it stops making sense; instructions beyond have no position.
class LineTable {
 public:
  /// No position for any instruction.
  LineTable() = default;
  /// @param table       whole bytes of the table; empty = lines unknown (3.9 has empty ones that mean "all on the first
  ///                    line": hand those over as one pair of zeros)
  /// @param first_line  co_firstlineno
  /// Throws nothing but std::bad_alloc. Cost: O(table).
  LineTable(LineTableKind kind, std::span<const std::byte> table, std::uint32_t first_line);

  /// The position of the instruction at byte offset `instruction`, as SampledFrame has it.
  /// -1, before the first instruction, is the first line. Cost: O(log changes of position). Thread-safe.
  [[nodiscard]] SourcePosition position_of(std::int32_t instruction) const noexcept;

 private:
  /// Instructions from the end of the run before up to `end`, exclusive.
  struct Run {
    std::uint32_t end;
    SourcePosition position;
  };
  class Builder;

  std::vector<Run> runs_;
  std::uint32_t first_line_ = 0;
};

}  // namespace gauge::cpython
