#include "tests/formats/spans/inferred.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace gauge::test {
namespace {

double in_ms(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

}  // namespace

std::vector<Span> infer(const Timeline& timeline, SpanReport* report) {
  std::vector<Span> spans;
  const SpanReport found = infer_spans(timeline.profile(), [&](const Span& span) { spans.push_back(span); });
  if (report != nullptr) *report = found;
  return spans;
}

std::vector<std::string> described(const Timeline& timeline) {
  std::vector<std::string> lines;
  for (const Span& span : infer(timeline)) {
    lines.push_back(fmt::format("{} {}..{} x{}", timeline.tables.functions[index_of(span.function)].name,
                                in_ms(span.start), in_ms(span.end), span.samples));
  }
  return lines;
}

Span only(const Timeline& timeline, std::string_view name) {
  std::vector<Span> found;
  for (const Span& span : infer(timeline)) {
    if (timeline.tables.functions[index_of(span.function)].name == name) found.push_back(span);
  }
  EXPECT_EQ(found.size(), 1U) << "spans of " << name;
  return found.empty() ? Span{} : found.front();
}

}  // namespace gauge::test
