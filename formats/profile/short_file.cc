#include "formats/profile/short_file.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace gauge {

std::string short_file(const Profile& profile, const Function& function) {
  std::string_view file = function.file;
  std::size_t longest = 0;
  const auto try_root = [&](std::string_view root) {
    const bool holds = file.size() > root.size() + 1 && file.starts_with(root) && file[root.size()] == '/';
    if (holds) longest = std::max(longest, root.size() + 1);
  };
  for (const Process& process : profile.processes()) {
    try_root(process.working_directory);
    std::ranges::for_each(process.import_roots, try_root);
  }
  file.remove_prefix(longest);
  return std::string{file};
}

}  // namespace gauge
