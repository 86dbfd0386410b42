#include "cli/program.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

std::string base_name(std::string_view path) { return std::string{path.substr(path.rfind('/') + 1)}; }

bool is_regular(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_executable(const std::string& path) { return is_regular(path) && access(path.c_str(), X_OK) == 0; }

bool has_python_suffix(std::string_view name) {
  return name.ends_with(".py") || name.ends_with(".pyw") || name.ends_with(".pyz") || name.ends_with(".pyc");
}

/// The file that execvp() would run. @return std::nullopt where PATH has none
std::optional<std::string> find_on_path(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* variable = std::getenv("PATH");
  std::string_view path = variable != nullptr ? variable : "/bin:/usr/bin";
  while (true) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const std::string_view folder = end == 0 ? "." : path.substr(0, end);
    std::string candidate = fmt::format("{}/{}", folder, name);
    if (is_executable(candidate)) return candidate;
    if (end == path.size()) return std::nullopt;
    path.remove_prefix(end + 1);
  }
}

Error cannot_run(const std::string& name, std::string_view what, std::string_view advice) {
  return Error{ErrorCode::usage, fmt::format("{}: {}; {}", name, what, advice)};
}

std::string executable_of(const std::string& name) {
  const auto path = find_on_path(name);
  if (!path && has_python_suffix(name)) throw cannot_run(name, "no such script", "check the path");
  if (!path) throw cannot_run(name, "not found on PATH", "check the spelling, or give its whole path");
  struct stat status {};
  if (stat(path->c_str(), &status) != 0) {
    if (errno == ENOENT) throw cannot_run(name, "no such program", "check the path");
    throw io_error(name, "cannot be looked at", errno, "check the path and its permissions");
  }
  if (S_ISDIR(status.st_mode)) throw cannot_run(name, "is a folder", "name a program in it");
  if (!is_executable(*path) && has_python_suffix(name))
    throw cannot_run(name, "is not executable", "leave out '--' to run it with python3");
  if (!is_executable(*path)) throw cannot_run(name, "is not executable", "name a program, or chmod +x it");
  return *path;
}

std::string python_executable(std::string& name) {
  const char* chosen = std::getenv("GAUGE_PYTHON");
  name = chosen != nullptr && *chosen != '\0' ? chosen : "python3";
  const auto path = find_on_path(name);
  if (!path || !is_executable(*path))
    throw cannot_run(name, "no such interpreter", "install it, or set GAUGE_PYTHON to the one to use");
  return *path;
}

/// What may stand in a file name without surprise.
std::string label_of(std::string_view text) {
  std::string label = base_name(text);
  for (const std::string_view suffix : {".py", ".pyw", ".pyz", ".pyc"}) {
    if (label.ends_with(suffix) && label.size() > suffix.size()) label.resize(label.size() - suffix.size());
  }
  std::ranges::replace_if(
      label,
      [](unsigned char letter) { return letter < 0x80 && std::isalnum(letter) == 0 && letter != '.' && letter != '_'; },
      '-');
  while (label.starts_with('.')) label.erase(0, 1);  // no hidden recordings
  constexpr std::size_t kLongest = 60;               // room for time and pid below the 255 bytes of a name
  if (label.size() > kLongest) label.resize(kLongest);
  return label.empty() ? "program" : label;
}

bool is_python_name(std::string_view name) {
  const std::string base = base_name(name);
  return base.starts_with("python") || base.starts_with("pypy");
}

/// Whether Python's option `option` takes the next word.
bool takes_next_word(std::string_view option) {
  return option == "-W" || option == "-X" || option == "--check-hash-based-pycs";
}

/// Where a Python's own options end: at the script, or at -m or -c.
std::size_t end_of_python_options(const Arguments& arguments) {
  std::size_t index = 1;
  while (index < arguments.size()) {
    const std::string& word = arguments[index];
    if (!word.starts_with('-') || word == "-" || word == "-m" || word == "-c") break;
    index += takes_next_word(word) ? 2 : 1;
  }
  return std::min(index, arguments.size());
}

