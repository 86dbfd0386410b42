#include "cli/part_files.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

#include "formats/base/error.h"
#include "formats/gpf/parts.h"
#include "formats/gpf/reader.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFirstNumber = "0001";

std::optional<gpf::Metadata> metadata_of(const std::string& path) {
  try {
    return gpf::Recording::open(path).metadata();
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Whether `name` is that of the first part with another number where that has its own.
bool may_follow(std::string_view name, std::string_view first) {
  for (std::size_t at = first.find(kFirstNumber); at != first.npos; at = first.find(kFirstNumber, at + 1)) {
    const std::string_view before = first.substr(0, at);
    const std::string_view after = first.substr(at + kFirstNumber.size());
    if (name.size() < first.size() || !name.starts_with(before) || !name.ends_with(after)) continue;
    const std::string_view number = name.substr(at, name.size() - before.size() - after.size());
    if (std::ranges::all_of(number, [](unsigned char letter) { return std::isdigit(letter) != 0; })) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> files_of_recording(const std::string& first) {
  const std::optional<gpf::Metadata> metadata = metadata_of(first);
  if (!metadata || metadata->part == 0) return {first};
  const fs::path path{first};
  std::map<std::uint64_t, std::string> files{{metadata->part, first}};
  std::error_code error;
  for (fs::directory_iterator entry{path.parent_path(), error}; !error && entry != fs::directory_iterator{};
       entry.increment(error)) {
    if (!may_follow(entry->path().filename().string(), path.filename().string())) continue;
    const std::optional<gpf::Metadata> other = metadata_of(entry->path().string());
    if (other && other->part != 0 && gpf::part_key(*other) == gpf::part_key(*metadata))
      files.try_emplace(other->part, entry->path().string());
  }
  std::vector<std::string> sorted;
  sorted.reserve(files.size());
  for (auto& [part, file] : files) sorted.push_back(std::move(file));
  return sorted;
}

}  // namespace gauge::cli
