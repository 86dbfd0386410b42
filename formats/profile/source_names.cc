#include "formats/profile/source_names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace gauge {
namespace {

constexpr std::size_t kLargestSource = std::size_t{16} << 20;
constexpr int kFirstMinorWithNames = 11;

/// Not through a stream: it would wait for the other end of a pipe.
class OpenFile {
 public:
  explicit OpenFile(const char* path) : descriptor_(::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  [[nodiscard]] bool is_regular() const {
    struct stat status {};
    return descriptor_ >= 0 && ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  }

  /// Up to `most` bytes. Nothing on an error.
  [[nodiscard]] std::optional<std::string> read(std::size_t most) const {
    constexpr std::size_t kChunk = std::size_t{1} << 16;
    std::string bytes;
    while (bytes.size() < most) {
      const std::size_t filled = bytes.size();
      bytes.resize(std::min(filled + kChunk, most));
      const ssize_t got = ::read(descriptor_, bytes.data() + filled, bytes.size() - filled);
      if (got < 0 && errno != EINTR) return std::nullopt;
      bytes.resize(filled + static_cast<std::size_t>(std::max(got, ssize_t{0})));
      if (got == 0) break;
    }
    return bytes;
  }

 private:
  int descriptor_;
};

bool is_file_name(std::string_view file) { return !file.empty() && !file.starts_with('<'); }

/// "" where it cannot be told: the directory in which the conversion happens to run has nothing to do with it.
std::string whole_path(const std::string& file, const std::string& working_directory) {
  if (!is_file_name(file)) return {};
  if (file.starts_with('/')) return file;
  return working_directory.empty() ? std::string{} : working_directory + "/" + file;
}

}  // namespace

std::optional<std::string> read_source(const std::string& path) {
  struct stat status {};
  // Looked at before it is opened, since opening some devices has effects, and after, since it may be another by then.
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const OpenFile file{path.c_str()};
  if (!file.is_regular()) return std::nullopt;
  std::optional<std::string> bytes = file.read(kLargestSource + 1);
  if (bytes && bytes->size() > kLargestSource) return std::nullopt;
  return bytes;
}

bool has_qualified_names(std::string_view python_version) {
  constexpr std::string_view kMajor = "3.";
  if (!python_version.starts_with(kMajor)) return true;
  python_version.remove_prefix(kMajor.size());
  int minor = 0;
  const auto parsed = std::from_chars(python_version.data(), python_version.data() + python_version.size(), minor);
  return parsed.ec != std::errc{} || minor >= kFirstMinorWithNames;
}

std::string SourceNames::qualified_name(const Function& function, const std::string& working_directory) {
  if (function.name == "<module>") return function.name;  // wherever it is, and not always on the line where it begins
  const std::string path = whole_path(function.file, working_directory);
  if (!path.empty()) {
    auto qualified = outline(path).qualified_name(function.name, function.first_line);
    if (qualified) return *std::move(qualified);
  }
  if (is_file_name(function.file)) bare_.emplace(function.file, function.first_line, function.name);
  return function.name;
}

BareNames SourceNames::bare_names() const {
  BareNames names;
  names.functions = bare_.size();
  const std::string* last = nullptr;
  for (const auto& [file, line, name] : bare_) {
    if (last == nullptr || *last != file) ++names.files;
    last = &file;
  }
  if (last != nullptr) names.file = std::get<0>(*bare_.begin());
  return names;
}

const SourceOutline& SourceNames::outline(const std::string& path) {
  const auto known = outlines_.find(path);
  if (known != outlines_.end()) return known->second;
  return outlines_.emplace(path, SourceOutline{read_(path).value_or("")}).first->second;
}

}  // namespace gauge
