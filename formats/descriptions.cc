#include "formats/descriptions.h"

#include <fmt/format.h>

#include <utility>

#include "formats/profile/text.h"
#include "formats/profile/unique_names.h"

namespace gauge {

std::string process_description(const Process& process) {
  return fmt::format("{}, Python {}, sampled every {} ns", process.pid, one_line(process.python_version),
                     process.interval.count());
}

std::string losses_description(const ProfileHealth& health) {
  return fmt::format(
      "{} of {} ticks missed, {} samples dropped, {} lost to damage, {} reads failed, {} stacks partial, {} "
      "truncated{}",
      health.missed_ticks, health.ticks + health.missed_ticks, health.dropped_samples, health.unresolved_samples,
      health.failed_reads, health.partial_stacks, health.truncated_stacks,
      health.truncated ? ", the recording was cut" : "");
}

std::string command_line(const Process& process) {
  return one_line(fmt::format("{}", fmt::join(process.command, " ")));
}

std::vector<std::string> process_titles(const Profile& profile) {
  std::vector<std::string> titles = process_labels(profile);
  for (std::size_t i = 0; i < titles.size(); ++i) {
    if (std::string command = command_line(profile.processes()[i]); !command.empty()) titles[i] = std::move(command);
  }
  return titles;
}

}  // namespace gauge
