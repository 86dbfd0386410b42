// Qualified names for functions of CPython 3.9 and 3.10, whose code objects have none, from the sources they ran from.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "formats/profile/profile.h"
#include "formats/profile/source_outline.h"

namespace gauge {

/// Gives the bytes of a source file, nothing where there is none.
using SourceReader = std::function<std::optional<std::string>(const std::string& path)>;

/// Reads a file of this machine, if it is a regular one, readable and of 16 MiB at most: a recording may name anything,
/// and a pipe or a device must not make a conversion wait.
[[nodiscard]] std::optional<std::string> read_source(const std::string& path);

/// Whether code objects of that version ("3.12.1") have qualified names. True where the version cannot be told.
[[nodiscard]] bool has_qualified_names(std::string_view python_version);

/// Looks functions up in their sources, and remembers which it did not find. Reads every file once.
class SourceNames {
 public:
  explicit SourceNames(SourceReader read) : read_(std::move(read)) {}

  /// The qualified name of `function`; its name where the source does not tell: it is not here, has no such function on
  /// that line, or has several.
  /// @param working_directory  of the process: relative file names start there
  [[nodiscard]] std::string qualified_name(const Function& function, const std::string& working_directory);

  /// What kept its bare name though it has a file. Code without one ("<string>", "<frozen zipimport>") is not counted:
  /// nobody can do anything about it.
  [[nodiscard]] BareNames bare_names() const;

 private:
  const SourceOutline& outline(const std::string& path);

  SourceReader read_;
  std::unordered_map<std::string, SourceOutline> outlines_;
  std::set<std::tuple<std::string, std::uint32_t, std::string>> bare_;  // file, first line, name
};

}  // namespace gauge
