#include "formats/profile/clocks.h"

#include <string_view>
#include <unordered_map>

namespace gauge {

std::vector<std::chrono::nanoseconds> common_start_times(std::span<const Process> processes) {
  std::unordered_map<std::string_view, const Process*> first_of_boot;
  for (const Process& process : processes) {
    const Process*& first = first_of_boot.try_emplace(process.boot_id, &process).first->second;
    if (process.start_time < first->start_time) first = &process;
  }
  std::vector<std::chrono::nanoseconds> times;
  times.reserve(processes.size());
  for (const Process& process : processes) {
    const Process& first = process.boot_id.empty() ? process : *first_of_boot[process.boot_id];
    times.push_back(first.start_unix_time + (process.start_time - first.start_time));
  }
  return times;
}

}  // namespace gauge
