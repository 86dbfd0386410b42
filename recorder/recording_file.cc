#include "recorder/recording_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "formats/base/error.h"

namespace gauge {
namespace {

constexpr const char* kChooseAnother = "choose another file or folder";

/// Neither a file nor a folder: a device, a pipe, a socket.
bool is_special(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

}  // namespace

FileExistsError::FileExistsError(const std::string& path)
    : Error{ErrorCode::usage,
            fmt::format("{}: exists already; choose another name, or replace it (-f, replace=True)", path)} {}

RecordingFile::RecordingFile(const std::string& path, const Options& options) : path_(path), options_(options) {
  if (is_special(path)) {
    open_special(path);
  } else {
    open_regular(path);
  }
  struct stat status {};
  fstat(descriptor_, &status);
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

RecordingFile::~RecordingFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void RecordingFile::open_special(const std::string& path) {
  is_regular_ = false;
  // Without O_NONBLOCK the open of a pipe that nobody reads would never return.
  descriptor_ = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor_ < 0) throw io_error(path, "cannot be opened", errno, kChooseAnother);
  fcntl(descriptor_, F_SETFL, fcntl(descriptor_, F_GETFL) & ~O_NONBLOCK);
}

void RecordingFile::open_regular(const std::string& path) {
  if (options_.replace) temporary_path_ = fmt::format("{}.{}.tmp", path, getpid());
  const std::string& name = options_.replace ? temporary_path_ : path_;
  descriptor_ = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ >= 0) return;
  if (errno == EEXIST && !options_.replace) throw FileExistsError{path};
  throw io_error(path, "cannot be created", errno, kChooseAnother);
}

void RecordingFile::write(std::string_view bytes) {
  if (is_regular_ || options_.descriptor_is_shared) check_identity();
  write_all(bytes);
  size_ += bytes.size();
}

void RecordingFile::check_identity() const {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0 || status.st_dev != device_ || status.st_ino != inode_) {
    throw Error{ErrorCode::io, fmt::format("{}: the program closed the recording's descriptor; "
                                           "what was recorded until then is kept",
                                           path_)};
  }
  if (is_regular_ && status.st_nlink == 0) {
    throw Error{ErrorCode::io, fmt::format("{}: was deleted while it was written; record again", path_)};
  }
}

void RecordingFile::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    const int failure = errno;
    if (is_regular_ && ftruncate(descriptor_, static_cast<off_t>(size_)) == 0) {
      lseek(descriptor_, 0, SEEK_END);
    }
    throw io_error(path_, "cannot be written", failure, "what was recorded until then is kept");
  }
}

void RecordingFile::publish() {
  if (temporary_path_.empty()) return;
  if (std::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
    throw io_error(path_, "cannot be replaced", errno, kChooseAnother);
  }
  temporary_path_.clear();
}

void RecordingFile::discard() noexcept {
  if (is_regular_) unlink(temporary_path_.empty() ? path_.c_str() : temporary_path_.c_str());
}

}  // namespace gauge
