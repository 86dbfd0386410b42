// The writers behind the rows of the format table; each is in the file of its name.
//
// A writer is a pure function of the profile: equal profiles give equal bytes. It throws Error(io) when the sink does.
#pragma once

#include "formats/format.h"

namespace gauge {

/// Valgrind's Callgrind format, for KCachegrind and callgrind_annotate. See docs/formats/callgrind.md.
void write_callgrind(const Profile& profile, const WriteOptions& options, Sink& sink);

/// Trace Event JSON, for Perfetto and Chrome's own viewer: a slice for each frame, in lanes of threads and asyncio
/// tasks. Holds at most some hundred MB of runs. See docs/formats/chrome.md.
void write_chrome(const Profile& profile, const WriteOptions& options, Sink& sink);

/// Stacks in a line each with one weight, for flamegraph.pl and its kin. See docs/formats/collapsed.md.
void write_collapsed(const Profile& profile, const WriteOptions& options, Sink& sink);

/// The Firefox Profiler's own format: every sample's lines and columns, wall and CPU time, and calls of asyncio tasks.
/// Holds at most some hundred MB of runs. See docs/formats/firefox.md.
void write_firefox(const Profile& profile, const WriteOptions& options, Sink& sink);

/// A page that shows the recording in a browser, of less than 5 MB; reads the samples once. See docs/formats/html.md.
void write_html(const Profile& profile, const WriteOptions& options, Sink& sink);

/// Every sample, and what it refers to, as lines of JSON. Memory does not grow with samples. See docs/formats/jsonl.md.
void write_jsonl(const Profile& profile, const WriteOptions& options, Sink& sink);

/// OpenTelemetry's profiles signal as a ProfilesData message in protobuf. See docs/formats/otlp-profiles.md.
void write_otlp_profiles(const Profile& profile, const WriteOptions& options, Sink& sink);

/// Inferred spans as an OpenTelemetry TracesData message in JSON. Memory does not grow with samples or spans. See
/// docs/formats/otlp-spans.md and docs/spans.md.
void write_otlp_spans(const Profile& profile, const WriteOptions& options, Sink& sink);

/// Perfetto's own trace format: a slice for each frame, on tracks of threads and asyncio tasks. Reads the samples once,
/// where there are tasks twice, and holds at most some hundred MB of runs. See docs/formats/perfetto.md.
void write_perfetto(const Profile& profile, const WriteOptions& options, Sink& sink);

/// pprof's profile.proto, of `go tool pprof`, with all weights; not compressed. See docs/formats/pprof.md.
void write_pprof(const Profile& profile, const WriteOptions& options, Sink& sink);

/// Python's profile statistics, for the pstats module and what is built on it. See docs/formats/pstats.md.
void write_pstats(const Profile& profile, const WriteOptions& options, Sink& sink);

/// Speedscope's own format: a profile per thread, in order of time. Reads the samples once and holds at most some
/// hundred MB of runs. See docs/formats/speedscope.md.
void write_speedscope(const Profile& profile, const WriteOptions& options, Sink& sink);

}  // namespace gauge
