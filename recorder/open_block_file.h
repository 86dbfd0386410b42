// Where the open block of a recording is kept until it is closed: what a SIGKILL would take otherwise.
//
// A file beside the recording, written by plain write(): what the kernel has taken outlives the process. Each version
// of the block goes behind the last one, so that there is a whole one at any moment. Readers: formats/gpf/open_block.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "recorder/folder.h"

namespace gauge {

/// Belongs to one thread, with a descriptor table that the program cannot touch. Nothing throws, and what fails removes
/// the file: without it the recording is as good, but for its last second.
class OpenBlockFile {
 public:
  OpenBlockFile() noexcept = default;  // keeps nothing
  /// @param recording  path of the recording, which was just created; a file that an earlier recording of that name
  ///                   left is replaced, anything else is left alone
  /// @param header     the recording's header frame
  /// @param folder     that the recording is in; none = it is looked for by its path
  OpenBlockFile(const std::string& recording, std::string_view header,
                std::shared_ptr<const Folder> folder = nullptr) noexcept;
  OpenBlockFile(const OpenBlockFile&) = delete;
  OpenBlockFile& operator=(const OpenBlockFile&) = delete;
  ~OpenBlockFile();  // leaves the file: it may be all there is of the open block

  /// @param frame  the open block as it stands; replaces what was kept of it before
  void keep(std::string_view frame) noexcept;
  /// The block has been closed: what was kept of it can go.
  void forget() noexcept;
  /// The recording has its end: removes the file.
  void remove() noexcept;

 private:
  [[nodiscard]] bool create() noexcept;
  [[nodiscard]] bool is_left_over() const noexcept;
  [[nodiscard]] bool write_at_end(std::string_view bytes) noexcept;

  [[nodiscard]] Folder::Place place() const noexcept { return folder_->place_of(path_); }

  std::string path_;
  std::shared_ptr<const Folder> folder_;
  int descriptor_ = -1;  // -1 = nothing is kept
  std::uint64_t header_bytes_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace gauge
