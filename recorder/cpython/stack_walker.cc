#include "recorder/cpython/stack_walker.h"

#include <algorithm>

#include "recorder/cpython/frame_object_walker.h"

namespace gauge::cpython {
namespace {

// How far down the newest chunk the anchor is put: deep enough to be quiet, near enough to be copied twice for little.
constexpr std::size_t kAnchorDepth = 2560;
// So many frames cannot return, and as many be called again, in the time a copy takes.
constexpr std::size_t kQuietFrames = 8;

}  // namespace

StackWalker::StackWalker(MemoryReader& reader, const GaugeLayout& layout)
    : reader_(reader),
      layout_(layout),
      format_(layout),
      copy_(reader, layout),
      objects_(format_.are_objects() ? std::make_unique<FrameObjectWalker>(reader, layout) : nullptr),
      hot_(std::make_unique<HotChain>(copy_, format_)),
      frames_(std::make_unique<std::array<RawFrame, kMaxDepth>>()),
      outside_(std::make_unique<std::array<std::uintptr_t, kMaxChain>>()),
      lookups_(std::make_unique<std::byte[]>(kMaxLookups * FrameFormat::kMaxCopySize)) {}

StackWalker::~StackWalker() = default;

Walk StackWalker::walk(const ThreadState& state, const WalkContext& context, StackGuess& guess) noexcept {
  if (objects_) return objects_->walk(state, context, guess);
  walk_ = Walk{};
  lookup_count_ = 0;
  lookup_rounds_ = 0;
  hot_bytes_ = StackCopy::kHotBytes;
  is_guess_old_ = false;
  proof_ = long_proof_ = CallProof{};
  guess.adopt(state);
  walk_.result = attempt_up_to({kMaxTries, kWrongGuesses}, walk_.retries, [&](const Attempts& so_far) {
    const bool may_be_partial = so_far.tries + 1 >= kTries || so_far.wrong_guesses >= kPartialGuesses;
    return attempt(state, context, guess, may_be_partial);
  });
  if (walk_.result == Walk::Result::stack) walk_.frames = std::span(*frames_).first(frame_count_).subspan(unproven_);
  if (walk_.result == Walk::Result::failed) guess.forget();  // or it would lead the next walk astray, too
  return walk_;
}

Attempt StackWalker::attempt(const ThreadState& state, const WalkContext& context, StackGuess& guess,
                             bool may_be_partial) noexcept {
  if (is_guess_old_ && !look_again(state, guess)) return Attempt::no_stack;
  is_guess_old_ = true;
  const std::uintptr_t chunk_guessed = guess.chunks.newest();
  if (!copy_.take(state, context, guess, hot_bytes_)) {
    // The thread may just have left a chunk, or be gone.
    guess.forget_frames();
    is_guess_old_ = false;
    if (!look_again(state, guess)) return Attempt::no_stack;
    if (guess.chunks.newest() == chunk_guessed) guess.chunks.forget_older();
    guess.chunks.forget_limit();  // it may have been what led astray
    return Attempt::guessed_wrong;
  }
  const ThreadState now = copy_.thread();
  if (!is_same_running(state, now)) return Attempt::no_stack;
  guess.adopt(now);
  if (!copy_.has_top_frame()) return Attempt::guessed_wrong;
  if (now.chunk != chunk_guessed) {
    widen(guess);  // it is on the move
    return Attempt::guessed_wrong;
  }
  walk_.gil = {copy_.gil_before(), copy_.gil_after()};
  walk_.code_births = copy_.code_births();
  const std::uintptr_t top = copy_.top_frame();
  if (!copy_.is_steady() && (!may_be_partial || copy_.is_long())) return Attempt::torn;
  return top == 0 ? Attempt::no_stack : compare_hot(top, now, guess, may_be_partial);
}

/// Where the thread is by now: since the last copy it can have called a hundred functions.
/// @return false if the thread is gone
bool StackWalker::look_again(const ThreadState& state, StackGuess& guess) noexcept {
  std::array<std::byte, 1024> copy;
  if (layout_.thread.size > copy.size() || !reader_.read_bytes(state.address, copy.data(), layout_.thread.size)) {
    return false;
  }
  const std::uintptr_t chunk_guessed = guess.chunks.newest();
  guess.adopt(decode_thread_state(layout_, state.address, copy.data()));
  const std::uintptr_t chunk = guess.chunks.newest();
  std::uintptr_t previous = 0;
  const bool has_moved = chunk != chunk_guessed && chunk != 0;
  if (has_moved && reader_.read(chunk + layout_.chunk.previous, previous) && previous != 0)
    guess.chunks.set_previous(previous);
  return true;
}

Attempt StackWalker::compare_hot(std::uintptr_t top, const ThreadState& now, StackGuess& guess,
                                 bool may_be_partial) noexcept {
  hot_->follow(StackCopy::Group::second, top, now.chunk_top);
  FrameCopy leaf;
  if (!copy_.find_hot(StackCopy::Group::second, top, leaf)) {
    guess.top_frame = top;
    guess_hot(top, now, guess);
    return Attempt::guessed_wrong;
  }
  // From 3.14 on a frame that returns loses its code before it goes: the first copy may have it still.
  const bool has_lost_leaf = hot_->count() == 0;
  if (has_lost_leaf && !may_be_partial) return Attempt::torn;
  // The innermost frame runs, so it cannot answer for its callers: it takes a caller that waits.
  FrameCopy caller;
  if (hot_->exit() != 0 && hot_->count() == 1) {
    if (copy_.find_hot(StackCopy::Group::second, hot_->exit(), caller)) return Attempt::torn;  // it is no caller
    guess_hot(hot_->exit(), now, guess);
    return Attempt::guessed_wrong;
  }
  if (!has_lost_leaf && !reaches_quiet_frames()) {
    check_chunks(guess);
    guess_hot(hot_->exit(), now, guess);
    return Attempt::guessed_wrong;
  }
  const std::size_t agreed = hot_->agreeing_frames();
  walk_.is_partial = has_lost_leaf || agreed < hot_->count();
  const std::size_t kept = keepable(agreed);
  proof_.note_last(kept > 0 ? hot_->weak_call(kept - 1) : 0);
  if (!walk_.is_partial) return keep_whole(agreed, guess);
  return may_be_partial ? keep_callers(agreed, top, now, guess) : give_up(agreed);
}

/// Keeps the frames that agree, `agreed` of the second copy or those of the first.
Attempt StackWalker::keep_callers(std::size_t agreed, std::uintptr_t top, const ThreadState& now,
                                  StackGuess& guess) noexcept {
  if (can_be_partial(agreed)) {
    const Attempt result = keep_agreed(agreed, guess);
    if (result != Attempt::torn) return result;
  }
  // The innermost frame went while it was copied again, and took its way to the callers along: the first copy has it.
  hot_->follow(StackCopy::Group::first, top, now.chunk_top);
  const std::size_t agreed_at_first = hot_->agreeing_frames();
  return can_be_partial(agreed_at_first) ? keep_agreed(agreed_at_first, guess) : give_up(agreed_at_first);
}

/// Keeps all frames, if their calls are proven; else, once that has been tried often enough, what is below them.
Attempt StackWalker::keep_whole(std::size_t agreed, StackGuess& guess) noexcept {
  const HotChain::WeakCalls weak = hot_->weak_calls();
  switch (proof_.judge(weak.calls, guess.weak_calls)) {
    case CallProof::Verdict::proven:
      return keep_agreed(agreed, guess);
    case CallProof::Verdict::try_again:
      return Attempt::guessed_wrong;
    case CallProof::Verdict::unproven:
      break;
  }
  walk_.is_partial = true;
  return keep_agreed(weak.first, guess);
}

/// How many frames can be kept where so many agree.
std::size_t StackWalker::keepable(std::size_t agreed) const noexcept {
  // The caller of what has come or gone is right as well: it has gone on meanwhile.
  return agreed + (hot_->has_moved_on(agreed) ? 1 : 0);
}

Attempt StackWalker::give_up(std::size_t agreed) noexcept {
  if (agreed == 0) hot_bytes_ = std::min(hot_bytes_ * 4, StackCopy::kMaxHotBytes);  // quieter frames are further down
  return Attempt::torn;
}

/// False if the frames that are copied but once begin so near the innermost one that they may have moved meanwhile.
bool StackWalker::reaches_quiet_frames() const noexcept {
  return hot_->count() >= kQuietFrames || hot_->exit() == 0 || hot_bytes_ == StackCopy::kMaxHotBytes;
}

void StackWalker::widen(StackGuess& guess) noexcept {
  hot_bytes_ = std::min(hot_bytes_ * 4, StackCopy::kMaxHotBytes);
  guess.anchor = 0;
}

/// True if the outermost frames of the chain, so many of which agree, are callers that can be kept alone.
bool StackWalker::can_be_partial(std::size_t agreed) const noexcept {
  if (hot_->count() == 0 || !reaches_quiet_frames()) return false;
  return agreed > 0 || (hot_->exit() == 0 && hot_->has_moved_on(0));
}

/// A frame that must be among the hot ones was not: widens the guess to it, or adds it to those that are copied one by
/// one, and with it the ones it was called by, until there are enough.
void StackWalker::guess_hot(std::uintptr_t address, const ThreadState& now, StackGuess& guess) noexcept {
  const auto is_in_reach = [&](std::uintptr_t frame) {
    const bool is_in_newest = now.chunk != 0 && contains(now.chunk, guess.chunks.end() - now.chunk, frame, 1);
    return is_in_newest || guess.chunks.index_of(frame) < guess.chunks.count();
  };
  if (is_in_reach(address)) widen(guess);
  std::array<std::uintptr_t, StackGuess::kMaxHot> frames;
  std::size_t count = 0;
  const auto add = [&](std::uintptr_t frame) {
    if (!is_in_reach(frame) && count < frames.size()) frames[count++] = frame;
  };
  for (std::size_t i = hot_->count(); i > 0; --i) add(hot_->from_root(i - 1).address);
  std::array<std::byte, FrameFormat::kMaxHeadSize> head;
  for (std::size_t found = hot_->count(); address != 0 && found < kQuietFrames; ++found) {
    if (is_in_reach(address) || !reader_.read_bytes(address, head.data(), format_.head_size())) break;
    add(address);
    address = format_.decode(address, head.data(), format_.head_size()).previous;
  }
  guess.expect_hot(std::span(frames).first(count));
}

/// Keeps the agreed frames, and those below them.
Attempt StackWalker::keep_agreed(std::size_t agreed, StackGuess& guess) noexcept {
  forget_chain();
  check_chunks(guess);
  descent_ = {.chunk = 0, .above = guess.chunks.top()};
  std::size_t kept = keepable(agreed);
  // Of a stack that did not hold still, the last call is kept only if it is proven.
  if (walk_.is_partial && kept > 1 && !proof_.is_last_proven(hot_->weak_call(kept - 1))) --kept;
  for (std::size_t i = kept; i > 0; --i) {
    const FrameCopy& frame = hot_->from_root(i - 1);
    if (is_astray(frame, guess) || !place(frame.address, guess)) return Attempt::guessed_wrong;
    if (!keep(frame, guess)) break;
  }
  if (hot_->exit() != 0 && !walk_.is_truncated) {
    const Attempt result = follow_cold(guess);
    if (result != Attempt::whole) return result;
  }
  if (!is_rooted(guess)) return Attempt::torn;
  remember(guess);
  const CallProof::Verdict verdict = long_proof_.judge(traceless_calls_, guess.traceless_calls);
  if (verdict == CallProof::Verdict::try_again) return Attempt::guessed_wrong;
  if (verdict == CallProof::Verdict::proven) unproven_ = 0;
  if (unproven_ > 0) walk_.is_partial = true;
  if (frame_count_ > unproven_) return Attempt::whole;
  return walk_.is_partial ? Attempt::torn : Attempt::no_stack;
}

/// True of a function's frame that is in no known chunk. The one that it is in is known then.
bool StackWalker::is_astray(const FrameCopy& frame, StackGuess& guess) noexcept {
  if (!FrameFormat::lies_in_chunk(frame) || copy_.is_in_window(frame.address)) return false;
  if (guess.chunks.index_of(frame.address) < guess.chunks.count()) return false;
  const ChunkList::Search in_chunk = guess.chunks.find(frame.address, reader_, layout_);
  if (in_chunk == ChunkList::Search::in_none) guess.chunks.forget_older();  // they are others by now
  return true;
}

/// Notes where the chain has come to in the chunks. @return false if the chunks are not what they were thought to be
bool StackWalker::place(std::uintptr_t address, const StackGuess& guess) noexcept {
  const std::size_t chunk = guess.chunks.index_of(address);
  const bool is_in_window = copy_.is_in_window(address);
  // One that was copied by itself was copied long before or after its neighbours.
  if (chunk < guess.chunks.count() && !is_in_window && !copy_.is_in_border(address)) return false;
  if (chunk < descent_.chunk) return false;  // callers are in the same chunk or in an older one
  if (chunk < guess.chunks.count()) {
    descent_ = {chunk, address};
  } else if (is_in_window) {
    descent_.above = address;  // the innermost frame may lie above what was in use
  }
  return true;
}

/// False if there is something on the data stack below the outermost frame: then the frame only seems to have no
/// caller, because it is a generator that has been suspended, or a frame of C code that has come or gone.
bool StackWalker::is_rooted(const StackGuess& guess) const noexcept {
  if (walk_.is_truncated || guess.chunks.count() == 0) return true;
  const bool is_last_chunk = descent_.chunk + 1 == guess.chunks.count() && guess.chunks.is_whole();
  const std::uintptr_t first_slot = guess.chunks[descent_.chunk].address + layout_.chunk.data;
  return is_last_chunk &&
         descent_.above - first_slot <= sizeof(std::uintptr_t);  // the first chunk leaves a slot unused
}

Attempt StackWalker::follow_cold(StackGuess& guess) noexcept {
  const std::size_t lookups_before = lookup_count_;
  std::uintptr_t address = hot_->exit();
  while (address != 0) {
    FrameCopy frame;
    if (!copy_.find(address, frame)) {
      const LookUp result = look_up(address, guess, frame);
      if (result == LookUp::guessed_wrong) return Attempt::guessed_wrong;
      if (result == LookUp::exhausted) {
        walk_.is_truncated = true;
        break;
      }
    }
    if (is_astray(frame, guess)) return Attempt::guessed_wrong;
    const bool may_be_caller =
        format_.is_plausible(frame) && (chain_count_ == 0 || format_.may_wait_for(last_kept_, frame));
    if (!descend(frame, guess) || !may_be_caller || !copy_.is_same_at_seam(frame)) {
      remember(guess);
      return Attempt::torn;
    }
    if (!keep(frame, guess)) break;
    address = frame.previous;
  }
  return confirm_cold(lookup_count_ > lookups_before, guess);
}

/// Holds the older frames to the anchor.
Attempt StackWalker::confirm_cold(bool was_looked_up, StackGuess& guess) noexcept {
  // Looking frames up takes long, and the anchor can be back meanwhile: next time they are part of the copy.
  const bool can_be_guessed = !walk_.is_truncated && outside_count_ <= StackGuess::kMaxCold;
  if (was_looked_up && can_be_guessed && lookup_rounds_++ < kLookupRounds) {
    remember(guess);
    return Attempt::guessed_wrong;
  }
  const FrameCopy& anchor = hot_->from_root(0);
  FrameCopy late;
  const bool is_at_seam = copy_.find_at_seam(StackCopy::kSeams - 1, anchor.address, late);
  // What was looked up was read after the seam; but by then a program that had left the anchor may be back there.
  const bool must_be_read_again = was_looked_up || !is_at_seam;
  if (copy_.is_same_at_seam(anchor) && (!must_be_read_again || is_anchor_still(anchor))) return Attempt::whole;
  hot_bytes_ = std::min(hot_bytes_ * 4, StackCopy::kMaxHotBytes);
  return Attempt::torn;
}

/// Reads the head of the anchor once more, where it was not copied after the frames below it.
bool StackWalker::is_anchor_still(const FrameCopy& anchor) noexcept {
  std::array<std::byte, FrameFormat::kMaxHeadSize> head;
  if (!reader_.read_bytes(anchor.address, head.data(), format_.head_size())) return false;
  const FrameCopy late = format_.decode(anchor.address, head.data(), format_.head_size());
  return format_.is_same(anchor, late);
}

/// Holds the list of chunks to the copies of their headers.
void StackWalker::check_chunks(StackGuess& guess) const noexcept {
  for (std::size_t i = 0; i < guess.chunks.count(); ++i) {
    const std::byte* header = copy_.chunk_header(i, guess);
    if (header == nullptr || !guess.chunks.confirm(i, header, layout_)) return;
  }
}

/// Ends a frame of a chunk where its callee starts. @return false if it cannot be a frame of this stack
bool StackWalker::descend(FrameCopy& frame, const StackGuess& guess) noexcept {
  const std::size_t chunk = guess.chunks.index_of(frame.address);
  if (chunk == guess.chunks.count()) return true;  // outside
  if (chunk < descent_.chunk) return false;        // callers are in the same chunk or in an older one
  if (chunk > descent_.chunk) descent_ = {chunk, guess.chunks[chunk].address + guess.chunks[chunk].size};
  if (frame.address >= descent_.above || descent_.above - frame.address < format_.head_size()) return false;
  frame.size = std::min(frame.size, descent_.above - frame.address);
  descent_.above = frame.address;
  return true;
}

/// Finds a frame that was not copied: in a chunk to be copied next time, or by itself.
StackWalker::LookUp StackWalker::look_up(std::uintptr_t address, StackGuess& guess, FrameCopy& frame) noexcept {
  const ChunkList::Search in_chunk = guess.chunks.find(address, reader_, layout_);
  if (in_chunk == ChunkList::Search::too_many) return LookUp::exhausted;
  if (in_chunk == ChunkList::Search::listed && copy_.is_cut()) return LookUp::exhausted;
  if (in_chunk != ChunkList::Search::in_none) return LookUp::guessed_wrong;
  if (lookup_count_ == kMaxLookups) return LookUp::exhausted;
  std::byte* copy = lookups_.get() + lookup_count_ * FrameFormat::kMaxCopySize;
  const std::size_t size = format_.most_of(address).size;
  if (!reader_.read_bytes(address, copy, size)) {
    guess.forget_outside();
    return LookUp::guessed_wrong;
  }
  ++lookup_count_;
  frame = format_.decode(address, copy, size);
  return LookUp::found;
}

void StackWalker::forget_chain() noexcept {
  frame_count_ = outside_count_ = outside_hot_ = chain_count_ = unproven_ = 0;
  traceless_calls_ = 0;
  next_anchor_ = 0;
  walk_.is_truncated = false;
}

/// @return false if that is as far as stacks are followed
bool StackWalker::keep(const FrameCopy& frame, const StackGuess& guess) noexcept {
  if (frame_count_ == kMaxDepth || chain_count_ == kMaxChain) {
    walk_.is_truncated = true;
    return false;
  }
  if (copy_.is_long() && chain_count_ > 0 && !format_.has_called(last_kept_, frame)) {
    const std::array<std::uintptr_t, 1> call{format_.fingerprint_of_call(last_kept_, frame)};
    traceless_calls_ = add_to_fingerprint(traceless_calls_ + 1, call);
    unproven_ = frame_count_;
  }
  last_kept_ = frame;
  ++chain_count_;
  if (copy_.is_in_window(frame.address)) {
    const std::uintptr_t end = guess.chunks.top();
    outside_hot_ = outside_count_;
    if (end - frame.address <= kAnchorDepth) next_anchor_ = frame.address;
  } else if (copy_.is_in_border(frame.address)) {
    outside_hot_ = outside_count_;
  } else if (guess.chunks.index_of(frame.address) == guess.chunks.count()) {
    (*outside_)[outside_count_++] = frame.address;
    if (chain_count_ <= kQuietFrames) outside_hot_ = outside_count_;
  }
  if (!format_.is_hidden(frame)) (*frames_)[frame_count_++] = format_.raw(frame);
  return true;
}

/// Guesses that the next stack is like the one just walked.
void StackWalker::remember(StackGuess& guess) const noexcept {
  const std::size_t hot = std::min(outside_hot_, StackGuess::kMaxHot);
  const std::size_t cold = std::min(outside_count_ - hot, StackGuess::kMaxCold);
  guess.expect_hot(std::span(*outside_).first(hot));
  std::copy_n(outside_->begin() + static_cast<std::ptrdiff_t>(hot), cold, guess.cold.begin());
  guess.cold_count = static_cast<std::uint32_t>(cold);
  guess.anchor = next_anchor_;
  if (guess.chunks.count() > 0) guess.chunks.want(descent_.chunk + 1);
}

}  // namespace gauge::cpython
