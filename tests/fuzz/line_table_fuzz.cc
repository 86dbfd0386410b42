// Decodes a line table: u8 kind, u32 first line, the table.
#include <array>
#include <cstring>
#include <span>

#include "recorder/cpython/line_table.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using gauge::cpython::LineTable;
  using gauge::cpython::LineTableKind;
  constexpr std::array kKinds = {LineTableKind::lnotab_3_9, LineTableKind::linetable_3_10,
                                 LineTableKind::locations_3_11};
  constexpr std::size_t kHeaderBytes = 5;
  constexpr std::uint32_t kMaxInt = 0x7FFF'FFFF;
  if (size < kHeaderBytes) return 0;
  std::uint32_t first_line = 0;
  std::memcpy(&first_line, data + 1, sizeof first_line);
  const std::span table(data + kHeaderBytes, size - kHeaderBytes);

  const LineTable lines(kKinds[data[0] % kKinds.size()], std::as_bytes(table), first_line);
  const auto longest =
      static_cast<std::int32_t>(16 * table.size());  // bytes of code that one byte of a table stands for
  for (std::int32_t instruction = -2; instruction <= longest; ++instruction) {
    const gauge::cpython::SourcePosition position = lines.position_of(instruction);
    gauge::require(position.line <= kMaxInt && position.column <= kMaxInt, "a position is one that CPython can have");
    gauge::require(position.line != 0 || position.column == 0, "without a line there is no column");
  }
  for (const std::int32_t instruction : {INT32_MIN, INT32_MAX}) (void)lines.position_of(instruction);
  gauge::require(LineTable(kKinds[0], {}, first_line).position_of(0).line == 0, "an empty table has no lines");
  return 0;
}
