// The Python stack of one thread, read while the thread runs on: right, or known to be incomplete, or no stack at all.
//
// A frame that waits for its callee is frozen, every byte of it. So the frames that are the same in two copies, one
// taken before and one after the thread state was, were on the stack when it said which frame is the innermost; and if
// the oldest of these "hot" frames, the anchor, is unchanged in a copy taken after the older frames were copied, those
// were frozen too.
//
// Frozen, or back again: a program that calls the same functions over and over comes back to the same bytes. Against
// that stand five things. A frame says whether it waits or runs, so the remains above a running one are not taken for
// its callee. The innermost frames, which can come back soonest, are copied once more between the two copies. The end
// of the data stack is copied right between two copies of the frames that lie elsewhere: a caller has no time there to
// go from one generator to another in the same place. The anchor is so far down that all above it cannot return and be
// called again before the copy is done, if nothing holds that up. And if something does, the seam, where hot and older
// frames meet, is copied twice at the end: frames on both sides that are the same as before were on the stack together,
// before and after.
//
// All that is about frames in chunks. Where they are objects, frame_object_walker.h does it.
//
// A guess that was wrong is made again with what was found. A stack that moved is read again, and the third time the
// part on which the copies agree is kept: the callers, without the innermost frames. A recursion can go through more
// chunks than one in the time of a copy: where it is by now is asked before each copy, more is copied around that, and
// the chunks that it has left are remembered, because it will be back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "recorder/cpython/call_proof.h"
#include "recorder/cpython/frame_format.h"
#include "recorder/cpython/hot_chain.h"
#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/stack_copy.h"
#include "recorder/cpython/thread_state.h"
#include "recorder/cpython/walk.h"

namespace gauge::cpython {

class FrameObjectWalker;

/// Belongs to the sampler thread. Allocates in the constructor only.
class StackWalker {
 public:
  static constexpr std::size_t kMaxDepth = Walk::kMaxDepth;

  /// Both must outlive it.
  StackWalker(MemoryReader& reader, const GaugeLayout& layout);
  StackWalker(const StackWalker&) = delete;
  StackWalker& operator=(const StackWalker&) = delete;
  ~StackWalker();

  /// Walks the stack of the thread whose state was `state` a moment ago. Makes `guess` better for the next time.
  /// Overwrites the reader's window.
  Walk walk(const ThreadState& state, const WalkContext& context, StackGuess& guess) noexcept;

 private:
  static constexpr std::uint32_t kTries = 3;           // until a part of the stack is enough
  static constexpr std::uint32_t kMaxTries = 8;        // where not even a part can be relied on
  static constexpr std::uint32_t kWrongGuesses = 24;   // a walk, that cost no try
  static constexpr std::uint32_t kPartialGuesses = 6;  // of them, until a part of the stack is enough
  static constexpr std::uint32_t kLookupRounds = 2;    // of them, because frames were met that nobody had guessed
  static constexpr std::size_t kMaxChain = 2 * kMaxDepth + 64;  // hidden frames included
  static constexpr std::size_t kMaxLookups = 128;               // single reads, a walk, for frames nobody guessed

  /// Frames lie in a chunk without gaps, so each ends where the one it called starts.
  struct Descent {
    std::size_t chunk = 0;     // index in StackGuess::chunks
    std::uintptr_t above = 0;  // where the frame kept last starts, or the used part of the chunk ends
  };

  Attempt attempt(const ThreadState& state, const WalkContext& context, StackGuess& guess,
                  bool may_be_partial) noexcept;
  bool look_again(const ThreadState& state, StackGuess& guess) noexcept;
  Attempt compare_hot(std::uintptr_t top, const ThreadState& now, StackGuess& guess, bool may_be_partial) noexcept;
  Attempt keep_callers(std::size_t agreed, std::uintptr_t top, const ThreadState& now, StackGuess& guess) noexcept;
  Attempt give_up(std::size_t agreed) noexcept;
  Attempt keep_whole(std::size_t agreed, StackGuess& guess) noexcept;
  [[nodiscard]] std::size_t keepable(std::size_t agreed) const noexcept;
  void guess_hot(std::uintptr_t address, const ThreadState& now, StackGuess& guess) noexcept;
  [[nodiscard]] bool reaches_quiet_frames() const noexcept;
  void widen(StackGuess& guess) noexcept;
  [[nodiscard]] bool can_be_partial(std::size_t agreed) const noexcept;
  Attempt keep_agreed(std::size_t agreed, StackGuess& guess) noexcept;

  bool is_astray(const FrameCopy& frame, StackGuess& guess) noexcept;
  bool place(std::uintptr_t address, const StackGuess& guess) noexcept;
  [[nodiscard]] bool is_rooted(const StackGuess& guess) const noexcept;
  Attempt follow_cold(StackGuess& guess) noexcept;
  Attempt confirm_cold(bool was_looked_up, StackGuess& guess) noexcept;
  void check_chunks(StackGuess& guess) const noexcept;
  enum class LookUp { found, guessed_wrong, exhausted };
  LookUp look_up(std::uintptr_t address, StackGuess& guess, FrameCopy& frame) noexcept;
  bool descend(FrameCopy& frame, const StackGuess& guess) noexcept;
  [[nodiscard]] bool is_anchor_still(const FrameCopy& anchor) noexcept;

  void forget_chain() noexcept;
  bool keep(const FrameCopy& frame, const StackGuess& guess) noexcept;
  void remember(StackGuess& guess) const noexcept;

  MemoryReader& reader_;
  const GaugeLayout& layout_;
  FrameFormat format_;
  StackCopy copy_;
  Walk walk_;
  std::size_t hot_bytes_ = StackCopy::kHotBytes;
  bool is_guess_old_ = false;  // of a copy that has been looked at meanwhile
  CallProof proof_;            // of the innermost frames
  CallProof long_proof_;       // of all frames, where the copy was a long one

  std::unique_ptr<FrameObjectWalker> objects_;  // walks where frames are objects
  std::unique_ptr<HotChain> hot_;
  Descent descent_;

  // The chain so far: frames of the program, and the addresses of all frames outside the chunks, hidden ones included.
  std::unique_ptr<std::array<RawFrame, kMaxDepth>> frames_;
  std::size_t frame_count_ = 0;
  std::size_t unproven_ = 0;           // of them, innermost, above a call without a trace in a long copy
  std::uint64_t traceless_calls_ = 0;  // stands for all such calls; 0 = there are none
  FrameCopy last_kept_;
  std::unique_ptr<std::array<std::uintptr_t, kMaxChain>> outside_;
  std::size_t outside_count_ = 0;
  std::size_t outside_hot_ = 0;  // how many of them are among the innermost frames, or before a frame of the window
  std::size_t chain_count_ = 0;
  std::uintptr_t next_anchor_ = 0;

  std::unique_ptr<std::byte[]> lookups_;
  std::size_t lookup_count_ = 0;
  std::uint32_t lookup_rounds_ = 0;
};

}  // namespace gauge::cpython
