#include "recorder/cpython/activations.h"

namespace gauge::cpython {
namespace {

/// Frame `depth`, counted from the root.
const Activation& at_depth(std::span<const Activation> stack, std::size_t depth) noexcept {
  return stack[stack.size() - 1 - depth];
}

/// A coroutine that its caller will be with until it is over.
bool is_awaited(std::span<const Activation> stack, std::size_t depth) noexcept {
  return depth > 0 && at_depth(stack, depth).is_coroutine && at_depth(stack, depth - 1).is_coroutine;
}

/// Whether the call may have begun before its caller came to where it is.
bool may_be_resumed(std::span<const Activation> stack, std::size_t depth) noexcept {
  return at_depth(stack, depth).is_generator() && !is_awaited(stack, depth);
}

}  // namespace

Continuity continuity_of(std::span<const Activation> before, bool may_lack_frames,
                         std::span<const Activation> now) noexcept {
  const std::size_t common = std::min(before.size(), now.size());
  bool has_caller_run = false;  // the one next to it
  bool has_any_run = false;
  for (std::size_t depth = 0; depth < common; ++depth) {
    const Activation& then = at_depth(before, depth);
    const Activation& frame = at_depth(now, depth);
    const bool is_other = then.address != frame.address || then.code != frame.code;
    // A function that is called from a generator ends before that can be resumed; a coroutine is resumed with it.
    const bool has_ended = is_awaited(now, depth) ? has_caller_run : has_any_run && !frame.is_generator();
    if (is_other || has_ended) return {static_cast<std::uint32_t>(depth), !may_be_resumed(now, depth)};
    // The next round is about its callee; a frame that calls nothing is running itself and proves nothing.
    has_caller_run = then.fingerprint != frame.fingerprint;
    has_any_run = has_any_run || has_caller_run;
  }
  const bool has_grown = now.size() > before.size();
  // Of a partial stack it is not known what lay above.
  const bool is_new_call = has_grown && !may_lack_frames && !may_be_resumed(now, before.size());
  return {static_cast<std::uint32_t>(common), is_new_call};
}

}  // namespace gauge::cpython
