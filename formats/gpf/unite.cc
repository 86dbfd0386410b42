#include "formats/gpf/unite.h"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "formats/gpf/repair.h"

namespace gauge::gpf {
namespace {

/// How much a version of a block tells, of those that there are where a recording was copied while the block was open,
/// or where its end was lost and made by repair().
struct Rank {
  bool is_recorded = false;  // as opposed to made by repair()
  std::uint64_t samples = 0;
  std::uint64_t ticks = 0;
  std::size_t others = 0;        // definitions, pairs of clocks, the end
  std::int64_t bytes_saved = 0;  // a closed block leaves out columns of zeros, which an open one has

  auto operator<=>(const Rank&) const = default;
};

/// A block as it stands in a file, with the frames of later versions behind it.
struct Version {
  Rank rank;
  std::string bytes;

  auto operator<=>(const Version&) const = default;  // by bytes at last: the best one must not depend on any order
};

/// By sequence number; nothing stands for the header.
using Versions = std::map<std::optional<std::uint64_t>, Version>;

Rank rank_of(const Block& block, std::string_view frame) {
  static const Definitions kNone;
  const Definitions& defined = block.definitions ? *block.definitions : kNone;
  return {.is_recorded = !block.end || block.end->reason != kRepairedReason,
          .samples = block.samples ? block.samples->time_delta.size() : 0,
          .ticks = block.losses ? block.losses->ticks : 0,
          .others = defined.strings.size() + defined.threads.size() + defined.stack_frame.size() + block.clock.size() +
                    (block.end ? 1 : 0),
          .bytes_saved = -static_cast<std::int64_t>(frame.size())};
}

Versions versions_of(const Recording& recording) {
  Versions versions;
  auto last = versions.try_emplace(std::nullopt, Version{.rank = {}, .bytes = recording.header()}).first;
  (void)recording.for_each_frame([&](std::string_view bytes, const Block* block) {
    if (block != nullptr)
      last = versions.try_emplace(block->sequence, Version{.rank = rank_of(*block, bytes), .bytes = {}}).first;
    last->second.bytes += bytes;
  });
  return versions;
}

Recording unite_copies(std::vector<Recording> copies) {
  if (copies.size() == 1) return std::move(copies.front());
  std::ranges::stable_sort(copies, {}, &Recording::path);
  Versions best;
  std::vector<Versions> versions;
  for (const Recording& copy : copies) {
    for (const auto& [sequence, version] : versions.emplace_back(versions_of(copy))) {
      const auto [known, is_new] = best.try_emplace(sequence, version);
      if (!is_new) known->second = std::max(known->second, version);
    }
  }
  const auto whole = std::ranges::find(versions, best);
  if (whole != versions.end()) return std::move(copies[static_cast<std::size_t>(whole - versions.begin())]);
  std::string bytes;
  for (const auto& [sequence, version] : best) bytes += version.bytes;
  return Recording::from_bytes(std::move(bytes), copies.front().path());
}

}  // namespace

std::vector<Recording> unite(std::vector<Recording> recordings) {
  std::map<std::tuple<std::int64_t, std::int64_t, std::uint64_t, std::string>, std::vector<Recording>> copies;
  for (Recording& recording : recordings) {
    const Metadata& metadata = recording.metadata();
    std::tuple key{metadata.start_unix_ns, metadata.start_monotonic_ns, metadata.pid, recording.header()};
    copies[std::move(key)].push_back(std::move(recording));
  }
  std::vector<Recording> united;
  united.reserve(copies.size());
  for (auto& [key, equal] : copies) united.push_back(unite_copies(std::move(equal)));
  return united;
}

}  // namespace gauge::gpf
