// Spans in OTLP's JSON encoding: one TracesData message, which is also the body that a collector takes at /v1/traces.
//
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids in hexadecimal, enums as integers, 64-bit
// integers as decimal strings, field names in lowerCamelCase. What becomes a span: docs/spans.md; which attributes it
// has: docs/formats/otlp-spans.md.
#include <fmt/compile.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/json_writer.h"
#include "formats/buffered_output.h"
#include "formats/json_text.h"
#include "formats/otlp_attributes.h"
#include "formats/spans/infer.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

// --- attributes ---

/// Writes attributes into the JSON array that is open.
class Attributes {
 public:
  explicit Attributes(JsonWriter& json) : json_(json) {}

  void add(std::string_view key, std::string_view text) { write(key, "stringValue", text); }
  void add(std::string_view key, const std::string& text) { add(key, std::string_view{text}); }
  void add(std::string_view key, const char* text) { add(key, std::string_view{text}); }
  void add(std::string_view key, std::uint64_t number) { write(key, "intValue", std::to_string(number)); }
  void add(std::string_view key, std::uint32_t number) { add(key, std::uint64_t{number}); }
  void add(std::string_view key, nanoseconds time) { write(key, "intValue", std::to_string(time.count())); }
  void add(std::string_view key, bool truth) { write(key, "boolValue", truth); }
  void add(std::string_view key, const std::vector<std::string>& texts);

 private:
  template <typename T>
  void write(std::string_view key, std::string_view type, const T& content) {
    json_.begin_object();
    json_.member("key", key);
    json_.key("value");
    json_.begin_object();
    json_.member(type, content);
    json_.end_object();
    json_.end_object();
  }

  JsonWriter& json_;
};

void Attributes::add(std::string_view key, const std::vector<std::string>& texts) {
  json_.begin_object();
  json_.member("key", key);
  json_.key("value");
  json_.begin_object();
  json_.key("arrayValue");
  json_.begin_object();
  json_.key("values");
  json_.begin_array();
  for (const std::string& text : texts) {
    json_.begin_object();
    json_.member("stringValue", text);
    json_.end_object();
  }
  json_.end_array();
  json_.end_object();
  json_.end_object();
  json_.end_object();
}

/// The attributes that `fill(Attributes&)` adds, with commas between them.
template <typename Fill>
std::string attributes_of(Fill fill) {
  return without_brackets(json_text_of([&fill](JsonWriter& json) {
    json.begin_array();
    Attributes attributes{json};
    fill(attributes);
    json.end_array();
  }));
}

std::string resource_attributes(const Process& process) {
  return attributes_of([&](Attributes& to) { add_resource_attributes(process, to); });
}

std::string scope_attributes(const ProfileHealth& health) {
  return attributes_of([&](Attributes& to) { add_scope_attributes(health, to); });
}

std::string code_attributes(const Function& function) {
  const std::string& name = function.qualified_name;
  return attributes_of([&](Attributes& to) {
    to.add("code.function.name", function.module.empty() ? name : function.module + "." + name);
    add_unless_empty(to, "code.file.path", function.file);
    add_unless_empty(to, "code.line.number", function.first_line);
  });
}

std::string thread_attributes(const Thread& thread) {
  return attributes_of([&](Attributes& to) {
    add_unless_empty(to, "thread.id", thread.native_id);
    add_unless_empty(to, "thread.name", thread.name);
    to.add("is_inferred", true);  // as OpenTelemetry's inferred spans for Java say it
  });
}

// --- the message ---

/// Puts spans together from pieces that are the same for all spans of a function or thread, and are made once.
class OtlpWriter {
 public:
  OtlpWriter(const Profile& profile, Sink& sink)
      : profile_(profile),
        output_(sink),
        names_(profile.functions().size()),
        code_(profile.functions().size()),
        threads_(profile.threads().size()) {}

  void write() {
    output_.append(R"({"resourceSpans":[)");
    infer_spans(profile_, [this](const Span& span) { add(span); });
    if (process_) output_.append("]}]}");
    output_.append("]}");
    output_.finish();
  }

 private:
  void add(const Span& span) {
    const ProcessId process = profile_.thread(span.thread).process;
    if (process_ == process) {
      output_.append(",");
    } else {
      if (process_) output_.append("]}]},");
      begin_resource(process);
    }
    write_span(span);
  }

