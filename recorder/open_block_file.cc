#include "recorder/open_block_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "formats/gpf/framing.h"

namespace gauge {
namespace {

/// The folder of `path`, and the rest as its name there.
struct Place {
  std::string folder;
  std::string name;
};

Place place_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {.folder = ".", .name = path};
  return {.folder = slash == 0 ? "/" : path.substr(0, slash), .name = path.substr(slash + 1)};
}

}  // namespace

OpenBlockFile::OpenBlockFile(const std::string& recording, std::string_view header) noexcept {
  try {
    Place place = place_of(recording);
    name_ = std::move(place.name) + std::string{gpf::kOpenBlockSuffix};
    folder_ = open(place.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder_ < 0 || !create()) return;
  } catch (const std::bad_alloc&) {
    return;
  }
  // Held until this thread and the sampler are gone: who can take it knows that nobody writes here any more.
  flock(descriptor_, LOCK_EX | LOCK_NB);
  header_bytes_ = header.size();
  if (!write_at_end(header)) remove();
}

OpenBlockFile::~OpenBlockFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (folder_ >= 0) close(folder_);
}

bool OpenBlockFile::create() noexcept {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  descriptor_ = openat(folder_, name_.c_str(), kFlags, 0666);
  if (descriptor_ >= 0 || errno != EEXIST || !is_left_over()) return descriptor_ >= 0;
  unlinkat(folder_, name_.c_str(), 0);
  descriptor_ = openat(folder_, name_.c_str(), kFlags, 0666);
  return descriptor_ >= 0;
}

/// True if what has the name is the open block of an earlier recording, whose file is gone or replaced.
bool OpenBlockFile::is_left_over() const noexcept {
  const int other = openat(folder_, name_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (other < 0) return false;
  std::array<char, gpf::kSkippableHeaderBytes + gpf::kMagic.size()> beginning{};
  const ssize_t got = pread(other, beginning.data(), beginning.size(), 0);
  const bool is_unused = flock(other, LOCK_EX | LOCK_NB) == 0;
  close(other);
  const std::string_view bytes{beginning.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
  return is_unused && bytes.size() == beginning.size() && bytes.ends_with(gpf::magic());
}

void OpenBlockFile::keep(std::string_view frame) noexcept {
  if (descriptor_ >= 0 && !write_at_end(frame)) remove();
}

void OpenBlockFile::forget() noexcept {
  if (descriptor_ < 0 || size_ == header_bytes_) return;
  size_ = header_bytes_;
  if (ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) remove();
}

void OpenBlockFile::remove() noexcept {
  if (descriptor_ < 0) return;
  unlinkat(folder_, name_.c_str(), 0);
  close(descriptor_);
  descriptor_ = -1;
}

bool OpenBlockFile::write_at_end(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
  }
  return true;
}

}  // namespace gauge
