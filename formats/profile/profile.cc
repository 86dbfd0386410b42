#include "formats/profile/profile.h"

#include <fmt/format.h>

#include "formats/gpf/records.h"
#include "formats/profile/id_map.h"

namespace gauge {

Weights weights_of(const Sample& sample) noexcept {
  const bool held_gil = (sample.status & gpf::kGilHeld) != 0;
  return {1, sample.wall, sample.cpu, held_gil ? sample.wall : std::chrono::nanoseconds::zero()};
}

std::string Profile::task_name(TaskId id) const {
  const Task& entry = task(id);
  if (entry.name != 0) return tables_.task_names[entry.name];
  return entry.number != 0 ? fmt::format("Task-{}", entry.number) : std::string{"unnamed task"};
}

std::vector<FrameId> first_frames_of_lines(const Profile& profile) {
  std::vector<FrameId> first;
  first.reserve(profile.frames().size());
  IdMap first_of;
  const auto line_of = [&](std::uint32_t at) {
    const Frame& frame = profile.frames()[at];
    return IdPair{static_cast<std::uint32_t>(frame.function), frame.line};
  };
  while (first.size() < profile.frames().size()) {
    const auto fresh = static_cast<std::uint32_t>(first.size());
    first.push_back(FrameId{first_of.find_or_add(line_of(fresh), fresh, line_of)});
  }
  return first;
}

}  // namespace gauge
