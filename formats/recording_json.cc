#include "formats/recording_json.h"

#include <cstdint>
#include <string>

namespace gauge {

void write_process(const Process& process, JsonWriter& json) {
  json.begin_object();
  json.member("pid", process.pid);
  json.member("ppid", process.ppid);
  json.member("host", process.host);
  json.key("command");
  json.begin_array();
  for (const std::string& argument : process.command) json.value(argument);
  json.end_array();
  json.member("python_version", process.python_version);
  json.member("run_id", process.run_id);
  json.member("interval_ns", std::int64_t{process.interval.count()});
  json.member("start_unix_ns", std::int64_t{process.start_unix_time.count()});
  json.member("truncated", process.is_truncated);
  json.end_object();
}

void write_health(const ProfileHealth& health, JsonWriter& json) {
  json.begin_object();
  json.member("ticks", health.ticks);
  json.member("missed_ticks", health.missed_ticks);
  json.member("partial_stacks", health.partial_stacks);
  json.member("truncated_stacks", health.truncated_stacks);
  json.member("failed_reads", health.failed_reads);
  json.member("dropped_samples", health.dropped_samples);
  json.member("unresolved_samples", health.unresolved_samples);
  json.member("damaged_blocks", health.damaged_blocks);
  json.end_object();
}

}  // namespace gauge
