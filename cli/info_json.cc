#include "cli/info_json.h"

#include <fmt/format.h>
#include <unistd.h>

#include "formats/base/json_writer.h"
#include "formats/base/sink.h"
#include "formats/profile/text.h"

namespace gauge::cli {
namespace {

void text(JsonWriter& json, std::string_view key, std::string_view bytes) { json.member(key, valid_utf8(bytes)); }

void optional_time(JsonWriter& json, std::string_view key, const std::optional<std::int64_t>& time) {
  json.key(key);
  if (time)
    json.value(*time);
  else
    json.null();
}

void write_process(JsonWriter& json, const gpf::Metadata& metadata) {
  json.member("run_id", run_id_text(metadata));
  json.member("pid", metadata.pid);
  json.member("ppid", metadata.ppid);
  text(json, "host", metadata.host);
  text(json, "boot_id", metadata.boot_id);
  json.key("command");
  json.begin_array();
  for (const std::string& word : metadata.command) json.value(valid_utf8(word));
  json.end_array();
  text(json, "cwd", metadata.working_directory);
  json.key("python");
  json.begin_object();
  text(json, "version", metadata.python_version);
  text(json, "implementation", metadata.implementation);
  json.member("free_threaded", metadata.free_threaded);
  text(json, "executable", metadata.executable);
  json.end_object();
  text(json, "gauge_version", metadata.gauge_version);
  text(json, "reader", metadata.reader);
}

void write_times(JsonWriter& json, const RecordingSummary& summary) {
  const gpf::Metadata& metadata = summary.metadata;
  json.member("interval_ns", metadata.interval_ns);
  json.member("rate_asked", metadata.interval_ns == 0 ? 0.0 : 1e9 / static_cast<double>(metadata.interval_ns));
  json.member("rate_achieved", summary.rate_achieved());
  json.member("max_overhead", summary.max_overhead());
  json.member("start_unix_ns", metadata.start_unix_ns);
  json.member("part", metadata.part);
  json.member("first_start_unix_ns", metadata.part != 0 ? metadata.first_start_unix_ns : metadata.start_unix_ns);
  json.member("duration_ns", std::int64_t{summary.duration.count()});
  optional_time(json, "first_sample_monotonic_ns", summary.first_sample);
  optional_time(json, "last_sample_monotonic_ns", summary.last_sample);
}

void write_threads(JsonWriter& json, const RecordingSummary& summary) {
  json.key("threads");
  json.begin_array();
  for (const ThreadSummary& thread : summary.threads) {
    json.begin_object();
    json.member("id", thread.id);
    json.member("native_id", thread.native_id);
    text(json, "name", thread.name);
    json.member("samples", thread.samples);
    json.member("cpu_ns", std::int64_t{thread.cpu.count()});
    json.end_object();
  }
  json.end_array();
}

void write_health(JsonWriter& json, const RecordingSummary& summary) {
  const gpf::Losses& losses = summary.losses;
  json.member("missed_ticks", losses.missed_ticks);
  json.member("partial_stacks", losses.partial_stacks);
  json.member("truncated_stacks", losses.truncated_stacks);
  json.member("failed_reads", losses.failed_reads);
  json.member("dropped_samples", losses.dropped_samples);
  json.member("sampler_cpu_ns", losses.sampler_cpu_ns);
  json.member("writer_cpu_ns", losses.writer_cpu_ns);
  json.member("bytes", summary.report.file_bytes);
  json.member("truncated", summary.report.truncated);
  json.member("damaged_blocks", std::uint64_t{summary.report.damage.size()});
  json.key("end_reason");
  if (summary.end_reason)
    json.value(valid_utf8(*summary.end_reason));
  else
    json.null();
}

void write_summary(JsonWriter& json, const RecordingSummary& summary, std::size_t processes) {
  text(json, "path", summary.path);
  write_process(json, summary.metadata);
  write_times(json, summary);
  json.member("samples", summary.report.samples);
  write_threads(json, summary);
  json.member("tasks", summary.tasks);
  json.member("task_samples", summary.task_samples);
  json.member("processes", std::uint64_t{processes});
  write_health(json, summary);
}

/// What a file of several recordings has of each; one recording says all of itself in the object of its file.
void write_recordings(JsonWriter& json, std::span<const RecordingSummary> recordings) {
  json.key("recordings");
  json.begin_array();
  for (const RecordingSummary& recording : recordings) {
    if (recordings.size() == 1) break;
    json.begin_object();
    write_summary(json, recording, 1);
    json.end_object();
  }
  json.end_array();
}

void write_file(JsonWriter& json, const FileSummary& file) {
  json.begin_object();
  write_summary(json, combine(file), count_processes(file));
  write_recordings(json, file.recordings);
  json.end_object();
}

}  // namespace

std::string run_id_text(const gpf::Metadata& metadata) {
  std::string digits;
  for (const char byte : metadata.run_id) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return digits;
}

void print_info_json(std::span<const FileSummary> files) {
  DescriptorSink sink{STDOUT_FILENO, "standard output"};
  JsonWriter json{sink};
  json.begin_array();
  for (const FileSummary& file : files) write_file(json, file);
  json.end_array();
  json.finish();
  sink.write("\n");
}

}  // namespace gauge::cli
