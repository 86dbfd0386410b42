// What a recording is and what it lost, as JSON objects: what formats carry in JSON beside their own members.
#pragma once

#include "formats/base/json_writer.h"
#include "formats/profile/profile.h"

namespace gauge {

/// One object: pid, command, interpreter, when it was recorded and how.
void write_process(const Process& process, JsonWriter& json);

/// One object: a count for each kind of loss.
void write_health(const ProfileHealth& health, JsonWriter& json);

}  // namespace gauge
