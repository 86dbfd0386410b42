#include "formats/base/sink.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "formats/base/error.h"

namespace gauge {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
constexpr mode_t kNewFileMode = 0666;  // the umask takes its share
constexpr mode_t kPermissionBits = 0777;

std::string advice_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another place with -o";
    case EFBIG:
      return "raise the file size limit (ulimit -f) or choose another place with -o";
    case EPIPE:
      return "its reader has gone";
    case ENOENT:
    case ENOTDIR:
      return "create the folder first or choose another place with -o";
    default:
      return "choose another place with -o";
  }
}

/// Takes errno from the call just made.
Error failed(const std::string& subject, const std::string& action) {
  const int error_number = errno;
  return io_error(subject, action, error_number, advice_for(error_number));
}

Error already_exists(const std::string& path) {
  return Error{ErrorCode::usage, fmt::format("{}: already exists; overwrite it with -f or choose another name", path)};
}

void wait_until_writable(int descriptor) {
  pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
  ::poll(&wanted, 1, -1);  // any failure shows in the write() that follows
}

void write_all(int descriptor, std::string_view bytes, const std::string& subject) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      wait_until_writable(descriptor);
    } else if (errno != EINTR) {
      throw failed(subject, "cannot be written");
    }
  }
}

/// The file that `path` leads to. A path that leads nowhere yet stays as it is.
std::string resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved{::realpath(path.c_str(), nullptr), &std::free};
  return resolved ? std::string{resolved.get()} : path;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash + 1);
}

/// Moves a file to a name that must be free. @return 0 or an errno; EEXIST where the name is taken
int rename_to_free_name(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that flag: claim the name with an empty file of our own, then replace that one.
  const int claim = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFileMode);
  if (claim < 0) return errno;
  ::close(claim);
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

void DescriptorSink::write(std::string_view bytes) { write_all(descriptor_, bytes, subject_); }

FileSink::FileSink(std::string path, bool replace)
    : path_(std::move(path)), target_path_(resolve(path_)), replace_(replace) {
  buffer_.reserve(kBufferBytes);
  struct stat status {};
  const bool exists = ::lstat(target_path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    throw Error{ErrorCode::usage, fmt::format("{}: is a folder; name a file in it", path_)};
  }
  if (exists && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    open_target();
  } else {
    if (exists && !replace_) throw already_exists(path_);
    create_temporary(kNewFileMode);
    // A replaced file keeps its permissions; that they cannot be set is no reason to write nothing.
    if (exists && S_ISREG(status.st_mode)) (void)::fchmod(descriptor_, status.st_mode & kPermissionBits);
  }
}

void FileSink::open_target() {
  descriptor_ = ::open(target_path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor_ < 0) throw failed(path_, "cannot be opened for writing");
}

void FileSink::create_temporary(mode_t mode) {
  const std::string stem = fmt::format("{}.gauge-{}-", folder_of(target_path_), ::getpid());
  for (unsigned attempt = 0;; ++attempt) {
    const std::string candidate = fmt::format("{}{}.tmp", stem, attempt);
    descriptor_ = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor_ >= 0) {
      temporary_path_ = candidate;
      return;
    }
    // Taken by another sink of this process, or left by a killed one that had our pid.
    if (errno != EEXIST) throw failed(path_, "cannot be created");
  }
}

FileSink::~FileSink() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_path_.empty()) ::unlink(temporary_path_.c_str());
}

void FileSink::write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() >= kBufferBytes) {
    write_all(descriptor_, bytes, path_);
  } else {
    buffer_.append(bytes);
  }
}

void FileSink::flush() {
  write_all(descriptor_, buffer_, path_);
  buffer_.clear();
}

void FileSink::close() {
  // Network file systems report a full disk only here.
  const int result = ::close(std::exchange(descriptor_, -1));
  if (result != 0 && errno != EINTR) throw failed(path_, "cannot be written");
}

void FileSink::commit() {
  flush();
  close();
  if (!temporary_path_.empty()) move_into_place();
}

void FileSink::move_into_place() {
  if (replace_) {
    if (::rename(temporary_path_.c_str(), target_path_.c_str()) != 0) throw failed(path_, "cannot be replaced");
  } else if (const int error_number = rename_to_free_name(temporary_path_, target_path_); error_number != 0) {
    if (error_number == EEXIST) throw already_exists(path_);
    throw io_error(path_, "cannot be created", error_number, advice_for(error_number));
  }
  temporary_path_.clear();
}

}  // namespace gauge
