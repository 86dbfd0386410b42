// Where recordings come from, and what it means that they come from several places.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/gpf/records.h"
#include "formats/profile/profile.h"

namespace gauge::cli {

/// Of one recording.
struct Origin {
  std::string run_id;
  std::string boot_id;  // "" = unknown: no other is by the same clock
  std::string host;

  bool operator==(const Origin&) const = default;
};

/// As the recording or the profile has it.
[[nodiscard]] Origin origin_of(const gpf::Metadata& metadata);
[[nodiscard]] std::vector<Origin> origins_of(const Profile& profile);

/// Says that there are several runs; nothing where there is one.
[[nodiscard]] std::optional<std::string> runs_note(std::span<const Origin> origins);

/// Says that the recordings are by several clocks, whose times compare approximately; nothing where there is one.
[[nodiscard]] std::optional<std::string> clocks_note(std::span<const Origin> origins);

}  // namespace gauge::cli
