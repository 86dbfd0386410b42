// "did you mean": the known word that is nearest to a mistyped one.
#pragma once

#include <span>
#include <string_view>

namespace gauge {

/// The word of `words` that `typed` most likely was to be: it begins with `typed`, or is at most two edits away (one
/// for words under four letters; an edit is a letter more, less, other, or two swapped). Letter case does not count.
/// Ties go to the first. Texts over 64 bytes are nobody's typing error.
/// @return empty where none is near
[[nodiscard]] std::string_view closest(std::string_view typed, std::span<const std::string_view> words);

}  // namespace gauge
