#include "cli/interpreters.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

// The program's own start-up files may print first, hence the word to look for. It runs on Python 2 as well, whose
// users are to be told more than "syntax error".
constexpr std::string_view kFactsBegin = "gauge-python-facts";
constexpr std::string_view kFactsProgram = R"(
import os, sys
implementation = getattr(sys, "implementation", None)
free_threaded = "t" in getattr(sys, "abiflags", "")
executable = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
lines = ["gauge-python-facts", implementation.name if implementation else "cpython",
         "%d %d" % tuple(sys.version_info[:2]), sys.version.split()[0], "yes" if free_threaded else "no", executable]
os.write(1, getattr(os, "fsencode", str)("\n".join(lines)))
)";

bool is_executable_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// "python3", "python3.12", "python3.13t", "pypy3.10"; not "python3-config", "python3.12-gdb.py".
bool is_python3_name(std::string_view name) {
  if (name.starts_with("python"))
    name.remove_prefix(6);
  else if (name.starts_with("pypy"))
    name.remove_prefix(4);
  else
    return false;
  if (!name.starts_with('3')) return false;
  name.remove_prefix(1);
  if (name.empty()) return true;
  if (!name.starts_with('.')) return false;
  name.remove_prefix(1);
  if (name.ends_with('t') || name.ends_with('d')) name.remove_suffix(1);
  return !name.empty() && std::ranges::all_of(name, [](unsigned char letter) { return std::isdigit(letter) != 0; });
}

/// In the order of their names: a folder's own order is nobody's.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry{folder, error}, end; !error && entry != end; entry.increment(error))
    found.push_back(entry->path());
  std::ranges::sort(found);
  return found;
}

std::vector<fs::path> folders_of_path() {
  const char* value = std::getenv("PATH");
  std::string_view path = value != nullptr ? value : "/bin:/usr/bin";
  std::vector<fs::path> folders;
  while (true) {
    const std::size_t end = std::min(path.find(':'), path.size());
    folders.emplace_back(end == 0 ? "." : path.substr(0, end));
    if (end == path.size()) return folders;
    path.remove_prefix(end + 1);
  }
}

/// Folders with a folder for each interpreter: of pyenv, of uv.
std::vector<fs::path> managed_folders() {
  const std::string home = variable("HOME");
  std::vector<fs::path> folders;
  const auto add = [&](const std::string& own, const std::string& base, const std::string& otherwise,
                       std::string_view below) {
    if (!own.empty())
      folders.emplace_back(own);
    else if (!base.empty())
      folders.push_back(fs::path{base} / below);
    else if (!home.empty())
      folders.push_back(fs::path{home} / otherwise / below);
  };
  add("", variable("PYENV_ROOT"), ".pyenv", "versions");
  add(variable("UV_PYTHON_INSTALL_DIR"), variable("XDG_DATA_HOME"), ".local/share", "uv/python");
  return folders;
}

std::vector<fs::path> candidates() {
  std::vector<fs::path> found;
  const std::string environment = variable("VIRTUAL_ENV");
  if (!environment.empty()) found.push_back(fs::path{environment} / "bin/python");
  for (const fs::path& folder : managed_folders()) {
    for (const fs::path& version : entries(folder)) found.push_back(version / "bin/python3");
  }
  for (const fs::path& folder : folders_of_path()) {
    for (const fs::path& entry : entries(folder)) {
      if (is_python3_name(entry.filename().string())) found.push_back(entry);
    }
  }
  std::erase_if(found, [](const fs::path& path) { return !is_executable_file(path); });
  return found;
}

/// Where the folders on the way are no links, but the file may be one: /bin/python3 is /usr/bin/python3.
fs::path without_linked_folders(const fs::path& path) {
  std::error_code error;
  const fs::path folder = fs::canonical(path.parent_path(), error);
  return error ? path : folder / path.filename();
}

std::vector<std::string_view> lines_of(std::string_view text, std::size_t most) {
  std::vector<std::string_view> lines;
  while (lines.size() + 1 < most && text.find('\n') != text.npos) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(text.find('\n') + 1);
  }
  lines.push_back(text);
  return lines;
}

/// "3 12" @return whether it was that
bool parse_numbers(std::string_view text, InterpreterFacts& facts) {
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, facts.major);
  if (major.ec != std::errc{} || major.ptr == end || *major.ptr != ' ') return false;
  const auto minor = std::from_chars(major.ptr + 1, end, facts.minor);
  return minor.ec == std::errc{} && minor.ptr == end;
}

}  // namespace

std::string InterpreterFacts::name() const {
  static const std::map<std::string, std::string, std::less<>> kNames = {
      {"cpython", "CPython"}, {"graalpy", "GraalPy"}, {"pypy", "PyPy"}};
  const auto known = kNames.find(implementation);
  return fmt::format("{} {}{}", known == kNames.end() ? implementation : known->second, version,
                     is_free_threaded ? " free-threaded" : "");
}

std::vector<std::vector<std::string>> find_pythons() {
  std::vector<std::vector<std::string>> groups;
  std::map<fs::path, std::size_t> known;  // file -> index of its group
  for (const fs::path& path : candidates()) {
    std::error_code error;
    const fs::path file = fs::canonical(path, error);
    if (error) continue;
    const auto [entry, is_new] = known.try_emplace(file, groups.size());
    if (is_new) groups.emplace_back();
    std::vector<std::string>& names = groups[entry->second];
    const std::string name = without_linked_folders(path).string();
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return groups;
}

bool is_shim(std::string_view path) { return path.find("/shims/") != std::string_view::npos; }

std::string_view facts_program() noexcept { return kFactsProgram; }

std::optional<InterpreterFacts> parse_facts(std::string_view output) {
  const std::size_t begin = output.rfind(kFactsBegin);
  if (begin == output.npos) return std::nullopt;
  const std::vector<std::string_view> lines = lines_of(output.substr(begin), 6);
  if (lines.size() != 6 || lines[0] != kFactsBegin || lines[5].empty()) return std::nullopt;
  InterpreterFacts facts{.implementation = std::string{lines[1]},
                         .version = std::string{lines[3]},
                         .is_free_threaded = lines[4] == "yes",
                         .executable = std::string{lines[5]}};
  if (!parse_numbers(lines[2], facts)) return std::nullopt;
  return facts;
}

}  // namespace gauge::cli
