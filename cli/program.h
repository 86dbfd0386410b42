// What `gauge record` is to run: found and judged before anything is started.
#pragma once

#include <string>
#include <vector>

#include "cli/verbs.h"

namespace gauge::cli {

struct Program {
  std::string path;        // of the executable, with a slash in it
  Arguments arguments;     // argv; [0] as it was typed
  std::string label;       // short name for the output file: "app" of app.py; letters, digits, '.', '_' and '-'
  bool is_python = false;  // by its name: python, python3.12, pypy3
};

/// Understands `PROGRAM ARGS...` (after "--" or not), `SCRIPT.py ARGS...`, `-m MODULE ARGS...` and `-c CODE ARGS...`.
/// The last three are run with python3 from PATH, or with what GAUGE_PYTHON names.
/// @param words  the arguments from the first on that is not an option of gauge
/// @throws Error(usage) where there is nothing to run: not found, a folder, not executable
[[nodiscard]] Program find_program(const Arguments& words);

/// Refuses what can never lead to Python: a binary without "python" in it, given nothing that looks like Python or like
/// a command. `ls` is refused; `timeout 10 python x.py`, `sh -c '...'` and any script are not.
/// @throws Error(usage) naming the remedies
void refuse_unless_python_is_likely(const Program& program);

/// "-I", "-E" or "-S" where the program is a Python that was told to ignore its environment or its site; else "".
[[nodiscard]] std::string isolation_option(const Program& program);

}  // namespace gauge::cli
