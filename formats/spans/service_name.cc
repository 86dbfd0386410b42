#include "formats/spans/service_name.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace gauge {
namespace {

constexpr std::string_view kUnnamed = "python";

/// "prog" of "dir/prog.py"; a folder or archive that is run goes by its own name.
std::string_view stem(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  path = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  for (const std::string_view suffix : {".py", ".pyc", ".pyz"}) {
    if (path.size() > suffix.size() && path.ends_with(suffix)) return path.substr(0, path.size() - suffix.size());
  }
  return path;
}

/// The name that `python OPTIONS...` says to run. Single-letter options may be joined (-Im pkg) and may have their
/// argument attached (-mpkg).
std::string_view program_of(const std::vector<std::string>& command) {
  for (std::size_t i = 1; i < command.size(); ++i) {
    const std::string_view word = command[i];
    const std::string_view next = i + 1 < command.size() ? std::string_view{command[i + 1]} : std::string_view{};
    if (word.size() < 2 || word[0] != '-') return word == "-" ? std::string_view{} : stem(word);
    if (word.starts_with("--")) {
      if (word == "--check-hash-based-pycs") ++i;
      continue;
    }
    const std::size_t taking = word.find_first_of("cmWX", 1);
    if (taking == std::string_view::npos) continue;
    const std::string_view attached = word.substr(taking + 1);
    if (word[taking] == 'm') return attached.empty() ? next : attached;
    if (word[taking] == 'c') return {};
    if (attached.empty()) ++i;
  }
  return {};
}

}  // namespace

std::string service_name(const Process& process) {
  const std::string_view program = program_of(process.command);
  return std::string{program.empty() ? kUnnamed : program};
}

}  // namespace gauge
