// Which code object a frame runs: its id, and, the first time, its names, file and lines, read raw.
//
// A code object can die while we look, and the next one is often born at the same address: an address alone proves
// nothing. Identity is (address, co_version) from 3.12 on; before, address plus a digest of what the code object is
// seen to consist of. It is confirmed at every resolve(). What is read at first sight counts only if the code object is
// still the same afterwards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/object_layout.h"
#include "recorder/stack_source.h"

namespace gauge::cpython {

/// A code object to resolve, and the answer. Addresses are as read from the frame; 0 = unknown.
struct CodeRequest {
  std::uintptr_t code = 0;
  std::uintptr_t function = 0;  // the function object; proves that `globals` is alive
  std::uintptr_t globals = 0;   // the dict of the module

  // Answer; all zero if there is no such code object now, or no room to show it.
  std::uint32_t id = 0;
  bool is_shim = false;  // the interpreter's own, not the program's: id is 0, the frame is to be left out
  gpf::FunctionKind kind = gpf::FunctionKind::plain;
  std::uint32_t local_count = 0;    // co_nlocalsplus; to 3.10 co_nlocals
  std::uint32_t bytecode_size = 0;  // bytes
  std::uintptr_t bytecode = 0;      // address of the first instruction; 0 = frames count from it
};

/// Belongs to the sampler thread. Allocates in the constructor only: about 0.5 MB, plus buffers of which only what
/// names and line tables need is ever touched.
class CodeCache {
 public:
  /// Code objects remembered (before 3.12: half as many); the longest unused makes room and gets a new id when it is
  /// back.
  static constexpr std::size_t kCapacity = 8192;
  /// Longest name or file name, in bytes of UTF-8: longer ones are cut after a whole character.
  static constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;
  /// Longest line table; a code object with a longer one is shown without lines.
  static constexpr std::size_t kMaxLineTableBytes = std::size_t{512} << 10;
  /// What one resolve() spends on code objects it has not seen: beyond, they are left for the next one.
  static constexpr std::size_t kMaxNewPerResolve = 256;
  static constexpr std::size_t kMaxNewBytesPerResolve = std::size_t{1} << 20;

  /// Both must outlive the cache. Needs no GIL.
  CodeCache(MemoryReader& reader, const ObjectLayout& layout);
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;
  ~CodeCache();

  /// Answers every request, in any number, with repetitions. Code objects not seen before are shown through
  /// visitor.on_code first; if that returns false they have no id this time and are shown again next time.
  /// Overwrites the reader's window. Where all are known: one gather for up to 256 (before 3.12: 51) code objects.
  void resolve(std::span<CodeRequest> requests, StackVisitor& visitor) noexcept;

  /// Requests that went unanswered because the code object was gone, or kept changing, before it could be read.
  [[nodiscard]] std::uint64_t unknown_names() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauge::cpython
