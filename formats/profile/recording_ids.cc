#include "formats/profile/recording_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/profile/text.h"

namespace gauge {
namespace {

// Ids that lost blocks may have taken with them, in all. A forged first id must not cost gigabytes.
constexpr std::size_t kMostLost = std::size_t{1} << 22;

bool texts_precede(const gpf::Function& function, std::size_t end) {
  return function.name < end && function.qualified_name < end && function.module < end && function.file < end;
}

}  // namespace

RecordingIds::Ranges RecordingIds::ranges_of(const gpf::Definitions& definitions) const {
  const auto range = [](std::size_t first, std::size_t count, std::size_t next) {
    return count == 0 ? Range{next, next} : Range{first, first + count};  // without entries the first id says nothing
  };
  std::size_t threads_end = threads_.next();
  for (const gpf::Thread& thread : definitions.threads) {
    threads_end = std::max(threads_end, thread.id + std::size_t{1});
  }
  const std::size_t threads_first = std::max(threads_.next() + definitions.threads.size(), threads_end);
  return {.strings = range(definitions.first_string, definitions.strings.size(), strings_.next()),
          .functions = range(definitions.first_function, definitions.functions.size(), functions_.next()),
          .frames = range(definitions.first_frame, definitions.frame_function.size(), frames_.next()),
          .stacks = range(definitions.first_stack, definitions.stack_frame.size(), stacks_.next()),
          .threads = {threads_first - definitions.threads.size(), threads_end},
          .tasks = range(definitions.first_task, definitions.task_name.size(), tasks_.next())};
}

std::optional<std::size_t> RecordingIds::holes_before(const Ranges& ranges) const {
  const std::array<std::pair<Range, std::size_t>, 6> kinds = {{{ranges.strings, strings_.next()},
                                                               {ranges.functions, functions_.next()},
                                                               {ranges.frames, frames_.next()},
                                                               {ranges.stacks, stacks_.next()},
                                                               {ranges.threads, threads_.next()},
                                                               {ranges.tasks, tasks_.next()}}};
  std::size_t holes = 0;
  for (const auto& [range, next] : kinds) {
    if (range.first < next || range.end > 0xFFFFFFFF) return std::nullopt;
    holes += range.first - next;
  }
  return holes;
}

bool RecordingIds::references_precede(const gpf::Definitions& definitions, const Ranges& ranges) {
  const auto all = [](const auto& entries, auto holds) { return std::all_of(entries.begin(), entries.end(), holds); };
  return all(definitions.functions, [&](const gpf::Function& f) { return texts_precede(f, ranges.strings.end); }) &&
         all(definitions.frame_function, [&](std::uint32_t id) { return id != 0 && id < ranges.functions.end; }) &&
         all(definitions.stack_frame, [&](std::uint32_t id) { return id != 0 && id < ranges.frames.end; }) &&
         all(definitions.threads, [&](const gpf::Thread& t) { return t.id != 0 && t.name < ranges.strings.end; }) &&
         all(definitions.task_name, [&](std::uint32_t id) { return id < ranges.strings.end; });
}

bool RecordingIds::define(const gpf::Definitions& definitions, TableInterner& interner, ProfileTables& tables) {
  const Ranges ranges = ranges_of(definitions);
  const std::optional<std::size_t> holes = holes_before(ranges);
  if (!holes || *holes > kMostLost - lost_ || !references_precede(definitions, ranges)) return false;
  lost_ += *holes;
  strings_.skip_to(ranges.strings.first);
  functions_.skip_to(ranges.functions.first);
  frames_.skip_to(ranges.frames.first);
  stacks_.skip_to(ranges.stacks.first);
  threads_.skip_to(ranges.threads.end);
  tasks_.skip_to(ranges.tasks.first);
  for (const std::string& bytes : definitions.strings) strings_.add(valid_utf8(bytes));
  add_functions(definitions, interner);
  add_frames(definitions, interner);
  add_stacks(definitions, interner);
  add_threads(definitions, tables.threads);
  add_tasks(definitions, tables);
  return true;
}

std::optional<std::string> RecordingIds::text(std::uint32_t id) const { return id == 0 ? std::string{} : strings_[id]; }

std::optional<Function> RecordingIds::function_of(const gpf::Function& definition) const {
  const auto name = text(definition.name);
  const auto qualified_name = text(definition.qualified_name);
  const auto module = text(definition.module);
  const auto file = text(definition.file);
  if (!name || !qualified_name || !module || !file) return std::nullopt;
  Function function{.name = *name, .qualified_name = *qualified_name, .module = *module, .file = *file};
  function.first_line = definition.first_line;
  function.can_wait = definition.kind != gpf::FunctionKind::plain;
  if (function.qualified_name.empty()) function.qualified_name = name_function_(function);
  return function;
}

void RecordingIds::add_functions(const gpf::Definitions& definitions, TableInterner& tables) {
  for (const gpf::Function& definition : definitions.functions) {
    const std::optional<Function> function = function_of(definition);
    functions_.add(function ? MaybeId{tables.function(*function)} : std::nullopt);
  }
}

void RecordingIds::add_frames(const gpf::Definitions& definitions, TableInterner& tables) {
  for (std::size_t i = 0; i < definitions.frame_function.size(); ++i) {
    const MaybeId<FunctionId> function = functions_[definitions.frame_function[i]];
    const std::uint32_t column = definitions.frame_column.empty() ? 0 : definitions.frame_column[i];
    frames_.add(function ? MaybeId{tables.frame({*function, definitions.frame_line[i], column})} : std::nullopt);
  }
}

void RecordingIds::add_stacks(const gpf::Definitions& definitions, TableInterner& tables) {
  for (std::size_t i = 0; i < definitions.stack_frame.size(); ++i) {
    const std::size_t own_id = definitions.first_stack + i;
    const auto parent_id = static_cast<std::uint32_t>(own_id - definitions.stack_parent_back[i]);  // 0 for a root
    const MaybeId<StackId> parent = stack(parent_id);
    const MaybeId<FrameId> frame = frames_[definitions.stack_frame[i]];
    stacks_.add(parent && frame ? MaybeId{tables.stack(*parent, *frame)} : std::nullopt);
  }
}

void RecordingIds::add_threads(const gpf::Definitions& definitions, std::vector<Thread>& threads) {
  for (const gpf::Thread& definition : definitions.threads) {
    std::string name = text(definition.name).value_or("");
    if (name.empty() && definition.native_id != 0) name = fmt::format("thread {}", definition.native_id);
    if (name.empty()) name = fmt::format("thread #{}", definition.id);
    threads[index_of(thread_of(definition, threads))] = {process_, definition.native_id, std::move(name)};
  }
}

/// The thread that is defined, perhaps again; a new one where no part has it yet.
ThreadId RecordingIds::thread_of(const gpf::Thread& definition, std::vector<Thread>& threads) {
  if (const MaybeId<ThreadId> known = threads_[definition.id]) return *known;
  ThreadId id{static_cast<std::uint32_t>(threads.size())};
  if (links_ != nullptr) {
    const std::uint32_t whole_id = definition.whole_id != 0 ? definition.whole_id : definition.id;
    id = links_->threads.try_emplace(whole_id, id).first->second;
  }
  if (index_of(id) == threads.size()) threads.emplace_back();
  threads_.set(definition.id, id);
  return id;
}

void RecordingIds::add_tasks(const gpf::Definitions& definitions, ProfileTables& tables) {
  for (std::size_t i = 0; i < definitions.task_name.size(); ++i) {
    const TaskId id = task_of(definitions, i, tables);
    tasks_.add(id);
    if (index_of(id) == tables.tasks.size()) tables.tasks.push_back(make_task(definitions, i, tables.task_names));
  }
}

/// The task that is defined there; the next new one where no part has it yet.
TaskId RecordingIds::task_of(const gpf::Definitions& definitions, std::size_t i, const ProfileTables& tables) {
  const TaskId next{static_cast<std::uint32_t>(tables.tasks.size())};
  if (links_ == nullptr) return next;
  const std::uint32_t stated = definitions.task_whole_id.empty() ? 0 : definitions.task_whole_id[i];
  const auto own_id = static_cast<std::uint32_t>(definitions.first_task + i);
  return links_->tasks.try_emplace(stated != 0 ? stated : own_id, next).first->second;
}

Task RecordingIds::make_task(const gpf::Definitions& definitions, std::size_t i, std::vector<std::string>& names) {
  Task task{.process = process_, .number = definitions.task_number[i]};
  const std::uint32_t id = definitions.task_name[i];
  const std::optional<std::string>& name = strings_[id];
  if (id != 0 && name) task.name = task_name_of(id, *name, names);  // unless it was lost with a damaged block
  return task;
}

/// The index of a string of that id among the names; added where no part has it yet.
std::uint32_t RecordingIds::task_name_of(std::uint32_t id, const std::string& name, std::vector<std::string>& names) {
  const auto [known, is_new] = task_names_.try_emplace(id, names.size());
  if (is_new && links_ != nullptr) known->second = links_->task_names.try_emplace(name, known->second).first->second;
  if (known->second == names.size()) names.push_back(name);
  return known->second;
}

void RecordingIds::forget_definitions() {
  task_names_.clear();
  name_function_ = nullptr;
  links_ = nullptr;
  strings_.clear();
  functions_.clear();
  frames_.clear();
}

}  // namespace gauge
