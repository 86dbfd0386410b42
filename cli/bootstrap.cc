#include "cli/bootstrap.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

constexpr const char* kPythonPath = "PYTHONPATH";

bool is_variable(std::string_view entry, std::string_view name) {
  return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
}

std::string field(std::string_view name, std::string_view value) {
  return fmt::format("{}={}\n", name, escape_field(value));
}

std::string settings_text(const RecorderSettings& settings, const std::string& library, const RunDirectory& run,
                          const std::optional<std::string>& python_path) {
  std::string text = field("output", settings.output);
  text += field("interval_ns", std::to_string(settings.interval.count()));
  text += field("duration_ns", std::to_string(settings.duration.count()));
  text += field("max_overhead", fmt::format("{}", settings.max_overhead));
  text += field("rotate_ns", std::to_string(settings.rotation.time.count()));
  text += field("rotate_bytes", std::to_string(settings.rotation.bytes));
  text += field("run_id", settings.run_id);
  text += field("subprocesses", settings.subprocesses ? "1" : "0");
  text += field("replace", settings.replace ? "1" : "0");
  text += field("recorders", library + "/recorders");
  text += field("run", run.path());
  if (python_path) text += field("pythonpath", *python_path);
  return text;
}

std::optional<LogEntry::Kind> kind_of(std::string_view word) {
  if (word == "started") return LogEntry::Kind::started;
  if (word == "refused") return LogEntry::Kind::refused;
  if (word == "failed") return LogEntry::Kind::failed;
  if (word == "skipped") return LogEntry::Kind::skipped;
  return std::nullopt;
}

/// "started\t4242\t/tmp/out.gpf"
std::optional<LogEntry> parse_line(std::string_view line) {
  const std::size_t first = line.find('\t');
  const std::size_t second = first == line.npos ? line.npos : line.find('\t', first + 1);
  const auto kind = kind_of(line.substr(0, first));
  if (!kind || second == line.npos) return std::nullopt;
  LogEntry entry{*kind, 0, unescape_field(line.substr(second + 1))};
  const auto [end, status] = std::from_chars(line.data() + first + 1, line.data() + second, entry.pid);
  if (status != std::errc{} || end != line.data() + second) return std::nullopt;
  return entry;
}

}  // namespace

std::string escape_field(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char letter : text) {
    switch (letter) {
      case '\\':
        result += "\\\\";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\t':
        result += "\\t";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

std::string unescape_field(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t index = 0; index < text.size(); ++index) {
    if (text[index] != '\\' || index + 1 == text.size()) {
      result += text[index];
      continue;
    }
    const char letter = text[++index];
    result += letter == 'n' ? '\n' : letter == 't' ? '\t' : letter;
  }
  return result;
}

RunDirectory::RunDirectory(const std::string& fallback) {
  const char* temporary = std::getenv("TMPDIR");
  int error = ENOENT;
  for (const std::string& folder :
       {std::string{temporary != nullptr ? temporary : "/tmp"}, std::string{"/tmp"}, fallback}) {
    // Absolute: the program may change its working directory before its Python starts.
    std::error_code ignored;
    path_ = (std::filesystem::absolute(folder, ignored) / "gauge-XXXXXX").string();
    if (mkdtemp(path_.data()) != nullptr) return;
    error = errno;
  }
  throw io_error(fallback, "no temporary folder can be made there, nor in TMPDIR or /tmp", error,
                 "set TMPDIR to a writable folder");
}

RunDirectory::~RunDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<LogEntry> RunDirectory::log() const {
  std::ifstream file{path_ + "/log", std::ios::binary};
  std::vector<LogEntry> entries;
  for (std::string line; std::getline(file, line);) {
    if (auto entry = parse_line(line)) entries.push_back(std::move(*entry));
  }
  return entries;
}

std::vector<std::string> bootstrap_environment(const RecorderSettings& settings, const std::string& library,
                                               const RunDirectory& run) {
  const std::string folder = library + "/bootstrap";
  if (folder.find(':') != std::string::npos)
    throw Error{ErrorCode::unsupported,
                fmt::format("{}: cannot stand in PYTHONPATH (it has a ':'); install gauge elsewhere", folder)};
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!is_variable(*entry, kPythonPath) && !is_variable(*entry, kBootstrapVariable)) environment.emplace_back(*entry);
  }
  std::optional<std::string> python_path;
  if (const char* value = std::getenv(kPythonPath)) python_path = value;
  // An empty PYTHONPATH means none to Python, while an empty entry in it means the working directory.
  const std::string rest = python_path && !python_path->empty() ? ":" + *python_path : "";
  environment.push_back(fmt::format("{}={}{}", kPythonPath, folder, rest));
  environment.push_back(fmt::format("{}={}", kBootstrapVariable, settings_text(settings, library, run, python_path)));
  return environment;
}

std::string new_run_id() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw io_error("run id", "no random bytes", errno, "check that this kernel has getrandom()");
  std::string digits;
  for (const unsigned char byte : bytes) digits += fmt::format("{:02x}", byte);
  return digits;
}

}  // namespace gauge::cli
