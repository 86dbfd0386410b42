#include "recorder/cpython/frame_object_walker.h"

#include <algorithm>

namespace gauge::cpython {

FrameObjectWalker::FrameObjectWalker(MemoryReader& reader, const GaugeLayout& layout)
    : reader_(reader),
      layout_(layout),
      format_(layout),
      copy_(reader, layout),
      frames_(std::make_unique<std::array<RawFrame, Walk::kMaxDepth>>()),
      found_(std::make_unique<std::array<std::uintptr_t, StackGuess::kMaxObjects>>()) {}

Walk FrameObjectWalker::walk(const ThreadState& state, const WalkContext& context, StackGuess& guess) noexcept {
  walk_ = Walk{};
  lookups_left_ = guess.lookups;
  skipped_ = 0;
  expect_top(state.current_frame, guess);
  walk_.result = attempt_up_to({kMaxTries, kMaxWrongGuesses}, walk_.retries, [&](const Attempts& so_far) {
    const bool is_part_enough =
        so_far.tries + 1 >= kTries || so_far.wrong_guesses >= kWrongGuesses || lookups_left_ == 0;
    return attempt(state, context, guess, is_part_enough ? Need::callers : Need::whole_stack);
  });
  if (walk_.result == Walk::Result::stack) walk_.frames = std::span(*frames_).first(frame_count_);
  prepare_next(guess);
  return walk_;
}

void FrameObjectWalker::prepare_next(StackGuess& guess) const noexcept {
  const bool is_failed = walk_.result == Walk::Result::failed;
  // A stack that cannot be followed is hardly worth it the next time, but it may hold still again.
  const bool is_moving = is_failed || walk_.is_partial;
  const bool is_cheap = guess.lookups < StackGuess::kMaxObjects;
  guess.lookups = !is_moving ? StackGuess::kMaxObjects : is_cheap ? 2 * guess.lookups : kLookupsAgain;
  // What is near the root is there the longest. But what has not helped is wrong itself.
  if (is_failed && is_cheap) guess.object_count = 0;
  if (is_failed) guess.object_begin = guess.object_count - std::min(guess.object_count, kOutermost);
}

std::span<const std::uintptr_t> FrameObjectWalker::guessed(const StackGuess& guess) noexcept {
  return std::span(guess.objects).first(guess.object_count).subspan(guess.object_begin);
}

Attempt FrameObjectWalker::attempt(const ThreadState& state, const WalkContext& context, StackGuess& guess,
                                   Need need) noexcept {
  if (walk_.retries > 0 && skipped_ == 0) look_again(state, guess);
  if (guessed(guess).empty()) return recover(state, guess);
  if (!copy_.take(state, context.gil, guessed(guess))) {
    if (skipped_ > 0) {
      skip_innermost(guess);
      return Attempt::torn;
    }
    guess.forget_frames();
    return recover(state, guess);
  }
  const ThreadState now = copy_.thread();
  if (!is_same_running(state, now)) return Attempt::no_stack;
  walk_.gil = {copy_.gil_before(), copy_.gil_after()};
  if (now.current_frame == 0) return Attempt::no_stack;
  if (!copy_.is_steady() && need == Need::whole_stack) return Attempt::torn;
  if (now.current_frame != guessed(guess)[0] && need == Need::whole_stack) {
    expect_top(now.current_frame, guess);
    return Attempt::guessed_wrong;
  }
  return judge(now, guess, need);
}

/// What was copied a moment ago is long past where stacks move.
void FrameObjectWalker::look_again(const ThreadState& state, StackGuess& guess) noexcept {
  std::uintptr_t top = 0;
  if (reader_.read(state.address + layout_.thread.current_frame, top)) expect_top(top, guess);
}

/// Nothing is known of the stack, or what was known is no memory any more.
Attempt FrameObjectWalker::recover(const ThreadState& state, StackGuess& guess) noexcept {
  std::uintptr_t top = 0;
  if (!reader_.read(state.address + layout_.thread.current_frame, top) || top == 0) return Attempt::no_stack;
  expect_top(top, guess);
  return Attempt::guessed_wrong;
}

Attempt FrameObjectWalker::judge(const ThreadState& now, StackGuess& guess, Need need) noexcept {
  if (need == Need::whole_stack && mend(guess)) return Attempt::guessed_wrong;
  const std::size_t innermost = innermost_proven();
  walk_.is_partial = innermost > 0 || !is_leaf_proven(now, guessed(guess)[0]);
  if (walk_.is_partial && need == Need::whole_stack) return Attempt::torn;
  const Attempt result = keep_from(innermost, guess);
  if (result == Attempt::torn && need == Need::callers) skip_innermost(guess);
  return result;
}

/// The innermost frames of the guess, or some below them, returned while they were copied. Callers further down stay
/// longer: the next attempt begins with them, and if it fails, too, one as far down again.
void FrameObjectWalker::skip_innermost(StackGuess& guess) noexcept {
  skipped_ = std::max(FrameObjectCopy::kMaxLinked, 2 * skipped_);
  const std::size_t count = guessed(guess).size();
  const bool is_last = count <= FrameObjectCopy::kMaxLinked;
  guess.object_begin +=
      static_cast<std::uint32_t>(is_last ? count : std::min(skipped_, count - FrameObjectCopy::kMaxLinked));
}

/// Corrects the guess from the first frame on that has another caller than was thought. @return false if none has
bool FrameObjectWalker::mend(StackGuess& guess) noexcept {
  const auto frames = guessed(guess);
  for (std::size_t i = 0; i + 1 < copy_.linked_count(); ++i) {
    const FrameCopy frame = copy_.callee_in_link(i, 0);
    if (!format_.is_plausible(frame)) return false;
    if (frame.previous == frames[i + 1]) continue;
    splice(i + 1, frame.previous, guess);
    return true;
  }
  return false;
}

/// The innermost frame from which on, to the last of the linked ones, every call is proven.
std::size_t FrameObjectWalker::innermost_proven() const noexcept {
  std::size_t innermost = copy_.linked_count() - 1;
  while (innermost > 0 && is_link_proven(innermost - 1)) --innermost;
  return innermost;
}

/// True if the frame was called by the next one, which was waiting, and has been since its own call was looked at.
bool FrameObjectWalker::is_link_proven(std::size_t callee) const noexcept {
  const FrameCopy first = copy_.callee_in_link(callee, 0);
  const FrameCopy caller = copy_.caller_in_link(callee, 0);
  if (!format_.is_plausible(first) || !format_.is_plausible(caller) || !format_.may_wait_for(first, caller))
    return false;
  if (first.previous != caller.address) return false;
  for (std::size_t turn = 0; turn < FrameObjectCopy::kTurns; ++turn) {
    const FrameCopy again = copy_.callee_in_link(callee, turn + 1);
    if (!format_.is_same_head(first, again) || !format_.is_plausible(again)) return false;
    if (!format_.is_same(caller, copy_.caller_in_link(callee, turn))) return false;
  }
  const bool is_linked_on = callee + 2 < copy_.linked_count();
  for (std::size_t turn = 0; is_linked_on && turn <= FrameObjectCopy::kTurns; ++turn) {
    if (!format_.is_same(caller, copy_.callee_in_link(callee + 1, turn))) return false;
  }
  return true;
}

/// True if the innermost frame guessed was the innermost one, before and after it was copied.
bool FrameObjectWalker::is_leaf_proven(const ThreadState& now, std::uintptr_t guessed) const noexcept {
  const FrameCopy leaf = copy_.leaf();
  if (now.current_frame != guessed || copy_.top_after() != guessed || !format_.is_plausible(leaf)) return false;
  return format_.is_same_head(leaf, witness(0));
}

/// The copy of a linked frame that is to be shown.
FrameCopy FrameObjectWalker::shown_copy(std::size_t index) const noexcept {
  return index == 0 ? copy_.leaf() : copy_.caller_in_link(index - 1, 0);
}

/// A later copy of it.
FrameCopy FrameObjectWalker::witness(std::size_t index) const noexcept {
  if (index + 1 < copy_.linked_count()) return copy_.callee_in_link(index, 0);
  return index == 0 ? copy_.leaf_again() : copy_.caller_in_link(index - 1, FrameObjectCopy::kTurns - 1);
}

/// Keeps the linked frames from the one with this index on, and the older ones.
Attempt FrameObjectWalker::keep_from(std::size_t innermost, StackGuess& guess) noexcept {
  const std::size_t last = copy_.linked_count() - 1;
  frame_count_ = 0;
  walk_.is_truncated = false;
  const FrameCopy first = shown_copy(innermost);
  const FrameCopy later = witness(innermost);
  // One that has run since is right as long as it is still the same call.
  const bool is_there = format_.is_plausible(first) && format_.is_plausible(later);
  if (!is_there || !format_.is_same_head(first, later)) {
    if (innermost == last) return Attempt::torn;
    ++innermost;
  }
  for (std::size_t i = innermost; i <= last; ++i) (*frames_)[frame_count_++] = format_.raw(shown_copy(i));
  remember_anchor(shown_copy(last));
  return keep_older(guess, innermost == last);
}

Attempt FrameObjectWalker::keep_older(StackGuess& guess, bool has_anchor_moved) noexcept {
  const auto frames = guessed(guess);
  std::size_t last = copy_.linked_count() - 1;
  std::uintptr_t previous = anchor_.previous;
  while (last + 1 < frames.size() && previous == frames[last + 1]) {
    if (last + 1 == copy_.older_end() && !copy_.take_older(frames, last + 1)) return Attempt::torn;
    if (!is_anchor_still(has_anchor_moved)) return Attempt::torn;
    for (; last + 1 < copy_.older_end() && previous == frames[last + 1]; ++last) {
      const FrameCopy frame = copy_.older(last + 1);
      if (!format_.is_plausible(frame) || !format_.may_wait_for(frame, frame)) return Attempt::torn;
      (*frames_)[frame_count_++] = format_.raw(frame);
      previous = frame.previous;
    }
  }
  walk_.is_truncated = previous != 0 && frames.size() == StackGuess::kMaxObjects;
  if (previous != 0 && !walk_.is_truncated) {
    return splice(last + 1, previous, guess) ? Attempt::guessed_wrong : Attempt::torn;
  }
  guess.object_count = static_cast<std::uint32_t>(guess.object_begin + last + 1);
  return Attempt::whole;
}

void FrameObjectWalker::remember_anchor(const FrameCopy& anchor) noexcept {
  const std::size_t size = layout_.frame_object.size;
  std::copy_n(anchor.bytes, size, anchor_bytes_.begin());
  anchor_ = format_.decode(anchor.address, anchor_bytes_.data(), size);
}

bool FrameObjectWalker::is_anchor_still(bool has_anchor_moved) const noexcept {
  for (std::size_t i = 0; i < copy_.anchor_count(); ++i) {
    const FrameCopy copy = copy_.anchor(i);
    const bool is_it = has_anchor_moved ? format_.is_same_head(anchor_, copy) && format_.is_plausible(copy)
                                        : format_.is_same(anchor_, copy);
    if (!is_it) return false;
  }
  return true;
}

/// Makes `top` the innermost frame of the guess.
void FrameObjectWalker::expect_top(std::uintptr_t top, StackGuess& guess) noexcept {
  if (top == 0) return;
  const auto known = std::span(guess.objects).first(guess.object_count);
  const auto found = std::find(known.begin(), known.end(), top);
  if (found != known.end()) {  // called by those after it, or, before it has returned, calling those before it
    guess.object_begin = static_cast<std::uint32_t>(found - known.begin());
    return;
  }
  splice(0, top, guess);
}

/// Follows the callers of a frame at `address`, one by one, until one is among those guessed, and puts them there. Of
/// the guess, the `kept` innermost frames stay. @return false if that leads nowhere, and nothing was changed
bool FrameObjectWalker::splice(std::size_t kept, std::uintptr_t address, StackGuess& guess) noexcept {
  const auto before = guessed(guess);
  std::size_t count = std::min(kept, before.size());
  std::copy_n(before.begin(), count, found_->begin());
  const auto rest = before.subspan(count);
  const std::optional<std::size_t> known = follow(address, rest, count);
  lookups_left_ = std::min(lookups_left_, kLookupsAgain);
  if (!known) return false;
  const std::size_t fitting = std::min(rest.size() - *known, found_->size() - count);
  std::copy_n(rest.begin() + static_cast<std::ptrdiff_t>(*known), fitting,
              found_->begin() + static_cast<std::ptrdiff_t>(count));
  guess.object_begin = 0;
  guess.object_count = static_cast<std::uint32_t>(count + fitting);
  std::copy_n(found_->begin(), guess.object_count, guess.objects.begin());
  return true;
}

/// Appends the frame at `address` and its callers to the `count` found, one by one.
/// @return where in `rest` the next one is; its size where there is none, or no more are followed; nothing if they lead
///         nowhere, or no more may be looked up
std::optional<std::size_t> FrameObjectWalker::follow(std::uintptr_t address, std::span<const std::uintptr_t> rest,
                                                     std::size_t& count) noexcept {
  bool is_root = false;
  while (!is_root && count < found_->size()) {
    const auto known = std::find(rest.begin(), rest.end(), address);
    if (known != rest.end()) return known - rest.begin();
    FrameCopy frame;
    if (lookups_left_ == 0 || !read_fields(address, frame)) return std::nullopt;
    --lookups_left_;
    (*found_)[count++] = address;
    // One that has returned meanwhile still says who called it last.
    is_root = frame.previous == 0 && format_.is_plausible(frame);
    address = frame.previous;
  }
  return rest.size();
}

bool FrameObjectWalker::read_fields(std::uintptr_t address, FrameCopy& frame) noexcept {
  const MemoryRange range = format_.fields_of_object(address);
  if (address == 0 || !reader_.read_bytes(range.address, field_bytes_.data(), range.size)) return false;
  frame = format_.decode(address, field_bytes_.data(), range.size);
  return true;
}

}  // namespace gauge::cpython
