// The folder that a recording's files are in, kept open.
#pragma once

#include <string>

namespace gauge {

/// Files are found in it whatever its path means later: the program may change its root, or move the folder.
class Folder {
 public:
  /// How openat() and its like find a file.
  struct Place {
    int folder;        // a descriptor, or AT_FDCWD
    const char* name;  // in that folder; points into the path it was made of
  };

  /// @param path       of a file in it, which need not exist
  /// @param keep_open  false where the program can put something else on our descriptors: files have their paths then,
  ///                   as they do where the folder cannot be opened
  Folder(const std::string& path, bool keep_open) noexcept;
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  /// @param path  of a file in this folder
  [[nodiscard]] Place place_of(const std::string& path) const noexcept;

 private:
  int descriptor_ = -1;
};

}  // namespace gauge
