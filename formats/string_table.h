// The texts of a file by number, for formats that write each once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gauge {

/// Texts by number, in order of first use; the empty one is 0.
class StringTable {
 public:
  StringTable() { intern(""); }

  std::int64_t intern(std::string_view text) {
    const auto [entry, is_new] = numbers_.try_emplace(std::string{text}, static_cast<std::int64_t>(texts_.size()));
    if (is_new) texts_.push_back(entry->first);
    return entry->second;
  }
  [[nodiscard]] const std::vector<std::string_view>& texts() const noexcept { return texts_; }

 private:
  std::unordered_map<std::string, std::int64_t> numbers_;
  std::vector<std::string_view> texts_;  // keys of the map, which stay where they are
};

}  // namespace gauge
