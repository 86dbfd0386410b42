// Finds the Pythons of this machine, and asks them what they are.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/quiet_run.h"

namespace gauge::cli {

/// What an interpreter says of itself.
struct InterpreterFacts {
  std::string implementation;  // "cpython", "pypy"
  int major = 0;
  int minor = 0;
  std::string version;  // "3.13.0", "3.15.0b1"
  bool is_free_threaded = false;
  std::string executable;  // without links, and outside of any virtual environment

  /// "CPython 3.13.0", "CPython 3.13.0 free-threaded"
  [[nodiscard]] std::string name() const;
};

/// The Pythons that a user of this machine may start: of the active virtual environment, of pyenv and uv, and every
/// python3, python3.NN and pypy3 on PATH. Paths that are one and the same file in the end are in one group; the first
/// of a group is its best name. Nothing is started.
[[nodiscard]] std::vector<std::vector<std::string>> find_pythons();

/// Whether `path` is one of pyenv's shims: it starts the interpreter that is chosen for the working directory, if any.
[[nodiscard]] bool is_shim(std::string_view path);

/// The program that makes a Python of any version tell its facts, for -c.
[[nodiscard]] std::string_view facts_program() noexcept;
/// What that program printed. @return std::nullopt where it is no answer
[[nodiscard]] std::optional<InterpreterFacts> parse_facts(std::string_view output);

}  // namespace gauge::cli
