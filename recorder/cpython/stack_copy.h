// One copy of everything a thread's stack is made of, taken in one call from guessed addresses:
//
//   GIL | hot frames | thread state | the innermost again | the end of the data stack again | hot frames again | older
//   frames | where hot and older ones meet, twice | births | GIL
//
// The order is what makes the parts witness for one another; stack_walker.h says how.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "recorder/cpython/chunk_list.h"
#include "recorder/cpython/copy_pace.h"
#include "recorder/cpython/frame_format.h"
#include "recorder/cpython/gil_sight.h"
#include "recorder/cpython/layout.h"
#include "recorder/cpython/memory_reader.h"
#include "recorder/cpython/snapshot.h"
#include "recorder/cpython/thread_state.h"

namespace gauge::cpython {

/// Where a thread's stack was last time. All zero at first.
struct StackGuess {
  static constexpr std::size_t kMaxHot = 48;
  static constexpr std::size_t kMaxCold = 704;
  static constexpr std::size_t kMaxObjects = 2048;  // as deep as stacks are followed
  static constexpr std::size_t kSpareHot = 4;       // seen lately, and likely to be back: a stack goes to and fro
  static constexpr std::size_t kCFrames = 3;

  std::array<std::uintptr_t, kCFrames> c_frames{};  // to 3.12; last seen first
  std::uintptr_t top_frame = 0;                     // 0 = unknown
  std::uint64_t weak_calls = 0;                     // see HotChain::WeakCalls
  std::uint64_t traceless_calls = 0;                // of a long copy, see StackWalker
  std::uintptr_t anchor = 0;                        // a frame boundary some way down the newest chunk
  ChunkList chunks;
  std::uint32_t hot_count = 0;
  std::uint32_t cold_count = 0;
  std::uint32_t object_begin = 0, object_count = 0;   // `objects` before the first of these have returned
  std::uint32_t lookups = kMaxObjects;                // of frames that are none of these, in the next walk
  std::array<std::uintptr_t, kMaxHot> hot{};          // frames outside the newest chunk, innermost first: the hot ones
  std::array<std::uintptr_t, kMaxCold> cold{};        // and those outside all chunks below, innermost first
  std::array<std::uintptr_t, kMaxObjects> objects{};  // where frames are objects, innermost first

  /// Makes these the frames outside the newest chunk that are expected among the hot ones, and keeps some of those
  /// before.
  void expect_hot(std::span<const std::uintptr_t> frames) noexcept;
  /// Takes over where the thread says its stack is now.
  void adopt(const ThreadState& state) noexcept;
  /// Drops the frames that were expected outside the chunks, and where the innermost one is.
  void forget_frames() noexcept;
  /// Drops that, and the older chunks: what a failed copy may have been wrong about.
  void forget_outside() noexcept;
  /// Drops what a walk that failed may have been wrong about.
  void forget() noexcept;
};

/// What belongs to the thread's interpreter and is to be seen together with the stack. 0 = there is none.
struct WalkContext {
  std::uintptr_t gil = 0;
  std::uintptr_t code_births = 0;
};

/// Belongs to the sampler thread; allocates nothing.
class StackCopy {
 public:
  static constexpr std::size_t kHotBytes = 3584;
  static constexpr std::size_t kMaxHotBytes = std::size_t{64} << 10;

  StackCopy(MemoryReader& reader, const GaugeLayout& layout) noexcept
      : layout_(layout), format_(layout), snapshot_(reader) {}

  /// @param hot_bytes  of the newest chunk, below its top, that are copied twice
  /// @return false if not all could be read; nothing may be asked then
  bool take(const ThreadState& state, const WalkContext& context, const StackGuess& guess,
            std::size_t hot_bytes) noexcept;
  /// False if the copy was interrupted; asked once.
  [[nodiscard]] bool is_steady() noexcept {
    return pace_.is_steady(snapshot_.took(), snapshot_.count(), snapshot_.bytes());
  }
  /// True if it took so long that frames far down can have returned meanwhile, and been called again, unseen.
  [[nodiscard]] bool is_long() const noexcept { return snapshot_.bytes() > kLongBytes; }
  /// True if not all of the guess had room.
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }

  [[nodiscard]] ThreadState thread() const noexcept;
  /// False if the thread's c_frame was not among those guessed: then the innermost frame is not known.
  [[nodiscard]] bool has_top_frame() const noexcept;
  /// The innermost frame; 0 = none.
  [[nodiscard]] std::uintptr_t top_frame() const noexcept;
  [[nodiscard]] GilSight gil_before() const noexcept { return gil_at(gil_before_); }
  [[nodiscard]] GilSight gil_after() const noexcept { return gil_at(gil_after_); }
  [[nodiscard]] std::uint32_t code_births() const noexcept;

