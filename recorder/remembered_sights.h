// What was shown to the recorder once and every further part of a rotated recording has to define again.
//
// Bounded: of what has not been used for long nothing is left, as in whoever shows it (CodeCache, ThreadList,
// TaskTable), which remembers less and gives what comes back another id.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/gpf/writer.h"
#include "recorder/stack_source.h"

namespace gauge {

/// The texts of a code object, in one piece of memory: there are thousands.
class CodeText {
 public:
  CodeText() = default;
  explicit CodeText(const CodeSight& code);
  [[nodiscard]] gpf::FunctionText view() const noexcept;

 private:
  std::string texts_;                    // name, qualified name, module, file
  std::array<std::uint32_t, 3> ends_{};  // of all but the last
  std::uint32_t first_line_ = 0;
  gpf::FunctionKind kind_ = gpf::FunctionKind::plain;
};

struct RememberedThread {
  std::uint64_t native_id = 0;
  std::uint64_t python_id = 0;
  std::int64_t interpreter = 0;
  std::string name;
  std::chrono::nanoseconds cpu_rest{};  // that the parts before could not write; see gpf::Writer::cpu_rest
};

struct RememberedTask {
  std::string name;
  std::uint64_t number = 0;
};

/// Threads, or tasks, by their ids in the whole recording, with those that they have in the part being written.
template <typename Sight>
class RememberedSights {
 public:
  struct Entry {
    Sight sight;
    std::uint64_t last_use = 0;
    std::uint64_t part = 0;        // the last one in which it is defined; 0 = none
    std::uint32_t id_in_part = 0;  // there
  };

  /// What is remembered; a new one without a content where nothing is.
  [[nodiscard]] Entry& entry(std::uint32_t id) {
    if (entries_.size() >= kMost && !entries_.contains(id)) forget_old();
    Entry& entry = entries_[id];
    entry.last_use = ++uses_;
    return entry;
  }
  /// Gives the entry its id in `part`: they count up from 1. @return false where it has one
  bool enter(Entry& entry, std::uint64_t part) noexcept {
    if (entry.part == part) return false;
    if (std::exchange(last_part_, part) != part) last_id_ = 0;
    entry.part = part;
    entry.id_in_part = ++last_id_;
    return true;
  }
  template <typename Visit>
  void for_each(const Visit& visit) {
    for (auto& [id, entry] : entries_) visit(entry);
  }

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 15;

  /// The older half.
  void forget_old() {
    std::vector<std::uint64_t> uses;
    uses.reserve(entries_.size());
    for (const auto& [id, entry] : entries_) uses.push_back(entry.last_use);
    const auto middle = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 2);
    std::nth_element(uses.begin(), middle, uses.end());
    std::erase_if(entries_, [&](const auto& entry) { return entry.second.last_use < *middle; });
  }

  std::unordered_map<std::uint32_t, Entry> entries_;
  std::uint64_t uses_ = 0;
  std::uint64_t last_part_ = 0;
  std::uint32_t last_id_ = 0;
};

}  // namespace gauge
