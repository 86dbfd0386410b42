#include "formats/format.h"

#include <algorithm>
#include <array>

#include "formats/writers.h"

namespace gauge {
namespace {

constexpr std::string_view kSuggested = "speedscope";

constexpr std::array kFormats = {
    Format{.name = "callgrind",
           .extension = ".callgrind",
           .summary = "call graph with costs per line, for KCachegrind and callgrind_annotate",
           .is_binary = false,
           .write = write_callgrind},
    Format{.name = "collapsed",
           .extension = ".collapsed",
           .summary = "a line for each stack, for flamegraph.pl, inferno and others",
           .is_binary = false,
           .write = write_collapsed},
    Format{.name = "otlp-spans",
           .extension = ".otlp.json",
           .summary = "functions as trace spans, in OpenTelemetry's JSON",
           .is_binary = false,
           .write = write_otlp_spans},
    Format{.name = "pstats",
           .extension = ".pstats",
           .summary = "Python's own profile statistics, for pstats, SnakeViz and others",
           .is_binary = true,
           .write = write_pstats},
    Format{.name = "speedscope",
           .extension = ".speedscope.json",
           .summary = "timeline and flame graph of every thread, for speedscope.app",
           .is_binary = false,
           .write = write_speedscope},
};

static_assert(std::is_sorted(kFormats.begin(), kFormats.end(),
                             [](const Format& a, const Format& b) { return a.name < b.name; }));

static_assert(std::any_of(kFormats.begin(), kFormats.end(), [](const Format& f) { return f.name == kSuggested; }));

}  // namespace

std::span<const Format> formats() noexcept { return kFormats; }

const Format* find_format(std::string_view name) noexcept {
  const auto* const found =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& f) { return f.name == name; });
  return found == kFormats.end() ? nullptr : found;
}

const Format* format_of_path(std::string_view path) noexcept {
  const Format* longest = nullptr;
  for (const Format& format : kFormats) {
    if (!path.ends_with(format.extension)) continue;
    if (longest == nullptr || longest->extension.size() < format.extension.size()) longest = &format;
  }
  return longest;
}

const Format& suggested_format() noexcept { return *find_format(kSuggested); }

}  // namespace gauge
