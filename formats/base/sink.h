// Where bytes go: a file, standard output, memory. Encoders only know this interface.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

namespace gauge {

/// Takes bytes in order.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Takes all of `bytes` or throws Error(io). Not thread-safe.
  virtual void write(std::string_view bytes) = 0;
};

/// Collects bytes in memory, for tests and for small outputs.
class StringSink final : public Sink {
 public:
  void write(std::string_view bytes) override { text_.append(bytes); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// Writes to an open descriptor, which it does not own: standard output, or a file that somebody else closes.
/// Unbuffered. Waits where the descriptor is non-blocking.
class DescriptorSink final : public Sink {
 public:
  /// @param subject  named in errors: "standard output", a path
  DescriptorSink(int descriptor, std::string subject) : descriptor_(descriptor), subject_(std::move(subject)) {}
  void write(std::string_view bytes) override;

 private:
  int descriptor_;
  std::string subject_;
};

/// Writes a file that appears under its name only when complete.
///
/// Bytes go to a temporary file beside `path`; commit() moves it into place. Destroyed without commit(), it leaves
/// nothing behind: no half-written output, and a file of that name stays as it was. A symbolic link is followed. What
/// is no regular file (/dev/null, a pipe) cannot be replaced: it is written straight, whatever `replace` says.
class FileSink final : public Sink {
 public:
  /// @param replace  false: an existing `path` is an Error(usage) that names -f, now or at commit()
  /// @throws Error(io)     where the temporary file cannot be created
  /// @throws Error(usage)  `path` is a directory
  FileSink(std::string path, bool replace);
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  ~FileSink() override;

  void write(std::string_view bytes) override;
  /// Makes the file visible. Call once, last. @throws Error
  void commit();

 private:
  void open_target();
  void create_temporary(mode_t mode);
  void flush();
  void close();
  void move_into_place();

  std::string path_;            // as given: named in errors
  std::string target_path_;     // with symbolic links resolved
  std::string temporary_path_;  // empty: written straight, or moved into place
  std::string buffer_;
  int descriptor_ = -1;
  bool replace_;
};

}  // namespace gauge
