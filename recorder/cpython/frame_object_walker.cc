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
  expect_top(state.current_frame, guess);
  walk_.result = attempt_up_to({kMaxTries, kMaxWrongGuesses}, walk_.retries, [&](const Attempts& so_far) {
    const bool is_part_enough = so_far.tries + 1 >= kTries || so_far.wrong_guesses >= kWrongGuesses;
    return attempt(state, context, guess, is_part_enough ? Need::callers : Need::whole_stack);
  });
  if (walk_.result == Walk::Result::stack) walk_.frames = std::span(*frames_).first(frame_count_);
  return walk_;
}

std::span<const std::uintptr_t> FrameObjectWalker::guessed(const StackGuess& guess) noexcept {
  return std::span(guess.objects).first(guess.object_count).subspan(guess.object_begin);
}

Attempt FrameObjectWalker::attempt(const ThreadState& state, const WalkContext& context, StackGuess& guess,
                                   Need need) noexcept {
  if (walk_.retries > 0) look_again(state, guess);
  if (guessed(guess).empty()) return recover(state, guess);
  if (!copy_.take(state, context.gil, guessed(guess))) {
    guess.forget_outside();
    return recover(state, guess);
  }
  const ThreadState now = copy_.thread();
  if (!is_same_running(state, now)) return Attempt::no_stack;
  walk_.gil = {copy_.gil_before(), copy_.gil_after()};
  if (now.current_frame == 0) return Attempt::no_stack;
  if (!copy_.is_steady(guess.pace) && need == Need::whole_stack) return Attempt::torn;
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
  return keep_from(innermost, guess);
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
    if (innermost == last) {
      guess.object_begin = guess.object_count = 0;
      return Attempt::torn;
    }
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
    splice(last + 1, previous, guess);
    return Attempt::guessed_wrong;
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
/// the guess, the `kept` innermost frames stay. What leads nowhere changes nothing.
void FrameObjectWalker::splice(std::size_t kept, std::uintptr_t address, StackGuess& guess) noexcept {
  const auto before = guessed(guess);
  std::size_t count = std::min(kept, before.size());
  std::copy_n(before.begin(), count, found_->begin());
  const auto rest = before.subspan(count);
  auto known = rest.end();
  bool is_root = false;
  while (known == rest.end() && !is_root && count < found_->size()) {
    (*found_)[count++] = address;
    FrameCopy frame;
    if (!read_fields(address, frame)) return;
    // One that has returned meanwhile still says who called it last.
    is_root = frame.previous == 0 && format_.is_plausible(frame);
    address = frame.previous;
    known = std::find(rest.begin(), rest.end(), address);
  }
  const std::size_t fitting = std::min(static_cast<std::size_t>(rest.end() - known), found_->size() - count);
  std::copy_n(known, fitting, found_->begin() + static_cast<std::ptrdiff_t>(count));
  guess.object_begin = 0;
  guess.object_count = static_cast<std::uint32_t>(count + fitting);
  std::copy_n(found_->begin(), guess.object_count, guess.objects.begin());
}

bool FrameObjectWalker::read_fields(std::uintptr_t address, FrameCopy& frame) noexcept {
  const MemoryRange range = format_.fields_of_object(address);
  if (address == 0 || !reader_.read_bytes(range.address, field_bytes_.data(), range.size)) return false;
  frame = format_.decode(address, field_bytes_.data(), range.size);
  return true;
}

}  // namespace gauge::cpython
