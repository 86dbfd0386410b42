// What `gauge doctor` finds out, and the two ways in which it tells.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/machine_facts.h"
#include "cli/machine_problems.h"
#include "cli/trial.h"

namespace gauge::cli {

struct Diagnosis {
  std::vector<Interpreter> interpreters;
  bool are_named = false;  // by the user: then each of them matters
  MachineFacts machine;
  std::vector<Problem> problems;

  /// Every named interpreter can be recorded; or, where none was named, at least one.
  [[nodiscard]] bool is_good() const noexcept;
};

struct DoctorStyle {
  bool colour = false;
  std::optional<std::size_t> width;  // of the terminal; none = a pipe: nothing is wrapped
  std::string home;                  // shown as "~"; "" = nothing is
};

/// Lines without newline, for people.
[[nodiscard]] std::vector<std::string> doctor_table(const Diagnosis& diagnosis, const DoctorStyle& style);

/// Writes one object to standard output. Layout and version: docs/doctor-json.md.
void print_doctor_json(const Diagnosis& diagnosis);

}  // namespace gauge::cli
