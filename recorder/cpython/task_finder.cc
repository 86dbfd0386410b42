#include "recorder/cpython/task_finder.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "recorder/cpython/gather.h"
#include "recorder/cpython/python_text.h"
#include "recorder/cpython/raw_object.h"

namespace gauge::cpython {
namespace {

using std::chrono::nanoseconds;

/// asyncio may be imported at any time; it is not looked for at every sample.
constexpr nanoseconds kSearchInterval = std::chrono::milliseconds{100};
/// As much of a task as holds its coroutine and its name in any version (144 to 192 bytes are all of it).
constexpr std::size_t kTaskBytes = 192;
constexpr std::size_t kWordBytes = sizeof(std::uintptr_t);

/// "Task-3" is 3: from 3.12 on asyncio makes the text only for those who ask. 0 = not such a name.
std::uint64_t number_of(std::string_view name) noexcept {
  constexpr std::string_view kPrefix = "Task-";
  if (!name.starts_with(kPrefix)) return 0;
  const std::string_view digits = name.substr(kPrefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_whole = error == std::errc{} && end == digits.data() + digits.size();
  return is_whole && !digits.starts_with('0') ? number : 0;
}

}  // namespace

TaskFinder::TaskFinder(MemoryReader& reader, const GaugeLayout& layout, const ObjectLayout& objects)
    : reader_(reader),
      layout_(layout),
      objects_(objects),
      buffer_(std::make_unique_for_overwrite<char[]>(kMaxNameBytes)) {}

std::optional<FoundTask> TaskFinder::find(const ThreadState& thread, std::span<const Activation> stack,
                                          nanoseconds now) noexcept {
  if (std::ranges::none_of(stack, &Activation::is_generator)) return std::nullopt;
  std::array<std::uintptr_t, RawObjects::kMaxValues> tasks;
  const std::size_t count = running_tasks(thread, now, tasks);
  for (const std::uintptr_t task : std::span(tasks).first(count)) {
    if (const std::optional<FoundTask> found = match(task, stack)) return found;
  }
  return std::nullopt;
}

std::size_t TaskFinder::running_tasks(const ThreadState& thread, nanoseconds now,
                                      std::span<std::uintptr_t> out) noexcept {
  if (layout_.thread.task == GAUGE_NO_FIELD) {
    return RawObjects(reader_, objects_).values(current_tasks(now), out);
  }
  return reader_.read(thread.address + layout_.thread.task, out[0]) && out[0] != 0 ? 1 : 0;
}

/// asyncio keeps the dict for good, so it is looked for until it is found.
std::uintptr_t TaskFinder::current_tasks(nanoseconds now) noexcept {
  if (current_tasks_ != 0 || now < next_search_) return current_tasks_;
  next_search_ = now + kSearchInterval;
  const RawObjects objects(reader_, objects_);
  const auto& landmarks = objects_.landmarks;
  const std::uintptr_t module = objects.find(landmarks.modules, landmarks.asyncio);
  const std::uintptr_t tasks = objects.find(objects.module_dict(module), landmarks.current_tasks);
  if (objects.has_type(tasks, landmarks.dict_type)) current_tasks_ = tasks;
  return current_tasks_;
}

std::optional<FoundTask> TaskFinder::match(std::uintptr_t task, std::span<const Activation> stack) noexcept {
  const MemoryRange range{task, kTaskBytes};
  const std::size_t words = reader_.gather({&range, 1}) / kWordBytes;
  const std::byte* copy = reader_.window();
  if (words == 0 || !is_alive(value_at<std::uint64_t>(copy, objects_.object.reference_count))) return std::nullopt;
  for (std::size_t word = 0; word + 1 < words; ++word) {
    const auto coroutine = value_at<std::uintptr_t>(copy, word * kWordBytes);
    if (coroutine == 0) continue;
    const auto frame = std::ranges::find(stack, coroutine, &Activation::generator);
    if (frame == stack.end()) continue;
    FoundTask found{.address = task, .coroutine = coroutine};
    found.own_frames = static_cast<std::size_t>(frame - stack.begin()) + 1;
    // In every version the name stands behind the coroutine.
    read_name(value_at<std::uintptr_t>(copy, (word + 1) * kWordBytes), found);
    return found;
  }
  return std::nullopt;
}

void TaskFinder::read_name(std::uintptr_t name, FoundTask& task) noexcept {
  if (const std::optional<std::uint64_t> number = RawObjects(reader_, objects_).integer(name)) {
    task.number = *number;
    return;
  }
  TextRequest text;
  text.address = name;
  text.buffer = {buffer_.get(), kMaxNameBytes};
  if (name != 0) read_texts(reader_, objects_, {&text, 1});
  if (text.state == TextState::unreadable) return;
  task.number = number_of(text.text);
  if (task.number == 0) task.name = text.text;
}

}  // namespace gauge::cpython
