#include "cli/report_json.h"

#include <unistd.h>

#include <algorithm>

#include "formats/base/json_writer.h"
#include "formats/base/sink.h"
#include "formats/profile/text.h"

namespace gauge::cli {
namespace {

constexpr std::uint32_t kVersion = 1;  // of the layout: grows when a key changes its meaning or goes

std::string_view name_of(SortKey key) {
  switch (key) {
    case SortKey::total:
      return "total";
    case SortKey::cpu:
      return "cpu";
    case SortKey::self:
      break;
  }
  return "self";
}

void write_weights(JsonWriter& json, std::string_view key, const Weights& weights) {
  json.key(key);
  json.begin_object();
  json.member("samples", weights.samples);
  json.member("wall_ns", std::int64_t{weights.wall.count()});
  json.member("cpu_ns", std::int64_t{weights.cpu.count()});
  json.end_object();
}

void write_recordings(JsonWriter& json, const Profile& profile) {
  json.key("recordings");
  json.begin_array();
  for (const Process& process : profile.processes()) {
    json.begin_object();
    json.member("path", valid_utf8(process.path));
    json.member("run_id", process.run_id);
    json.member("pid", process.pid);
    json.key("command");
    json.begin_array();
    for (const std::string& word : process.command) json.value(valid_utf8(word));
    json.end_array();
    json.member("python_version", process.python_version);
    json.member("interval_ns", std::int64_t{process.interval.count()});
    json.member("truncated", process.is_truncated);
    json.end_object();
  }
  json.end_array();
}

void write_functions(JsonWriter& json, const Profile& profile, const HotFunctions& hot, std::size_t limit) {
  json.key("functions");
  json.begin_array();
  for (std::size_t index = 0; index < std::min(limit, hot.functions.size()); ++index) {
    const HotFunction& entry = hot.functions[index];
    const Function& function = profile.function(entry.function);
    json.begin_object();
    json.member("name", function.unique_name);
    json.member("module", function.module);
    json.member("qualified_name", function.qualified_name);
    json.member("file", function.file);
    json.member("first_line", function.first_line);
    write_weights(json, "self", entry.self);
    write_weights(json, "total", entry.total);
    json.end_object();
  }
  json.end_array();
}

void write_health(JsonWriter& json, const ProfileHealth& health) {
  json.key("health");
  json.begin_object();
  json.member("ticks", health.ticks);
  json.member("missed_ticks", health.missed_ticks);
  json.member("partial_stacks", health.partial_stacks);
  json.member("truncated_stacks", health.truncated_stacks);
  json.member("failed_reads", health.failed_reads);
  json.member("dropped_samples", health.dropped_samples);
  json.member("unresolved_samples", health.unresolved_samples);
  json.member("damaged_blocks", health.damaged_blocks);
  json.member("dropped_bytes", health.dropped_bytes);
  json.member("missing_parts", health.missing_parts);
  json.member("truncated", health.truncated);
  json.end_object();
}

}  // namespace

void print_report_json(const Profile& profile, const HotFunctions& hot, std::size_t limit) {
  DescriptorSink sink{STDOUT_FILENO, "standard output"};
  JsonWriter json{sink};
  json.begin_object();
  json.member("schema", "gauge-report");
  json.member("version", kVersion);
  json.member("gauge_version", GAUGE_VERSION);
  json.member("sorted_by", name_of(hot.key));
  write_recordings(json, profile);
  write_weights(json, "total", hot.total);
  json.member("function_count", std::uint64_t{hot.functions.size()});
  write_functions(json, profile, hot, limit);
  write_health(json, profile.health());
  json.end_object();
  json.finish();
  sink.write("\n");
}

}  // namespace gauge::cli