std::string python_label(const Arguments& arguments) {
  const std::size_t index = end_of_python_options(arguments);
  if (index == arguments.size()) return "python";
  const std::string& word = arguments[index];
  if (word == "-m" && index + 1 < arguments.size()) return label_of(arguments[index + 1]);
  if (word == "-c" || word == "-") return "python";
  return label_of(fs::path{word}.filename().empty() ? fs::path{word}.parent_path().string() : word);
}

Program python_program(const Arguments& words) {
  Program program;
  std::string name;
  program.path = python_executable(name);
  program.arguments.push_back(name);
  program.arguments.insert(program.arguments.end(), words.begin(), words.end());
  program.label = python_label(program.arguments);
  program.is_python = true;
  return program;
}

bool is_script_for_python(const std::string& word) {
  if (has_python_suffix(word)) return is_regular(word);
  return fs::is_directory(word) && is_regular(word + "/__main__.py");
}

/// A word by which an executable may come to run Python: its name, a script, a shell command.
bool may_lead_to_python(const std::string& word) {
  if (word.find("python") != std::string::npos || word.find("pypy") != std::string::npos) return true;
  if (has_python_suffix(word) || word.find(' ') != std::string::npos) return true;
  const auto path = find_on_path(word);
  if (!path || !is_executable(*path)) return false;
  std::ifstream file{*path, std::ios::binary};
  return file.get() == '#' && file.get() == '!';
}

bool is_binary_without_python(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  return bytes.starts_with(
             "\x7f"
             "ELF") &&
         bytes.find("python") == std::string::npos && bytes.find("Python") == std::string::npos;
}

}  // namespace

Program find_program(const Arguments& words) {
  const bool is_marked = !words.empty() && words.front() == "--";
  const Arguments rest{words.begin() + (is_marked ? 1 : 0), words.end()};
  if (rest.empty())
    throw Error{ErrorCode::usage, "record: no program given; write it last: gauge record -o out.gpf -- python app.py"};
  const std::string& first = rest.front();
  if (!is_marked && (first == "-m" || first == "-c")) {
    if (rest.size() == 1)
      throw Error{ErrorCode::usage, fmt::format("{}: needs a value; write {}", first,
                                                first == "-m" ? "-m MODULE ARGS..." : "-c CODE ARGS...")};
    return python_program(rest);
  }
  if (!is_marked && is_script_for_python(first)) return python_program(rest);

  Program program;
  program.path = executable_of(first);
  program.arguments = rest;
  program.is_python = is_python_name(first);
  program.label = program.is_python ? python_label(rest) : label_of(first);
  return program;
}

void refuse_unless_python_is_likely(const Program& program) {
  std::error_code ignored;
  const fs::path target = fs::canonical(program.path, ignored);
  if (program.is_python || is_python_name(target.string())) return;
  if (std::any_of(program.arguments.begin() + 1, program.arguments.end(), may_lead_to_python)) return;
  if (!is_binary_without_python(program.path)) return;
  throw Error{ErrorCode::usage,
              fmt::format("{}: is not a Python program ({} has no Python in it); name the interpreter, as in 'gauge "
                          "record -- python app.py', or give -s if it starts Python itself",
                          program.arguments.front(), program.path)};
}

std::string isolation_option(const Program& program) {
  if (!program.is_python) return "";
  const std::size_t end = end_of_python_options(program.arguments);
  for (std::size_t index = 1; index < end; ++index) {
    const std::string& word = program.arguments[index];
    if (takes_next_word(word)) {
      ++index;
    } else if (!word.starts_with("--") && !word.starts_with("-W") && !word.starts_with("-X")) {
      const std::size_t letter = word.find_first_of("IES");
      if (letter != std::string::npos) return std::string{"-"} + word[letter];
    }
  }
  return "";
}

}  // namespace gauge::cli
