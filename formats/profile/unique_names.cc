#include "formats/profile/unique_names.h"

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "formats/profile/text.h"

namespace gauge {
namespace {

// What the last level of every kind appends; different for every item, so the search for free texts ends.
std::string numbered(std::string text, std::size_t item) { return fmt::format("{} #{}", text, item + 1); }

/// Chooses for each item the shortest of its texts that no other item has.
class UniqueTexts {
 public:
  /// text(item, level): longer with each level, 0 to `last_level`; on the last one no two items may agree.
  using Text = std::function<std::string(std::size_t item, int level)>;

  UniqueTexts(std::size_t count, int last_level, Text text)
      : texts_(count), levels_(count, 0), last_level_(last_level), text_(std::move(text)) {
    for (std::size_t item = 0; item < count; ++item) texts_[item] = text_of(item);
  }

  [[nodiscard]] std::vector<std::string> choose() && {
    while (lengthen_shared()) {
    }
    return std::move(texts_);
  }

 private:
  // All that share a text are lengthened, not all but one: who keeps the short text would depend on the order.
  bool lengthen_shared() {
    std::unordered_map<std::string_view, std::size_t> holders;
    for (const std::string& text : texts_) ++holders[text];
    std::vector<std::size_t> shared;
    for (std::size_t item = 0; item < texts_.size(); ++item) {
      if (holders[texts_[item]] > 1 && levels_[item] < last_level_) shared.push_back(item);
    }
    for (const std::size_t item : shared) {
      ++levels_[item];
      texts_[item] = text_of(item);
    }
    return !shared.empty();
  }

  // Compared as written: two names that differ in a line feed only must not become one on the way out.
  [[nodiscard]] std::string text_of(std::size_t item) const { return one_line(text_(item, levels_[item])); }

  std::vector<std::string> texts_;
  std::vector<int> levels_;
  int last_level_;
  Text text_;
};

std::string plain_name(const Function& function) {
  const std::string& local = function.qualified_name.empty() ? function.name : function.qualified_name;
  if (local.empty() && function.module.empty()) return "[unknown]";
  if (function.module.empty()) return local;
  return fmt::format("{}.{}", function.module, local.empty() ? "[unknown]" : local);
}

std::string function_text(const Function& function, std::size_t item, int level) {
  std::string text = plain_name(function);
  if (level >= 1) text += fmt::format(":{}", function.first_line);
  if (level >= 2) text += fmt::format(" ({})", function.file);
  if (level >= 3) text += fmt::format(" [{}]", function.name);
  return level >= 4 ? numbered(text, item) : text;
}

std::string thread_text(const Profile& profile, std::size_t item, int level) {
  const Thread& thread = profile.threads()[item];
  std::string text = thread.name;
  if (level >= 1) text += fmt::format(" {}", thread.native_id);
  if (level >= 2) text += fmt::format(" of process {}", profile.process(thread.process).pid);
  return level >= 3 ? numbered(text, item) : text;
}

std::string process_text(const Process& process, std::size_t item, int level) {
  std::string text = fmt::format("process {}", process.pid);
  if (level >= 1) text += fmt::format(" on {}", process.host);
  return level >= 2 ? numbered(text, item) : text;
}

}  // namespace

void set_unique_names(std::span<Function> functions) {
  const auto text = [&](std::size_t item, int level) { return function_text(functions[item], item, level); };
  std::vector<std::string> names = UniqueTexts(functions.size(), 4, text).choose();
  for (std::size_t item = 0; item < functions.size(); ++item) functions[item].unique_name = std::move(names[item]);
}

std::vector<std::string> thread_labels(const Profile& profile) {
  const auto text = [&](std::size_t item, int level) { return thread_text(profile, item, level); };
  return UniqueTexts(profile.threads().size(), 3, text).choose();
}

std::vector<std::string> process_labels(const Profile& profile) {
  const auto text = [&](std::size_t item, int level) { return process_text(profile.processes()[item], item, level); };
  return UniqueTexts(profile.processes().size(), 2, text).choose();
}

}  // namespace gauge
