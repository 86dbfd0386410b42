// The ids of one recording, checked, and what they are in the profile.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/gpf/records.h"
#include "formats/profile/maybe_id.h"
#include "formats/profile/profile.h"
#include "formats/profile/table_interner.h"

namespace gauge {

/// By id in the recording: the entry in the profile, or nothing where it was lost with a damaged block.
template <typename Entry>
class IdTable {
 public:
  using MaybeEntry = std::conditional_t<std::is_enum_v<Entry>, MaybeId<Entry>, std::optional<Entry>>;

  IdTable() : entries_(1) {}  // ids start at 1; 0 means none

  /// The id that the next definition gets if nothing is lost before it.
  [[nodiscard]] std::size_t next() const noexcept { return entries_.size(); }
  void add(MaybeEntry entry) { entries_.push_back(std::move(entry)); }
  void set(std::size_t id, Entry entry) { entries_[id] = std::move(entry); }
  /// Marks what stands before `id` as lost.
  void skip_to(std::size_t id) { entries_.resize(std::max(id, next())); }
  [[nodiscard]] const MaybeEntry& operator[](std::size_t id) const noexcept {
    return id < entries_.size() ? entries_[id] : entries_[0];
  }
  void clear() { entries_ = std::vector<MaybeEntry>(1); }

 private:
  std::vector<MaybeEntry> entries_;
};

/// What to call a function that CPython has no qualified name of.
using NameFunction = std::function<std::string(const Function& function)>;

/// What the parts of a rotated recording have in common: threads and tasks by their ids in the whole, names of tasks.
struct PartLinks {
  std::unordered_map<std::uint32_t, ThreadId> threads;
  std::unordered_map<std::uint32_t, TaskId> tasks;
  std::unordered_map<std::string, std::uint32_t> task_names;  // index in the profile
};

/// Takes the definitions of a recording's blocks, in file order.
class RecordingIds {
 public:
  explicit RecordingIds(
      ProcessId process, NameFunction name_function = [](const Function& function) { return function.name; })
      : process_(process), name_function_(std::move(name_function)) {}

  /// Threads and tasks of parts read before are those of this part, too. Call before the first define().
  /// @param links  must live until forget_definitions()
  void link(PartLinks& links) { links_ = &links; }

  /// Adds definitions of a block as gpf::Recording delivers it: those of threads and tasks to `tables`, the others to
  /// `interner`.
  /// @return false, with nothing added, where they break a rule of the schema: ids that were given before or are far
  ///         beyond what lost blocks explain, references to what is not defined yet
  [[nodiscard]] bool define(const gpf::Definitions& definitions, TableInterner& interner, ProfileTables& tables);

  [[nodiscard]] MaybeId<ThreadId> thread(std::uint32_t id) const noexcept { return threads_[id]; }
  /// Id 0 is the empty stack.
  [[nodiscard]] MaybeId<StackId> stack(std::uint32_t id) const noexcept { return id == 0 ? kEmptyStack : stacks_[id]; }
  /// Nothing for id 0, too.
  [[nodiscard]] MaybeId<TaskId> task(std::uint32_t id) const noexcept { return tasks_[id]; }
  /// Forgets what only definitions need: strings, functions, frames, links, how to name functions. Call after the last
  /// ones.
  void forget_definitions();

 private:
  /// Ids of one kind that a block defines: first to end - 1.
  struct Range {
    std::size_t first = 0;
    std::size_t end = 0;
  };
  struct Ranges {
    Range strings;
    Range functions;
    Range frames;
    Range stacks;
    Range threads;
    Range tasks;
  };

  [[nodiscard]] Ranges ranges_of(const gpf::Definitions& definitions) const;
  /// Ids that were lost before the ranges begin; nothing where a range begins too early.
  [[nodiscard]] std::optional<std::size_t> holes_before(const Ranges& ranges) const;
  [[nodiscard]] static bool references_precede(const gpf::Definitions& definitions, const Ranges& ranges);
  void add_functions(const gpf::Definitions& definitions, TableInterner& tables);
  void add_frames(const gpf::Definitions& definitions, TableInterner& tables);
  void add_stacks(const gpf::Definitions& definitions, TableInterner& tables);
  void add_threads(const gpf::Definitions& definitions, std::vector<Thread>& threads);
  [[nodiscard]] ThreadId thread_of(const gpf::Thread& definition, std::vector<Thread>& threads);
  void add_tasks(const gpf::Definitions& definitions, ProfileTables& tables);
  [[nodiscard]] TaskId task_of(const gpf::Definitions& definitions, std::size_t i, const ProfileTables& tables);
  [[nodiscard]] Task make_task(const gpf::Definitions& definitions, std::size_t i, std::vector<std::string>& names);
  [[nodiscard]] std::uint32_t task_name_of(std::uint32_t id, const std::string& name, std::vector<std::string>& names);
  [[nodiscard]] std::optional<Function> function_of(const gpf::Function& definition) const;
  [[nodiscard]] std::optional<std::string> text(std::uint32_t id) const;

  ProcessId process_;
  NameFunction name_function_;
  PartLinks* links_ = nullptr;  // of a recording that is not rotated, none
  std::size_t lost_ = 0;        // ids in holes
  IdTable<std::string> strings_;
  IdTable<FunctionId> functions_;
  IdTable<FrameId> frames_;
  IdTable<StackId> stacks_;
  IdTable<ThreadId> threads_;
  IdTable<TaskId> tasks_;
  std::unordered_map<std::uint32_t, std::uint32_t> task_names_;  // string id -> index in the profile
};

}  // namespace gauge
