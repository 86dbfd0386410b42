// The file a recording grows in.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "formats/base/error.h"
#include "formats/base/sink.h"
#include "recorder/folder.h"

namespace gauge {

/// The name is taken: an error of its own, because another name may do.
class FileExistsError : public Error {
 public:
  explicit FileExistsError(const std::string& path);
};

struct RecordingFileOptions {
  bool replace = false;                  // a file of that name may be replaced; it is, when publish() is called
  bool descriptor_is_shared = false;     // the program can close our descriptor or put another file on its number
  std::shared_ptr<const Folder> folder;  // that the file is to be in; none = it is looked for by its path
};

/// Belongs to one thread, the one that has the descriptor table it was opened in.
class RecordingFile final : public Sink {
 public:
  using Options = RecordingFileOptions;

  /// Creates the file; never opens one that exists, unless it is a device or a pipe, which is written straight.
  /// With `replace` the bytes go to a file beside it until publish(): the old recording is lost only to a new one.
  /// @throws FileExistsError; Error(io) it cannot be created
  RecordingFile(const std::string& path, const Options& options);
  RecordingFile(const RecordingFile&) = delete;
  RecordingFile& operator=(const RecordingFile&) = delete;
  ~RecordingFile() override;

  /// Whole or not at all: where only a part could be written (a full disk) the part is cut off again. The first time
  /// that there is no room, some is left: for the end record, which says so.
  /// @throws Error(io), also where the file has been deleted: what nobody can open need not be written
  void write(std::string_view bytes) override;
  /// Gives the file its name. @throws Error(io)
  void publish();
  /// Waits until what was written is on the disk. @throws Error(io)
  void sync();
  /// False for a device or a pipe.
  [[nodiscard]] bool is_regular() const noexcept { return is_regular_; }
  /// Removes the file: nothing was recorded. Not after publish() of a replacement.
  void discard() noexcept;

 private:
  void open_special();
  void open_regular();
  [[nodiscard]] bool is_special() const noexcept;
  [[nodiscard]] Folder::Place place_of(const std::string& path) const noexcept;
  [[nodiscard]] bool is_ours() const noexcept;
  void check_identity() const;
  void keep_room_for_end(std::size_t bytes);
  void give_back_room() const noexcept;
  void write_all(std::string_view bytes);

  std::string path_;
  std::string temporary_path_;  // empty = the file is at path_
  Options options_;
  int descriptor_ = -1;
  bool is_regular_ = true;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::uint64_t size_ = 0;  // of whole writes
  bool is_room_kept_ = true;
};

}  // namespace gauge
