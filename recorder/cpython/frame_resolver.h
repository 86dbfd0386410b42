// From frames as they are in memory to frames as they are recorded: code id and instruction offset.
//
// Every code object is confirmed by the code cache, in one call, unless it is certain that none can have taken its
// place: a code object in use by a frame lives, and the interpreter (from 3.12 on) counts a number up whenever it makes
// a code object. While that number stands, an answer given before still holds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "recorder/cpython/activations.h"
#include "recorder/cpython/code_cache.h"
#include "recorder/cpython/frame_format.h"
#include "recorder/cpython/stack_walker.h"
#include "recorder/stack_source.h"

namespace gauge::cpython {

struct ResolvedStack {
  enum class Result {
    resolved,
    refused,  // the visitor had no room for a code object
    failed    // a code object was gone, or too many were new
  };
  Result result = Result::failed;
  bool is_partial = false;                  // innermost frames left out: their instruction was not in their code
  std::span<const SampledFrame> frames;     // innermost first; both valid until the next resolve()
  std::span<const Activation> activations;  // of the same frames
};

/// Belongs to the sampler thread. Allocates in the constructor only.
class FrameResolver {
 public:
  /// All must outlive it.
  FrameResolver(MemoryReader& reader, CodeCache& cache, const ObjectLayout& objects);

  /// @param births       what the interpreter's count of code objects was after the frames were read; 0 = it has none
  /// @param interpreter  its address
  ResolvedStack resolve(std::span<const RawFrame> frames, std::uint32_t births, std::uintptr_t interpreter,
                        StackVisitor& visitor) noexcept;

 private:
  static constexpr std::size_t kMemory = 2048;
  static constexpr std::uint16_t kNoRequest = 0xFFFF;

  struct Answer {
    std::uintptr_t bytecode = 0;
    std::uint32_t bytecode_size = 0;
    std::uint32_t id = 0;
    std::uint32_t local_count = 0;
    bool is_shim = false;
    bool is_coroutine = false;
    std::uint16_t request = 0;  // kNoRequest = answered from memory
  };

  /// An answer of the cache, good while `births` stands.
  struct Known {
    std::uintptr_t code = 0;
    std::uintptr_t interpreter = 0;
    std::uint32_t births = 0;
    std::uint32_t asked = 0;  // round in which it was asked for
    Answer answer;
  };

  [[nodiscard]] Known& slot_of(std::uintptr_t code) noexcept;
  void ask(std::span<const RawFrame> frames, std::uint32_t births, std::uintptr_t interpreter) noexcept;
  void learn(std::uint32_t births, std::uintptr_t interpreter, std::size_t frame_count) noexcept;
  [[nodiscard]] bool is_code(std::uintptr_t object) noexcept;

  MemoryReader& reader_;
  CodeCache& cache_;
  const ObjectLayout& objects_;
  std::uint32_t round_ = 0;
  std::unique_ptr<std::array<Known, kMemory>> known_;
  std::unique_ptr<std::array<CodeRequest, StackWalker::kMaxDepth>> requests_;
  std::size_t request_count_ = 0;
  std::unique_ptr<std::array<Answer, StackWalker::kMaxDepth>> answers_;  // by frame
  std::unique_ptr<std::array<SampledFrame, StackWalker::kMaxDepth>> frames_;
  std::unique_ptr<std::array<Activation, StackWalker::kMaxDepth>> activations_;
};

}  // namespace gauge::cpython
