#include "formats/gpf/parts.h"

namespace gauge::gpf {

PartKey part_key(const Metadata& metadata) {
  return {.run_id = metadata.run_id,
          .boot_id = metadata.boot_id,
          .host = metadata.host,
          .pid = metadata.pid,
          .first_start_monotonic_ns = metadata.first_start_monotonic_ns,
          .first_start_unix_ns = metadata.first_start_unix_ns};
}

}  // namespace gauge::gpf
