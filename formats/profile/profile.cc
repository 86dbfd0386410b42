#include "formats/profile/profile.h"

#include <fmt/format.h>

#include "formats/gpf/records.h"

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

}  // namespace gauge
