#include "cli/installation.h"

#include <fmt/format.h>

#include <filesystem>

#include "formats/base/error.h"

namespace gauge::cli {

std::string library_directory() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const char* place : {"../lib/gauge", "../stage/lib/gauge"}) {
    const fs::path candidate = (folder / place).lexically_normal();
    if (fs::exists(candidate / "bootstrap/sitecustomize.py", ignored)) return candidate.string();
  }
  throw Error{ErrorCode::unsupported, fmt::format("{}: gauge's bootstrap is not beside it (../lib/gauge/bootstrap); "
                                                  "reinstall gauge",
                                                  folder.string())};
}

}  // namespace gauge::cli
