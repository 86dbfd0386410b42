#include "formats/gpf/byte_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>

#include "formats/base/error.h"

namespace gauge::gpf {
namespace {

constexpr std::size_t kPipeChunkBytes = std::size_t{1} << 20;

/// Files that stay open between reads, of all that are being read.
std::atomic<std::size_t> files_held{0};

/// Half of the descriptors that the process may have: thousands of recordings are read at once.
std::size_t most_files_held() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur / 2);
}

Error cannot_read(const std::string& path) {
  const int error_number = errno;
  return io_error(path, "cannot be read", error_number,
                  error_number == ENOENT ? "check the path" : "check that it is a readable file");
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return bytes_.size(); }
  std::string_view read(std::uint64_t offset, std::size_t count, std::string& /*storage*/) const override {
    return offset < bytes_.size() ? std::string_view{bytes_}.substr(offset, count) : std::string_view{};
  }

 private:
  std::string bytes_;
};

Descriptor open_to_read(const std::string& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (file.number() < 0) throw cannot_read(path);
  return file;
}

struct stat status_of(const Descriptor& file, const std::string& path) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) throw cannot_read(path);
  return status;
}

/// Keeps its file open, or, where many are open already, opens it anew for each read: that takes some microseconds, and
/// a read is of a block at least.
class FileSource final : public ByteSource {
 public:
  FileSource(Descriptor file, const struct stat& status, std::string path)
      : size_(static_cast<std::uint64_t>(status.st_size)),
        device_(status.st_dev),
        inode_(status.st_ino),
        path_(std::move(path)) {
    if (++files_held <= most_files_held()) {
      file_.emplace(std::move(file));
    } else {
      --files_held;
    }
  }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override {
    if (file_) --files_held;
  }

  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  std::string_view read(std::uint64_t offset, std::size_t count, std::string& storage) const override {
    if (offset >= size_) return {};
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
    if (storage.size() < count) storage.resize(count);
    return std::string_view{storage}.substr(
        0, file_ ? fill(*file_, offset, count, storage) : fill(reopened(), offset, count, storage));
  }

 private:
  std::size_t fill(const Descriptor& file, std::uint64_t offset, std::size_t count, std::string& storage) const {
    std::size_t filled = 0;
    while (filled < count) {
      const ssize_t got =
          ::pread(file.number(), storage.data() + filled, count - filled, static_cast<off_t>(offset + filled));
      if (got == 0) break;
      if (got < 0 && errno != EINTR) throw cannot_read(path_);
      if (got > 0) filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

  [[nodiscard]] Descriptor reopened() const {
    Descriptor file = open_to_read(path_);
    const struct stat status = status_of(file, path_);
    if (status.st_dev != device_ || status.st_ino != inode_)
      throw Error{ErrorCode::io, fmt::format("{}: was replaced while it was read; try again", path_)};
    return file;
  }

  std::optional<Descriptor> file_;  // nothing: opened for each read
  std::uint64_t size_;
  dev_t device_;
  ino_t inode_;
  std::string path_;
};

std::string read_to_end(const Descriptor& file, const std::string& path) {
  std::string bytes;
  for (;;) {
    const std::size_t filled = bytes.size();
    bytes.resize(filled + kPipeChunkBytes);
    const ssize_t got = ::read(file.number(), bytes.data() + filled, kPipeChunkBytes);
    if (got < 0 && errno != EINTR) throw cannot_read(path);
    bytes.resize(filled + static_cast<std::size_t>(std::max(got, ssize_t{0})));
    if (got == 0) return bytes;
  }
}

}  // namespace

std::unique_ptr<ByteSource> open_file(const std::string& path) {
  Descriptor file = open_to_read(path);
  const struct stat status = status_of(file, path);
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    throw cannot_read(path);
  }
  if (!S_ISREG(status.st_mode)) return from_memory(read_to_end(file, path));
  return std::make_unique<FileSource>(std::move(file), status, path);
}

std::unique_ptr<ByteSource> from_memory(std::string bytes) { return std::make_unique<MemorySource>(std::move(bytes)); }

}  // namespace gauge::gpf
