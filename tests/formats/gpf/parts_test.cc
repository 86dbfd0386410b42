#include "formats/gpf/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauge::gpf {
namespace {

using testing::ElementsAre;

Metadata part(std::uint64_t number, std::uint64_t pid = 7) {
  return {.run_id = "run", .boot_id = "boot", .host = "host", .pid = pid, .part = number, .first_start_unix_ns = 5};
}

/// The numbers of the parts in each row.
std::vector<std::vector<std::uint64_t>> numbers(std::vector<Metadata> recordings) {
  std::vector<std::vector<std::uint64_t>> numbers;
  for (const auto& row : rows_of_parts(std::move(recordings), [](const Metadata& each) { return each; })) {
    numbers.emplace_back();
    for (const Metadata& each : row) numbers.back().push_back(each.part);
  }
  return numbers;
}

TEST(RowsOfParts, PartsOfOneRecordingAreARowByTheirNumbers) {
  EXPECT_THAT(numbers({part(3), part(1), part(10)}), ElementsAre(ElementsAre(1, 3, 10)));
}

TEST(RowsOfParts, RowsStandWhereTheFirstOfEachStood) {
  EXPECT_THAT(numbers({part(2), part(0), part(4, 8), part(1), part(3, 8)}),
              ElementsAre(ElementsAre(1, 2), ElementsAre(0), ElementsAre(3, 4)));
}

TEST(RowsOfParts, RecordingsThatAreNotRotatedStayAlone) {
  EXPECT_THAT(numbers({part(0), part(0)}), ElementsAre(ElementsAre(0), ElementsAre(0)));
}

TEST(RowsOfParts, EverythingOfTheKeyTellsRecordingsApart) {
  for (void (*change)(Metadata&) :
       {+[](Metadata& m) { m.run_id = "x"; }, +[](Metadata& m) { m.boot_id = "x"; }, +[](Metadata& m) { m.host = "x"; },
        +[](Metadata& m) { m.pid = 1; }, +[](Metadata& m) { m.first_start_monotonic_ns = 1; },
        +[](Metadata& m) { m.first_start_unix_ns = 1; }}) {
    Metadata other = part(2);
    change(other);
    EXPECT_THAT(numbers({part(1), other}), ElementsAre(ElementsAre(1), ElementsAre(2)));
  }
}

TEST(RowsOfParts, ANumberThatIsThereTwiceBelongsToAnotherRow) {
  EXPECT_THAT(numbers({part(1), part(2), part(2), part(1), part(3)}),
              ElementsAre(ElementsAre(1, 2, 3), ElementsAre(1, 2)));
}

}  // namespace
}  // namespace gauge::gpf
