// Spans of a Timeline, as tests compare them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/spans/infer.h"
#include "tests/formats/spans/timeline.h"

namespace gauge::test {

[[nodiscard]] std::vector<Span> infer(const Timeline& timeline, SpanReport* report = nullptr);

/// "load 5..25 x2": name, start and end in milliseconds, samples; in the order in which they ended.
[[nodiscard]] std::vector<std::string> described(const Timeline& timeline);

/// The span of the function of that name. Fails the test if it is not one.
[[nodiscard]] Span only(const Timeline& timeline, std::string_view name);

}  // namespace gauge::test
