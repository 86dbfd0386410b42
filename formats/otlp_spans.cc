// Spans in OTLP's JSON encoding: one TracesData message, which is also the body that a collector takes at /v1/traces.
//
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids in hexadecimal, enums as integers, 64-bit
// integers as decimal strings, field names in lowerCamelCase. What becomes a span: docs/spans.md; which attributes it
// has: docs/formats/otlp-spans.md.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "formats/base/json_writer.h"
#include "formats/spans/infer.h"
#include "formats/spans/service_name.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint32_t kSpanKindInternal = 1;
constexpr std::uint32_t kFlags = 0x101;  // sampled; the parent is known to be of the same process

class OtlpWriter {
 public:
  OtlpWriter(const Profile& profile, Sink& sink) : profile_(profile), json_(sink) {}

  void write() {
    json_.begin_object();
    json_.key("resourceSpans");
    json_.begin_array();
    infer_spans(profile_, [this](const Span& span) { add(span); });
    end_resource();
    json_.end_array();
    json_.end_object();
    json_.finish();
  }

 private:
  void add(const Span& span) {
    const ProcessId process = profile_.thread(span.thread).process;
    if (process_ != process) {
      end_resource();
      begin_resource(process);
    }
    write_span(span);
  }

  /// Opens the process's entry as far as the list of its spans.
  void begin_resource(ProcessId id) {
    process_ = id;
    json_.begin_object();
    json_.key("resource");
    write_resource(profile_.process(id));
    json_.key("scopeSpans");
    json_.begin_array();
    json_.begin_object();
    json_.key("scope");
    write_scope(profile_.health());
    json_.key("spans");
    json_.begin_array();
  }

  void end_resource() {
    if (!process_) return;
    json_.end_array();
    json_.end_object();
    json_.end_array();
    json_.end_object();
    process_.reset();
  }

  void write_resource(const Process& process) {
    json_.begin_object();
    json_.key("attributes");
    json_.begin_array();
    attribute("service.name", service_name(process));
    attribute("service.instance.id", process.run_id + "-" + std::to_string(process.pid));
    text_attribute("host.name", process.host);
    attribute("process.pid", process.pid);
    attribute("process.parent_pid", process.ppid);
    text_attribute("process.executable.path", process.executable);
    command_attribute(process);
    text_attribute("process.working_directory", process.working_directory);
    attribute("process.runtime.name", std::string_view{"cpython"});
    text_attribute("process.runtime.version", process.python_version);
    attribute("telemetry.sdk.name", std::string_view{"gauge"});
    attribute("telemetry.sdk.language", std::string_view{"python"});
    text_attribute("telemetry.sdk.version", process.gauge_version);
    attribute("gauge.interval_ns", process.interval);
    true_attribute("gauge.recording_truncated", process.is_truncated);
    json_.end_array();
    json_.end_object();
  }

  void write_scope(const ProfileHealth& health) {
    json_.begin_object();
    json_.member("name", "gauge");
    json_.member("version", GAUGE_VERSION);
    json_.key("attributes");
    json_.begin_array();
    loss_attribute("gauge.missed_ticks", health.missed_ticks);
    loss_attribute("gauge.partial_stacks", health.partial_stacks);
    loss_attribute("gauge.truncated_stacks", health.truncated_stacks);
    loss_attribute("gauge.failed_reads", health.failed_reads);
    loss_attribute("gauge.dropped_samples", health.dropped_samples);
    loss_attribute("gauge.unresolved_samples", health.unresolved_samples);
    loss_attribute("gauge.damaged_blocks", health.damaged_blocks);
    json_.end_array();
    json_.end_object();
  }

