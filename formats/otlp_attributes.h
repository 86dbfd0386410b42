// What OpenTelemetry is told of a recording, whatever the encoding: the attributes of its resources and of our scope.
//
// `Attributes` has add(key, value) for text, numbers, truths, times and lists of texts.
#pragma once

#include <string>
#include <string_view>

#include "formats/profile/profile.h"
#include "formats/spans/service_name.h"

namespace gauge {

/// Leaves out what says nothing: unknown text and numbers, losses that were none.
template <typename Attributes, typename T>
void add_unless_empty(Attributes& to, std::string_view key, const T& content) {
  if (content != T{}) to.add(key, content);
}

/// Of a process, as OpenTelemetry's semantic conventions name them.
template <typename Attributes>
void add_resource_attributes(const Process& process, Attributes& to) {
  to.add("service.name", service_name(process));
  to.add("service.instance.id", process.run_id + "-" + std::to_string(process.pid));
  add_unless_empty(to, "host.name", process.host);
  to.add("process.pid", process.pid);
  to.add("process.parent_pid", process.ppid);
  add_unless_empty(to, "process.executable.path", process.executable);
  to.add("process.command_args", process.command);
  add_unless_empty(to, "process.working_directory", process.working_directory);
  to.add("process.runtime.name", "cpython");
  add_unless_empty(to, "process.runtime.version", process.python_version);
  to.add("telemetry.sdk.name", "gauge");
  to.add("telemetry.sdk.language", "python");
  add_unless_empty(to, "telemetry.sdk.version", process.gauge_version);
  to.add("gauge.interval_ns", process.interval);
  add_unless_empty(to, "gauge.recording_truncated", process.is_truncated);
}

/// Of what the recordings, all together, have missed.
template <typename Attributes>
void add_scope_attributes(const ProfileHealth& health, Attributes& to) {
  add_unless_empty(to, "gauge.missed_ticks", health.missed_ticks);
  add_unless_empty(to, "gauge.partial_stacks", health.partial_stacks);
  add_unless_empty(to, "gauge.truncated_stacks", health.truncated_stacks);
  add_unless_empty(to, "gauge.failed_reads", health.failed_reads);
  add_unless_empty(to, "gauge.dropped_samples", health.dropped_samples);
  add_unless_empty(to, "gauge.unresolved_samples", health.unresolved_samples);
  add_unless_empty(to, "gauge.damaged_blocks", health.damaged_blocks);
}

}  // namespace gauge
