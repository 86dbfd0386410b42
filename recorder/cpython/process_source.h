// The stacks of this very process: StackSource for a running CPython.
#pragma once

#include <memory>

#include "recorder/stack_source.h"

namespace gauge::cpython {

/// Prepares to sample the calling process. Call with the GIL held, on a Python thread: learns addresses and constants
/// of the interpreter, and remembers the caller's own stack as the interpreter itself tells it. open(), on the sampler
/// thread while the caller still waits, walks that stack raw and compares names, files and lines: the self-test.
/// @param recorder_threads  how many threads of the process will be the recorder's
/// @throws Error(unsupported) for an interpreter this build was not made for: other minor version, free-threaded,
///         not CPython, published offsets that differ; the message names what was found and what was expected
[[nodiscard]] std::unique_ptr<StackSource> make_process_source(int recorder_threads);

}  // namespace gauge::cpython
