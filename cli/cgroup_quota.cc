#include "cli/cgroup_quota.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

/// A mounted hierarchy of cgroups.
struct Hierarchy {
  bool is_v2 = false;
  std::string top;    // the cgroup that is seen at the mount point
  std::string place;  // the mount point
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream text{line};
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

bool has_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t end = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, end) == "cpu") return true;
    controllers.remove_prefix(std::min(end + 1, controllers.size()));
  }
  return false;
}

/// proc_pid_mountinfo(5): "36 35 98:0 /top /place options optional... - type source super,options"
std::vector<Hierarchy> hierarchies(const std::string& root) {
  std::ifstream file{root + "/proc/self/mountinfo"};
  std::vector<Hierarchy> found;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = words_of(line);
    const auto border = std::ranges::find(words, "-");
    if (words.size() < 6 || words.end() - border < 4) continue;
    const bool is_v2 = border[1] == "cgroup2";
    if (is_v2 || (border[1] == "cgroup" && has_cpu(border[3]))) found.push_back({is_v2, words[3], words[4]});
  }
  return found;
}

/// cgroups(7): "4:cpu,cpuacct:/path" in version 1, "0::/path" in version 2.
std::optional<std::string> own_path(const std::string& root, bool is_v2) {
  std::ifstream file{root + "/proc/self/cgroup"};
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view{line}.substr(first + 1, second - first - 1);
    if (is_v2 ? controllers.empty() : has_cpu(controllers)) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// The first words of a file; fewer where it has fewer, or is not there.
std::vector<std::string> words_in(const fs::path& path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  return words_of(line);
}

std::optional<double> ratio(const std::vector<std::string>& quota, const std::string& period) {
  // "max", and -1 in version 1, mean none.
  const double part = quota.empty() ? 0 : std::strtod(quota.front().c_str(), nullptr);
  const double whole = std::strtod(period.c_str(), nullptr);
  if (part <= 0 || whole <= 0) return std::nullopt;
  return part / whole;
}

std::optional<double> quota_of(const fs::path& folder, bool is_v2) {
  if (is_v2) {
    const std::vector<std::string> words = words_in(folder / "cpu.max");
    return words.size() < 2 ? std::nullopt : ratio(words, words[1]);
  }
  const std::vector<std::string> period = words_in(folder / "cpu.cfs_period_us");
  return period.empty() ? std::nullopt : ratio(words_in(folder / "cpu.cfs_quota_us"), period.front());
}

/// In a container the mount point may show a cgroup below the hierarchy's own top, while the process's path is still
/// told from there; or it shows less than the path says.
fs::path relative_path(const std::string& path, const std::string& top) {
  const std::string prefix = top == "/" ? "" : top;
  if (!path.starts_with(prefix)) return {};
  return fs::path{path.substr(prefix.size())}.relative_path();
}

std::optional<double> least_quota(const std::string& root, const Hierarchy& hierarchy) {
  const auto path = own_path(root, hierarchy.is_v2);
  if (!path) return std::nullopt;
  const fs::path place = root + hierarchy.place;
  std::optional<double> least;
  for (fs::path below = relative_path(*path, hierarchy.top);; below = below.parent_path()) {
    const auto quota = quota_of(place / below, hierarchy.is_v2);
    if (quota && (!least || *quota < *least)) least = quota;
    if (below.empty()) return least;
  }
}

}  // namespace

std::optional<double> cpu_quota(const std::string& root) {
  std::optional<double> least;
  for (const Hierarchy& hierarchy : hierarchies(root)) {
    const auto quota = least_quota(root, hierarchy);
    if (quota && (!least || *quota < *least)) least = quota;
  }
  return least;
}

}  // namespace gauge::cli
