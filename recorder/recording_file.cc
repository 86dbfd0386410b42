#include "recorder/recording_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "formats/base/error.h"

namespace gauge {
namespace {

constexpr const char* kChooseAnother = "choose another file or folder";
constexpr const char* kIsKept = "what was recorded until then is kept";
constexpr std::size_t kRoomForEnd = 512;  // and for the path, which the reason tells

/// @return  0, or the errno of a write that would make the file so long
int refusal_of_size(std::uint64_t bytes) {
  rlimit limit{};
  const bool is_limited = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return is_limited && bytes > limit.rlim_cur ? EFBIG : 0;
}

/// @return  0, or the errno of a write for which the disk has no room. A file system that cannot tell has room.
int refusal_of_room(int descriptor, std::uint64_t offset, std::uint64_t bytes) {
  if (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0) return 0;
  return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? errno : 0;
}

}  // namespace

FileExistsError::FileExistsError(const std::string& path)
    : Error{ErrorCode::usage,
            fmt::format("{}: exists already; choose another name, or replace it (-f, replace=True)", path)} {}

RecordingFile::RecordingFile(const std::string& path, const Options& options) : path_(path), options_(options) {
  if (!options_.folder) options_.folder = std::make_shared<Folder>(path, !options.descriptor_is_shared);
  if (is_special()) {
    open_special();
  } else {
    open_regular();
  }
  struct stat status {};
  fstat(descriptor_, &status);
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

RecordingFile::~RecordingFile() {
  if (descriptor_ < 0) return;
  give_back_room();
  if (!options_.descriptor_is_shared || is_ours()) close(descriptor_);
}

Folder::Place RecordingFile::place_of(const std::string& path) const noexcept {
  return options_.folder->place_of(path);
}

/// Neither a file nor a folder: a device, a pipe, a socket.
bool RecordingFile::is_special() const noexcept {
  const Folder::Place place = place_of(path_);
  struct stat status {};
  return fstatat(place.folder, place.name, &status, 0) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

void RecordingFile::open_special() {
  is_regular_ = false;
  const Folder::Place place = place_of(path_);
  // Without O_NONBLOCK the open of a pipe that nobody reads would never return.
  descriptor_ = openat(place.folder, place.name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor_ < 0) throw io_error(path_, "cannot be opened", errno, kChooseAnother);
  fcntl(descriptor_, F_SETFL, fcntl(descriptor_, F_GETFL) & ~O_NONBLOCK);
}

void RecordingFile::open_regular() {
  if (options_.replace) temporary_path_ = fmt::format("{}.{}.tmp", path_, getpid());
  const Folder::Place place = place_of(options_.replace ? temporary_path_ : path_);
  descriptor_ = openat(place.folder, place.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ >= 0) return;
  if (errno == EEXIST && !options_.replace) throw FileExistsError{path_};
  throw io_error(path_, "cannot be created", errno, kChooseAnother);
}

void RecordingFile::write(std::string_view bytes) {
  if (is_regular_ || options_.descriptor_is_shared) check_identity();
  if (is_regular_ && is_room_kept_) keep_room_for_end(bytes.size());
  write_all(bytes);
  size_ += bytes.size();
}

/// False where the program has closed the descriptor, or put another file in its place.
bool RecordingFile::is_ours() const noexcept {
  struct stat status {};
  return fstat(descriptor_, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

void RecordingFile::check_identity() const {
  if (!is_ours()) {
    throw Error{ErrorCode::io, fmt::format("{}: the program closed the recording's descriptor; "
                                           "what was recorded until then is kept",
                                           path_)};
  }
  struct stat status {};
  if (is_regular_ && fstat(descriptor_, &status) == 0 && status.st_nlink == 0) {
    throw Error{ErrorCode::io, fmt::format("{}: was deleted while it was written; record again", path_)};
  }
}

/// For what is to be written now, and for the end of the recording behind it.
void RecordingFile::keep_room_for_end(std::size_t bytes) {
  const std::uint64_t room = bytes + kRoomForEnd + path_.size();
  int failure = refusal_of_size(size_ + room);
  if (failure == 0) failure = refusal_of_room(descriptor_, size_, room);
  if (failure == 0) return;
  is_room_kept_ = false;
  throw io_error(path_, "cannot be written", failure, kIsKept);
}

/// Nothing is cut off: only where the file is as long as we made it.
void RecordingFile::give_back_room() const noexcept {
  struct stat status {};
  const bool is_as_we_made_it = is_regular_ && is_ours() && fstat(descriptor_, &status) == 0 &&
                                static_cast<std::uint64_t>(status.st_size) == size_;
  // Where it fails, the file system keeps a few blocks more for the file.
  if (is_as_we_made_it && ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) return;
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
    throw io_error(path_, "cannot be written", failure, kIsKept);
  }
}

void RecordingFile::publish() {
  if (temporary_path_.empty()) return;
  const Folder::Place from = place_of(temporary_path_);
  const Folder::Place to = place_of(path_);
  if (renameat(from.folder, from.name, to.folder, to.name) != 0) {
    throw io_error(path_, "cannot be replaced", errno, kChooseAnother);
  }
  temporary_path_.clear();
}

void RecordingFile::sync() {
  if (is_regular_ && fdatasync(descriptor_) != 0) {
    throw io_error(path_, "cannot be brought to the disk", errno, "what was recorded may be lost with the machine");
  }
}

void RecordingFile::discard() noexcept {
  if (!is_regular_) return;
  const Folder::Place place = place_of(temporary_path_.empty() ? path_ : temporary_path_);
  unlinkat(place.folder, place.name, 0);
}

}  // namespace gauge
