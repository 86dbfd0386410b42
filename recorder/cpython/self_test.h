// The start-up check: the caller's own stack, walked raw, must be what the interpreter itself says it is.
//
// It is what stands between a patched or repackaged interpreter and silent nonsense: every layout is used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "recorder/cpython/frame_resolver.h"
#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/native_ids.h"
#include "recorder/cpython/object_layout.h"

namespace gauge::cpython {

/// A frame as the interpreter tells it.
struct ToldFrame {
  std::string qualified_name;
  std::string file;
  std::uint32_t line = 0;  // executing now; 0 = none

  bool operator==(const ToldFrame&) const = default;
};

/// What is learnt of the interpreter under the GIL.
struct InterpreterFacts {
  const GaugeLayout* layout = nullptr;
  ObjectLayout objects;
  std::uintptr_t runtime = 0;        // address of _PyRuntime
  int (*is_finalizing)() = nullptr;  // not 0 once it tears itself down; needs no GIL
  int recorder_threads = 0;          // of the process: they do not keep it alive
  bool are_births_counted = false;   // GaugeLayout's code_births moves when a code object is made
  std::string version;               // "3.11.7", for messages
  std::uintptr_t caller = 0;         // address of the caller's thread state
  ThreadIds caller_ids;
  std::vector<ToldFrame> stack;  // the caller's, innermost first
};

/// Walks the caller's stack, while the caller stays in the C function that learnt the facts, and compares.
/// @throws Error(unsupported) naming the first frame that differs, with both versions of it
void check_caller_stack(const InterpreterFacts& facts, MemoryReader& reader);

}  // namespace gauge::cpython