  // In the order in which they are copied. Not all frames are in those between the first and the second.
  enum class Group { first, innermost, between, second };
  /// @return false if `address` is not among the frames of the group
  bool find_hot(Group group, std::uintptr_t address, FrameCopy& frame) const noexcept;
  /// Looks in the second hot copy and in the older frames.
  bool find(std::uintptr_t address, FrameCopy& frame) noexcept;
  static constexpr std::size_t kSeams = 2;
  /// The frame as it was when all frames had been copied, if it is where the hot and the older ones meet.
  /// @param turn  below kSeams: of which copy, one right after the other
  bool find_at_seam(std::size_t turn, std::uintptr_t address, FrameCopy& frame) const noexcept;
  /// False if the frame had changed when a seam was copied.
  [[nodiscard]] bool is_same_at_seam(const FrameCopy& frame) const noexcept;
  /// True if the hot part of the newest chunk includes `address`.
  [[nodiscard]] bool is_in_window(std::uintptr_t address) const noexcept;
  /// True if the hot part of the chunk before it does.
  [[nodiscard]] bool is_in_border(std::uintptr_t address) const noexcept;
  /// Where that part, and so the used part of its chunk, ends.
  [[nodiscard]] std::uintptr_t border_end() const noexcept { return border_.address + border_.size; }
  /// The copy of the header of a chunk; null if it was not copied.
  [[nodiscard]] const std::byte* chunk_header(std::size_t index, const StackGuess& guess) const noexcept;

 private:
  static constexpr std::size_t kNone = Snapshot::kNone;
  static constexpr std::size_t kLongBytes = std::size_t{16} << 10;
  static constexpr std::size_t kHeadroom = 512;        // above the top: the stack grows while we come
  static constexpr std::size_t kMinHotBytes = 1536;    // below the top: room for some frames
  static constexpr std::size_t kInnermostBytes = 768;  // below the top
  static constexpr std::size_t kInnermostOutside = 8;  // frames outside the chunks: generators may be nested
  static constexpr std::size_t kBetweenBytes = 384;    // of the data stack, about its top
  static constexpr std::size_t kBetweenAbove = 128;    // of these
  static constexpr std::size_t kSeamBytes = 512;       // of the hot frames, and as much of the older ones

  struct HotRanges {
    std::size_t window = kNone;
    std::size_t border = kNone;
    std::size_t outside = 0, outside_count = 0;  // frames outside the chunks
  };

  [[nodiscard]] std::size_t add(std::uintptr_t address, std::size_t size) noexcept;
  [[nodiscard]] std::size_t add(const MemoryRange& range) noexcept { return add(range.address, range.size); }
  [[nodiscard]] static MemoryRange window(const StackGuess& guess, std::size_t hot_bytes) noexcept;
  [[nodiscard]] static MemoryRange border(const StackGuess& guess, std::size_t hot_bytes) noexcept;
  [[nodiscard]] HotRanges& hot(Group group) noexcept { return hot_[static_cast<std::size_t>(group)]; }
  [[nodiscard]] const HotRanges& hot(Group group) const noexcept { return hot_[static_cast<std::size_t>(group)]; }
  [[nodiscard]] HotRanges add_hot(const StackGuess& guess) noexcept;
  [[nodiscard]] HotRanges add_innermost(const StackGuess& guess) noexcept;
  [[nodiscard]] HotRanges add_between(const StackGuess& guess) noexcept;
  void add_older(const StackGuess& guess) noexcept;
  void add_seams(const StackGuess& guess) noexcept;
  struct Seam {
    std::array<MemoryRange, 3> ranges{};
    std::size_t count = 0;
  };
  [[nodiscard]] Seam seam(const StackGuess& guess) const noexcept;
  /// How many of the older chunks, newest first, there is room for.
  [[nodiscard]] std::size_t fitting_chunks(const StackGuess& guess) noexcept;
  [[nodiscard]] std::size_t c_frame_range() const noexcept;
  [[nodiscard]] GilSight gil_at(std::size_t index) const noexcept;
  bool find_in(std::size_t index, std::uintptr_t address, FrameCopy& frame) const noexcept;

  const GaugeLayout& layout_;
  FrameFormat format_;
  Snapshot snapshot_;
  CopyPace pace_;

  // Indices of ranges; kNone = not there.
  std::size_t gil_before_ = kNone, thread_ = kNone, births_ = kNone, gil_after_ = kNone;
  std::size_t low_ = kNone;                  // of the newest chunk, below the window
  std::array<std::size_t, kSeams> seams_{};  // first of the ranges of each
  std::size_t ranges_of_seam_ = 0;
  std::size_t first_c_frame_ = 0, c_frame_count_ = 0;
  std::array<HotRanges, 4> hot_;  // by Group
  std::size_t first_cold_ = 0, cold_count_ = 0;
  std::size_t first_chunk_ = 0, older_chunks_ = 0;  // oldest first
  std::size_t cursor_ = 0;                          // where the next cold frame is looked for first
  MemoryRange window_{};                            // size 0 = there is none
  MemoryRange border_{};                            // size 0 = there is none
  bool is_cut_ = false;
};

}  // namespace gauge::cpython
