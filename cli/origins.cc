#include "cli/origins.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/quantities.h"
#include "cli/text.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kMostHostsNamed = 3;

std::string host_list(std::span<const Origin> origins) {
  std::set<std::string> hosts;
  for (const Origin& origin : origins) hosts.insert(printable(origin.host));
  std::string list;
  std::size_t named = 0;
  for (const std::string& host : hosts) {
    if (++named <= kMostHostsNamed) list += fmt::format("{}{}", list.empty() ? "" : ", ", host);
  }
  if (named > kMostHostsNamed) list += fmt::format(" and {} more", format_count(named - kMostHostsNamed));
  return list;
}

}  // namespace

Origin origin_of(const gpf::Metadata& metadata) { return {metadata.run_id, metadata.boot_id, metadata.host}; }

std::vector<Origin> origins_of(const Profile& profile) {
  std::vector<Origin> origins;
  for (const Process& process : profile.processes()) origins.push_back({process.run_id, process.boot_id, process.host});
  return origins;
}

std::optional<std::string> runs_note(std::span<const Origin> origins) {
  std::set<std::string> runs;
  for (const Origin& origin : origins) runs.insert(origin.run_id);
  if (runs.size() < 2) return std::nullopt;
  return fmt::format("the recordings are of {} ({} in all); name those of one if they do not belong together",
                     format_count(runs.size(), "run"), format_count(origins.size()));
}

std::optional<std::string> clocks_note(std::span<const Origin> origins) {
  std::set<std::string> boots;
  std::size_t clocks = 0;
  for (const Origin& origin : origins) {
    if (origin.boot_id.empty() || boots.insert(origin.boot_id).second) ++clocks;
  }
  if (clocks < 2) return std::nullopt;
  return fmt::format(
      "the recordings are by {} (of {}); between these their times compare approximately, by the real-time clocks",
      format_count(clocks, "clock"), host_list(origins));
}

}  // namespace gauge::cli
