#include "recorder/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <new>

namespace gauge {

Folder::Folder(const std::string& path, bool keep_open) noexcept {
  if (!keep_open) return;
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const std::size_t slash = path.rfind('/');
  try {
    descriptor_ = open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), kFlags);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
    // Then by their paths.
  }
}

Folder::~Folder() {
  if (descriptor_ >= 0) close(descriptor_);
}

Folder::Place Folder::place_of(const std::string& path) const noexcept {
  if (descriptor_ < 0) return {.folder = AT_FDCWD, .name = path.c_str()};
  const std::size_t slash = path.rfind('/');
  return {.folder = descriptor_, .name = path.c_str() + (slash == std::string::npos ? 0 : slash + 1)};
}

}  // namespace gauge
