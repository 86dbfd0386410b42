#include "formats/format.h"

#include <algorithm>
#include <array>

#include "formats/base/background_sink.h"
#include "formats/gzip_sink.h"
#include "formats/writers.h"

namespace gauge {
namespace {

constexpr std::string_view kSuggested = "html";
constexpr std::string_view kGzipSuffix = ".gz";

constexpr std::array kFormats = {
    Format{.name = "callgrind",
           .extension = ".callgrind",
           .summary = "call graph with costs per line, for KCachegrind and callgrind_annotate",
           .is_binary = false,
           .write = write_callgrind},
    Format{.name = "chrome",
           .extension = ".chrome.json",
           .summary = "timeline of every thread and asyncio task, for ui.perfetto.dev and Chrome",
           .is_binary = false,
           .shows_when = true,
           .write = write_chrome},
    Format{.name = "collapsed",
           .extension = ".collapsed",
           .summary = "a line for each stack, for flamegraph.pl, inferno and others",
           .is_binary = false,
           .write = write_collapsed},
    Format{.name = "firefox",
           .extension = ".firefox.json",
           .summary = "timeline and call trees of every thread, for profiler.firefox.com",
           .is_binary = false,
           .shows_when = true,
           .write = write_firefox},
    Format{.name = "html",
           .extension = ".html",
           .summary = "a page with flame graph, timeline and table, for any browser, offline",
           .is_binary = false,
           .shows_when = true,
           .write = write_html},
    Format{.name = "jsonl",
           .extension = ".jsonl",
           .summary = "every sample as a line of JSON, for jq and scripts",
           .is_binary = false,
           .shows_when = true,
           .write = write_jsonl},
    Format{.name = "otlp-profiles",
           .extension = ".otlp.binpb",
           .summary = "OpenTelemetry's profiles signal, in development; experimental",
           .is_binary = true,
           .write = write_otlp_profiles},
    Format{.name = "otlp-spans",
           .extension = ".otlp.json",
           .summary = "functions as trace spans, in OpenTelemetry's JSON",
           .is_binary = false,
           .shows_when = true,
           .write = write_otlp_spans},
    Format{.name = "perfetto",
           .extension = ".perfetto-trace",
           .summary = "timeline of every thread and asyncio task, in Perfetto's own format",
           .is_binary = true,
           .shows_when = true,
           .write = write_perfetto},
    Format{.name = "pprof",
           .extension = ".pb.gz",
           .summary = "all weights by stack and thread, for go tool pprof and what reads its files",
           .is_binary = true,
           .is_gzipped = true,
           .write = write_pprof},
    Format{.name = "pstats",
           .extension = ".pstats",
           .summary = "Python's own profile statistics, for pstats, SnakeViz and others",
           .is_binary = true,
           .write = write_pstats},
    Format{.name = "speedscope",
           .extension = ".speedscope.json",
           .summary = "timeline and flame graph of every thread, for speedscope.app",
           .is_binary = false,
           .shows_when = true,
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
  if (longest != nullptr) return longest;
  if (is_gzip_path(path)) return format_of_path(path.substr(0, path.size() - kGzipSuffix.size()));
  return find_format(path.substr(path.rfind('.') + 1));
}

bool is_gzip_path(std::string_view path) noexcept { return path.ends_with(kGzipSuffix); }

void write_file(const Format& format, const Profile& profile, const WriteOptions& options, Sink& sink) {
  const auto write_to = [&](Sink& target) {
    BackgroundSink behind{target};
    format.write(profile, options, behind);
    behind.finish();
  };
  if (!format.is_gzipped && !options.gzip) return write_to(sink);
  GzipSink gzip{sink};
  write_to(gzip);
  gzip.finish();
}

const Format& suggested_format() noexcept { return *find_format(kSuggested); }

}  // namespace gauge
