// From the byte offset of an instruction to the line of source it belongs to, for the table format of any CPython.
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
  locations_3_11,  // entries of 1 to 8 code units with line and columns, since 3.11
};

/// The format CPython 3.`minor` writes.
[[nodiscard]] constexpr LineTableKind line_table_kind(int minor) noexcept {
  if (minor <= 9) return LineTableKind::lnotab_3_9;
  return minor == 10 ? LineTableKind::linetable_3_10 : LineTableKind::locations_3_11;
}

/// The lines of one code object. Copies what it needs of the table: 8 bytes per change of line.
///
/// A malformed table is decoded up to where it stops making sense; instructions beyond have no line.
class LineTable {
 public:
  /// No line for any instruction.
  LineTable() = default;
  /// @param table       whole bytes of the table; empty = lines unknown (3.9 has empty ones that mean "all on the first
  ///                    line": hand those over as one pair of zeros)
  /// @param first_line  co_firstlineno
  /// Throws nothing but std::bad_alloc. Cost: O(table).
  LineTable(LineTableKind kind, std::span<const std::byte> table, std::uint32_t first_line);

  /// The line of the instruction at byte offset `instruction`, as SampledFrame has it; 0 = it has no line.
  /// -1, before the first instruction, is the first line. Cost: O(log changes of line). Thread-safe.
  [[nodiscard]] std::uint32_t line_of(std::int32_t instruction) const noexcept;

 private:
  /// Instructions from the end of the run before up to `end`, exclusive.
  struct Run {
    std::uint32_t end;
    std::uint32_t line;
  };
  class Builder;

  std::vector<Run> runs_;
  std::uint32_t first_line_ = 0;
};

}  // namespace gauge::cpython
