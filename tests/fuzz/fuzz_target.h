// What a fuzz target is made of: the names are libFuzzer's. Where it is not linked, deterministic_main.cc calls them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" {
/// Tries one input. Dies where something is wrong.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
/// Changes an input in place, in the target's own way. Optional. @return its new size, at most `max_size`
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed);
/// Changes bytes, of whatever they are. @return the new size, at most `max_size`
std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
}

namespace gauge {

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

/// Dies, as where a sanitizer finds something, unless `holds`.
inline void require(bool holds, const char* what) noexcept {
  if (holds) return;
  std::fprintf(stderr, "fuzz: not so: %s\n", what);
  std::abort();
}

}  // namespace gauge
