// What of a machine stands in the way of recording: what is lost by it, and how to mend it.
#pragma once

#include <string>
#include <vector>

#include "cli/machine_facts.h"

namespace gauge::cli {

struct Problem {
  std::string subject;  // "memfd", "RLIMIT_FSIZE"
  std::string what;     // "is refused (Operation not permitted)"
  std::string effect;   // what is lost
  std::string remedy;
  bool is_harmless = false;  // nothing is lost as things are
};

/// In the order in which they matter. Empty where nothing is in the way.
[[nodiscard]] std::vector<Problem> problems_of(const MachineFacts& facts);

}  // namespace gauge::cli