  void write_span(const Span& span) {
    json_.begin_object();
    json_.member("traceId", to_hex(span.trace));
    json_.member("spanId", to_hex(span.id));
    if (span.parent != kNoSpan) json_.member("parentSpanId", to_hex(span.parent));
    json_.member("flags", kFlags);
    json_.member("name", profile_.function(span.function).unique_name);
    json_.member("kind", kSpanKindInternal);
    json_.member("startTimeUnixNano", unix_time(span.thread, span.start));
    json_.member("endTimeUnixNano", unix_time(span.thread, span.end));
    json_.key("attributes");
    json_.begin_array();
    write_code(profile_.function(span.function));
    write_thread(profile_.thread(span.thread));
    write_evidence(span);
    json_.end_array();
    json_.end_object();
  }

  void write_code(const Function& function) {
    const std::string& name = function.qualified_name;
    attribute("code.function.name", function.module.empty() ? name : function.module + "." + name);
    text_attribute("code.file.path", function.file);
    if (function.first_line != 0) attribute("code.line.number", function.first_line);
  }

  void write_thread(const Thread& thread) {
    if (thread.native_id != 0) attribute("thread.id", thread.native_id);
    text_attribute("thread.name", thread.name);
  }

  void write_evidence(const Span& span) {
    attribute("is_inferred", true);  // as OpenTelemetry's inferred spans for Java say it
    attribute("gauge.samples", span.samples);
    attribute("gauge.uncertainty_ns", span.uncertainty);
    attribute("gauge.single_call", span.is_single_call);
    true_attribute("gauge.start_unseen", span.is_start_unseen);
    true_attribute("gauge.end_unseen", span.is_end_unseen);
  }

  /// Nanoseconds since 1970 by the clock pair of the recording's start, so that a clock set meanwhile moves no span
  /// against the others.
  [[nodiscard]] std::string unix_time(ThreadId thread, nanoseconds time) const {
    const Process& process = profile_.process(profile_.thread(thread).process);
    const nanoseconds since_1970 = process.start_unix_time + (time - process.start_time);
    return std::to_string(std::max(since_1970, nanoseconds::zero()).count());
  }

  void attribute(std::string_view key, std::string_view text) { write_attribute(key, "stringValue", text); }
  void attribute(std::string_view key, const std::string& text) { attribute(key, std::string_view{text}); }
  void attribute(std::string_view key, std::uint64_t number) {
    write_attribute(key, "intValue", std::to_string(number));
  }
  void attribute(std::string_view key, std::uint32_t number) { attribute(key, std::uint64_t{number}); }
  void attribute(std::string_view key, nanoseconds time) {
    write_attribute(key, "intValue", std::to_string(time.count()));
  }
  void attribute(std::string_view key, bool truth) { write_attribute(key, "boolValue", truth); }

  /// Leaves out what is unknown.
  void text_attribute(std::string_view key, const std::string& text) {
    if (!text.empty()) attribute(key, text);
  }
  void true_attribute(std::string_view key, bool truth) {
    if (truth) attribute(key, true);
  }
  void loss_attribute(std::string_view key, std::uint64_t count) {
    if (count != 0) attribute(key, count);
  }

  void command_attribute(const Process& process) {
    json_.begin_object();
    json_.member("key", "process.command_args");
    json_.key("value");
    json_.begin_object();
    json_.key("arrayValue");
    json_.begin_object();
    json_.key("values");
    json_.begin_array();
    for (const std::string& argument : process.command) {
      json_.begin_object();
      json_.member("stringValue", argument);
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
    json_.end_object();
    json_.end_object();
  }

  template <typename T>
  void write_attribute(std::string_view key, std::string_view type, const T& content) {
    json_.begin_object();
    json_.member("key", key);
    json_.key("value");
    json_.begin_object();
    json_.member(type, content);
    json_.end_object();
    json_.end_object();
  }

  const Profile& profile_;
  JsonWriter json_;
  std::optional<ProcessId> process_;  // whose spans are being written
};

}  // namespace

void write_otlp_spans(const Profile& profile, const WriteOptions&, Sink& sink) { OtlpWriter{profile, sink}.write(); }

}  // namespace gauge