  /// Opens the process's entry as far as the list of its spans.
  void begin_resource(ProcessId id) {
    process_ = id;
    output_.print(R"({{"resource":{{"attributes":[{}]}},"scopeSpans":[)", resource_attributes(profile_.process(id)));
    output_.print(R"({{"scope":{{"name":"gauge","version":"{}","attributes":[{}]}},"spans":[)", GAUGE_VERSION,
                  scope_attributes(profile_.health()));
  }

  void write_span(const Span& span) {
    output_.print_compiled(FMT_COMPILE(R"({{"traceId":"{:016x}{:016x}","spanId":"{:016x}",)"), span.trace.words[0],
                           span.trace.words[1], static_cast<std::uint64_t>(span.id));
    if (span.parent != kNoSpan) {
      output_.print_compiled(FMT_COMPILE(R"("parentSpanId":"{:016x}",)"), static_cast<std::uint64_t>(span.parent));
    }
    // Flags: sampled; the parent is known to be of the same process. Kind: internal.
    output_.print_compiled(
        FMT_COMPILE(R"("flags":257,"name":{},"kind":1,"startTimeUnixNano":"{}","endTimeUnixNano":"{}",)"),
        name_of(span.function), unix_time(span.thread, span.start), unix_time(span.thread, span.end));
    output_.print_compiled(FMT_COMPILE(R"("attributes":[{},{},)"), code_of(span.function), thread_of(span.thread));
    if (span.task != kNoTask) {
      const std::string name = json_text(profile_.task_name(span.task));
      output_.print_compiled(FMT_COMPILE(R"({{"key":"gauge.task","value":{{"stringValue":{}}}}},)"), name);
    }
    write_evidence(span);
    output_.append("]}");
  }

  void write_evidence(const Span& span) {
    output_.print_compiled(FMT_COMPILE(R"({{"key":"gauge.samples","value":{{"intValue":"{}"}}}},)"
                                       R"({{"key":"gauge.uncertainty_ns","value":{{"intValue":"{}"}}}})"),
                           span.samples, span.uncertainty.count());
    if (span.unwatched > nanoseconds::zero()) {
      output_.print_compiled(FMT_COMPILE(R"(,{{"key":"gauge.unwatched_ns","value":{{"intValue":"{}"}}}})"),
                             span.unwatched.count());
    }
    if (span.is_start_unseen) output_.append(R"(,{"key":"gauge.start_unseen","value":{"boolValue":true}})");
    if (span.is_end_unseen) output_.append(R"(,{"key":"gauge.end_unseen","value":{"boolValue":true}})");
  }

  const std::string& name_of(FunctionId id) {
    std::string& text = names_[index_of(id)];
    if (text.empty()) text = json_text(profile_.function(id).unique_name);
    return text;
  }
  const std::string& code_of(FunctionId id) {
    std::string& text = code_[index_of(id)];
    if (text.empty()) text = code_attributes(profile_.function(id));
    return text;
  }
  const std::string& thread_of(ThreadId id) {
    std::string& text = threads_[index_of(id)];
    if (text.empty()) text = thread_attributes(profile_.thread(id));
    return text;
  }

  /// Nanoseconds since 1970 by the clock pair of the recording's start, so that a clock set meanwhile moves no span
  /// against the others.
  [[nodiscard]] std::int64_t unix_time(ThreadId thread, nanoseconds time) const {
    const Process& process = profile_.process(profile_.thread(thread).process);
    const nanoseconds since_1970 = process.start_unix_time + (time - process.start_time);
    return std::max(since_1970, nanoseconds::zero()).count();
  }

  const Profile& profile_;
  BufferedOutput output_;
  std::optional<ProcessId> process_;  // whose spans are being written
  std::vector<std::string> names_;    // by FunctionId, as JSON; made when first needed
  std::vector<std::string> code_;     // by FunctionId: its attributes
  std::vector<std::string> threads_;  // by ThreadId: its attributes
};

}  // namespace

void write_otlp_spans(const Profile& profile, const WriteOptions&, Sink& sink) { OtlpWriter{profile, sink}.write(); }

}  // namespace gauge
