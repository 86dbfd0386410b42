#include "formats/gpf/repair.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/frame_writer.h"
#include "formats/gpf/framing.h"
#include "formats/gpf/open_block.h"

namespace gauge::gpf {
namespace {

std::int64_t last_time(const Samples& samples) {
  const auto end =
      std::accumulate(samples.time_delta.begin(), samples.time_delta.end(), static_cast<std::uint64_t>(samples.start));
  return static_cast<std::int64_t>(end * samples.time_unit_ns);
}

/// A descriptor that is closed with the scope; -1 = none.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

ReadReport copy_frames(const Recording& recording, Sink& sink, const std::function<void(const Block&)>& visit) {
  sink.write(recording.header());
  return recording.for_each_frame([&](std::string_view bytes, const Block* block) {
    sink.write(bytes);
    if (block != nullptr) visit(*block);
  });
}

[[noreturn]] void throw_unwritable(const std::string& path) {
  throw io_error(path, "the open block beside it cannot be taken in", errno,
                 "make it writable and the disk less full, or keep both files together");
}

bool has_at(int file, std::uint64_t offset, std::string_view bytes) {
  std::string there(bytes.size(), '\0');
  return pread(file, there.data(), there.size(), static_cast<off_t>(offset)) == std::ssize(there) && there == bytes;
}

/// How a recording ends with its open block: the block, and what follows it, which is the end record where a full disk
/// took the one and had room for the other.
struct Tail {
  std::string frames;
  std::size_t following_bytes = 0;  // of them
  ReadReport report;
};

Tail tail_of(const Recording& recording, const OpenBlock& open_block) {
  Tail tail;
  tail.report = recording.for_each_frame([&](std::string_view bytes, const Block* block) {
    if (block != nullptr && block->sequence == open_block.block.sequence) {
      tail.frames = bytes;
    } else if (!tail.frames.empty()) {
      tail.frames += bytes;
      tail.following_bytes += bytes.size();
    }
  });
  return tail;
}

/// Puts the open block in its place in the file. @return false where it has none there
bool put_in_place(const std::string& path, const Tail& tail) {
  if (!tail.report.has_open_block) return false;
  const Descriptor file{open(path.c_str(), O_RDWR | O_CLOEXEC)};
  if (file.get() < 0) throw_unwritable(path);
  const std::string_view following = std::string_view{tail.frames}.substr(tail.frames.size() - tail.following_bytes);
  const std::uint64_t place = tail.report.file_bytes - tail.report.dropped_bytes - following.size();
  if (!has_at(file.get(), place, following)) return false;  // something damaged lies between
  const auto end = static_cast<off_t>(place);
  if (ftruncate(file.get(), end) != 0 || lseek(file.get(), end, SEEK_SET) < 0) throw_unwritable(path);
  DescriptorSink{file.get(), path}.write(tail.frames);  // cut off by a full disk, it is taken in again the next time
  return true;
}

}  // namespace

ReadReport copy(const Recording& recording, Sink& sink) {
  return copy_frames(recording, sink, [](const Block& /*block*/) {});
}

ReadReport repair(const Recording& recording, Sink& sink) {
  Block end{.end =
                End{.monotonic_ns = recording.metadata().start_monotonic_ns, .reason = std::string{kRepairedReason}}};
  ReadReport report = copy_frames(recording, sink, [&](const Block& block) {
    end.sequence = block.sequence + 1;
    if (block.samples) end.end->monotonic_ns = std::max(end.end->monotonic_ns, last_time(*block.samples));
  });
  if (report.truncated) {
    std::string content;
    append_block(end, content);
    sink.write(FrameWriter{}.compress(content));
  }
  return report;
}

bool take_in_open_block(const std::string& path) {
  const std::string beside = path + std::string{kOpenBlockSuffix};
  const Descriptor lock{open(beside.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  // The recorder holds the lock for as long as it may write to either file.
  if (lock.get() < 0 || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return false;

  const std::vector<Recording> recordings = Recording::open_all(path);
  if (recordings.size() > 1) return false;  // no recorder makes such a file, and what follows must not be cut off
  const Recording& recording = recordings.front();
  if (!has_at(lock.get(), 0, recording.header())) return false;  // it is another recording's
  const std::optional<OpenBlock> open_block = read_open_block(path);
  const Tail tail = open_block ? tail_of(recording, *open_block) : Tail{};
  const bool is_moved = put_in_place(path, tail);
  if (is_moved || !tail.report.has_open_block) unlink(beside.c_str());
  return is_moved;
}

}  // namespace gauge::gpf
