#include "recorder/open_block_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "formats/gpf/framing.h"

namespace gauge {

OpenBlockFile::OpenBlockFile(const std::string& recording, std::string_view header,
                             std::shared_ptr<const Folder> folder) noexcept
    : folder_(std::move(folder)) {
  try {
    path_ = recording + std::string{gpf::kOpenBlockSuffix};
    if (!folder_) folder_ = std::make_shared<Folder>(recording, true);
    if (!create()) return;
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
}

bool OpenBlockFile::create() noexcept {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const auto [folder, name] = place();
  descriptor_ = openat(folder, name, kFlags, 0666);
  if (descriptor_ >= 0 || errno != EEXIST || !is_left_over()) return descriptor_ >= 0;
  unlinkat(folder, name, 0);
  descriptor_ = openat(folder, name, kFlags, 0666);
  return descriptor_ >= 0;
}

/// True if what has the name is the open block of an earlier recording, whose file is gone or replaced.
bool OpenBlockFile::is_left_over() const noexcept {
  const auto [folder, name] = place();
  const int other = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
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
  const auto [folder, name] = place();
  unlinkat(folder, name, 0);
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
