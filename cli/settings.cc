#include "cli/settings.h"

#include <fmt/format.h>

#define TOML_HEADER_ONLY 1  // see cli/CMakeLists.txt
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "cli/command_line.h"
#include "formats/base/error.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> kNames = {"duration", "interval", "max-overhead", "output",
                                                    "rate",     "rotate",   "strict",       "subprocesses"};

std::string variable_of(std::string_view name) {
  std::string variable = "GAUGE_";
  for (const char letter : name)
    variable += letter == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return variable;
}

toml::table parse(const std::string& path) {
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    const toml::source_position place = error.source().begin;
    if (place.line == 0) throw Error{ErrorCode::io, fmt::format("{}: cannot be read; check its permissions", path)};
    throw Error{ErrorCode::usage, fmt::format("{}: is not TOML (line {}, column {}: {}); correct it", path, place.line,
                                              place.column, error.description())};
  }
}

std::string text_of(const toml::node& node, const std::string& source) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  if (const auto truth = node.value_exact<bool>()) return *truth ? "true" : "false";
  throw Error{ErrorCode::usage, fmt::format("{}: is neither text, number nor truth; write one value", source)};
}

/// The table that holds our settings; nullptr where the file has none.
const toml::table* our_table(const toml::table& file, bool is_pyproject) {
  if (!is_pyproject) return &file;
  return file["tool"]["gauge"].as_table();
}

std::map<std::string, Setting, std::less<>> values_of(const toml::table& table, const std::string& path,
                                                      std::string_view prefix) {
  std::map<std::string, Setting, std::less<>> values;
  for (const auto& [key, node] : table) {
    const std::string source = fmt::format("{}: {}{}", path, prefix, key.str());
    if (std::ranges::find(kNames, key.str()) == kNames.end())
      throw Error{ErrorCode::usage,
                  fmt::format("{}: no such setting; {}", source,
                              did_you_mean(key.str(), kNames, fmt::format("known are {}", fmt::join(kNames, ", "))))};
    values[std::string{key.str()}] = Setting{text_of(node, source), source};
  }
  return values;
}

}  // namespace

Settings Settings::load() {
  Settings settings;
  std::error_code error;
  for (fs::path folder = fs::current_path(error); !folder.empty(); folder = folder.parent_path()) {
    for (const bool is_pyproject : {false, true}) {
      const std::string path = (folder / (is_pyproject ? "pyproject.toml" : "gauge.toml")).string();
      if (!fs::is_regular_file(path, error)) continue;
      const toml::table file = parse(path);
      const toml::table* table = our_table(file, is_pyproject);
      if (table == nullptr) continue;
      settings.file_ = values_of(*table, path, is_pyproject ? "tool.gauge." : "");
      return settings;
    }
    if (folder == folder.root_path()) break;
  }
  return settings;
}

std::optional<Setting> Settings::in_environment(std::string_view name) {
  const std::string variable = variable_of(name);
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return Setting{value, variable};
}

std::optional<Setting> Settings::in_file(std::string_view name) const {
  const auto entry = file_.find(name);
  if (entry == file_.end()) return std::nullopt;
  return entry->second;
}

std::optional<Setting> Settings::find(std::string_view name) const {
  if (auto setting = in_environment(name)) return setting;
  return in_file(name);
}

bool Settings::flag(std::string_view name) const {
  const auto setting = find(name);
  if (!setting) return false;
  const std::string& word = setting->value;
  if (word == "1" || word == "true" || word == "yes" || word == "on") return true;
  if (word == "0" || word == "false" || word == "no" || word == "off") return false;
  throw Error{ErrorCode::usage, fmt::format("{}: '{}' is neither yes nor no; write 1 or 0", setting->source, word)};
}

std::optional<Settings::Choice> Settings::either(std::string_view first, std::string_view second) const {
  const auto choose = [](const std::optional<Setting>& one,
                         const std::optional<Setting>& other) -> std::optional<Choice> {
    if (one && other)
      throw Error{ErrorCode::usage,
                  fmt::format("{}: says the same as {}; set one of them", one->source, other->source)};
    if (one) return Choice{false, *one};
    if (other) return Choice{true, *other};
    return std::nullopt;
  };
  if (auto choice = choose(in_environment(first), in_environment(second))) return choice;
  return choose(in_file(first), in_file(second));
}

}  // namespace gauge::cli
