// Which recordings are parts of one: a recorder that rotates ends one file and begins the next.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "formats/gpf/records.h"

namespace gauge::gpf {

/// What the parts of one rotated recording have in common, and no others: the run, the process, and when it began.
struct PartKey {
  std::string run_id;
  std::string boot_id;
  std::string host;
  std::uint64_t pid = 0;
  std::int64_t first_start_monotonic_ns = 0;
  std::int64_t first_start_unix_ns = 0;

  auto operator<=>(const PartKey&) const = default;
};

/// Call for parts: metadata.part is not 0.
[[nodiscard]] PartKey part_key(const Metadata& metadata);

/// Puts the parts of a recording into one row, by their numbers; other recordings are rows of one.
/// @param recordings   anything that has Metadata
/// @param metadata_of  gives them
/// @return  rows in the order of the first recording of each; a number is in a row once
template <typename Recorded, typename MetadataOf>
[[nodiscard]] std::vector<std::vector<Recorded>> rows_of_parts(std::vector<Recorded> recordings,
                                                               const MetadataOf& metadata_of) {
  const auto part_of = [&](const Recorded& recorded) { return std::invoke(metadata_of, recorded).part; };
  std::vector<std::vector<Recorded>> rows;
  std::map<PartKey, std::map<std::uint64_t, std::size_t>> numbers;  // of each recording: how often each is there
  std::map<std::pair<PartKey, std::size_t>, std::size_t> row_of;    // of those that are there so often
  for (Recorded& recorded : recordings) {
    std::size_t row = rows.size();
    if (const std::uint64_t part = part_of(recorded); part != 0) {
      const PartKey key = part_key(std::invoke(metadata_of, recorded));
      // Only forged files have a part twice, with unlike headers: those of the second are another row.
      row = row_of.try_emplace({key, numbers[key][part]++}, row).first->second;
    }
    if (row == rows.size()) rows.emplace_back();
    rows[row].push_back(std::move(recorded));
  }
  for (std::vector<Recorded>& row : rows) std::ranges::sort(row, {}, part_of);
  return rows;
}

}  // namespace gauge::gpf
