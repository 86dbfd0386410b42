#include "recorder/process_facts.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "recorder/clock.h"

namespace gauge {
namespace {

std::string contents_of(const char* path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

std::string link_target(const char* path) {
  std::error_code ignored;
  return std::filesystem::read_symlink(path, ignored).string();
}

/// Splits a row of texts that each end in a zero byte.
std::vector<std::string> split_at_zeros(const std::string& row) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start < row.size();) {
    const std::size_t end = std::min(row.find('\0', start), row.size());
    parts.push_back(row.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

}  // namespace

void add_process_facts(gpf::Metadata& metadata) {
  std::array<char, HOST_NAME_MAX + 1> host{};
  gethostname(host.data(), host.size() - 1);
  metadata.host = host.data();
  metadata.boot_id = contents_of("/proc/sys/kernel/random/boot_id");
  while (!metadata.boot_id.empty() && metadata.boot_id.back() == '\n') metadata.boot_id.pop_back();
  metadata.pid = static_cast<std::uint64_t>(getpid());
  metadata.ppid = static_cast<std::uint64_t>(getppid());
  metadata.command = split_at_zeros(contents_of("/proc/self/cmdline"));
  metadata.working_directory = link_target("/proc/self/cwd");
  metadata.executable = link_target("/proc/self/exe");
}

std::string make_run_id() {
  std::string id(16, '\0');
  if (getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    // No entropy source (a very old kernel or a strict sandbox): pid and time still tell runs of one machine apart.
    const std::array<std::int64_t, 2> unique{static_cast<std::int64_t>(getpid()), unix_time().count()};
    id.assign(reinterpret_cast<const char*>(unique.data()), sizeof unique);
  }
  return id;
}

}  // namespace gauge
