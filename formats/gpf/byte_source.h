// The bytes of a recording, read at any place: from a file, or from memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gauge::gpf {

/// A file is read, not mapped: a mapped one that somebody truncates meanwhile kills its reader with SIGBUS.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// When it was opened; what a growing file gains is not seen.
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  /// Reads up to `count` bytes; fewer only at the end, or where the file has shrunk. Thread-safe.
  /// @param storage  may be used for the bytes: the view is valid while it is unchanged
  /// @throws Error(io)
  virtual std::string_view read(std::uint64_t offset, std::size_t count, std::string& storage) const = 0;
};

/// A regular file is read as needed; a pipe, to its end, at once. Any number of files may be open: they never take more
/// than half of the process's descriptors. @throws Error(io)
[[nodiscard]] std::unique_ptr<ByteSource> open_file(const std::string& path);
[[nodiscard]] std::unique_ptr<ByteSource> from_memory(std::string bytes);

}  // namespace gauge::gpf
