#include "recorder/cpython/task_table.h"

#include <algorithm>
#include <functional>

#include "formats/base/error.h"

namespace gauge::cpython {
namespace {

std::uint64_t key_of_name(const FoundTask& task) noexcept {
  constexpr std::uint64_t kIsText = std::uint64_t{1} << 63;
  return task.name.empty() ? task.number : std::hash<std::string_view>{}(task.name) | kIsText;
}

}  // namespace

TaskTable::TaskTable() : memory_(kCapacity * sizeof(Entry) + kHistories * sizeof(History), -1) {
  if (!memory_) {
    throw Error{ErrorCode::unsupported,
                "recorder: no address space for the tasks of asyncio; raise the limit (ulimit -v)"};
  }
  // All zero, as both begin.
  void* const entries = memory_.data();
  void* const histories = memory_.data() + kCapacity * sizeof(Entry);
  entries_ = static_cast<Entry*>(entries);
  histories_ = static_cast<History*>(histories);
}

std::span<TaskTable::Entry> TaskTable::set_of(std::uintptr_t address) noexcept {
  const std::size_t set = ((address >> 4) * 0x9E37'79B9'7F4A'7C15 >> 40) % (kCapacity / kWays);
  return {entries_ + set * kWays, kWays};
}

std::uint32_t TaskTable::number_of(const FoundTask& task, StackVisitor& visitor) noexcept {
  ++round_;
  const std::uint64_t name = key_of_name(task);
  const std::span<Entry> set = set_of(task.address);
  for (Entry& entry : set) {
    if (entry.address != task.address || entry.coroutine != task.coroutine || entry.name != name) continue;
    entry.seen = round_;
    return entry.number;
  }
  if (!visitor.on_task({.task = count_ + 1, .name = task.name, .number = task.number})) return 0;
  // Where the address is known, what was there is gone.
  const auto gone = std::ranges::find(set, task.address, &Entry::address);
  Entry& place = gone != set.end() ? *gone : *std::ranges::min_element(set, {}, &Entry::seen);
  place = {task.address, task.coroutine, name, round_, ++count_};
  return place.number;
}

TaskTable::History& TaskTable::history_of(std::uint32_t task) noexcept {
  History& history = histories_[task % kHistories];
  if (history.task != task) {
    history.task = task;
    history.frames.forget();
  }
  return history;
}

Continuity TaskTable::advance(std::uint32_t task, std::span<const Activation> own_frames, bool is_partial) noexcept {
  return history_of(task).frames.advance(own_frames, is_partial, false);
}

void TaskTable::forget(std::uint32_t task) noexcept { history_of(task).frames.forget(); }

}  // namespace gauge::cpython
