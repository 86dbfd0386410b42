// gauge-outline: what the outlines of source files answer, to be compared with what compilers say.
//
// Reads lines FILE <tab> NAME <tab> FIRST_LINE, those of one file in a row, and prints the qualified name for each; an
// empty line where there is no answer. The name must not hold a line end.
#include <fmt/core.h>

#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

#include "formats/profile/source_names.h"
#include "formats/profile/source_outline.h"

namespace gauge {
namespace {

SourceOutline outline_of(const std::string& path) {
  const auto source = read_source(path);
  if (!source) throw std::runtime_error(path + ": cannot be read");
  return SourceOutline{*source};
}

void answer(std::istream& questions) {
  std::string path;
  std::string last_path;
  std::string name;
  std::string line;
  std::optional<SourceOutline> outline;
  while (std::getline(questions, path, '\t') && std::getline(questions, name, '\t') && std::getline(questions, line)) {
    if (!outline || path != last_path) outline = outline_of(path);
    last_path = path;
    fmt::print("{}\n", outline->qualified_name(name, static_cast<std::uint32_t>(std::stoul(line))).value_or(""));
  }
}

}  // namespace
}  // namespace gauge

int main() {
  try {
    gauge::answer(std::cin);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gauge-outline: {}\n", error.what());
    return 1;
  }
}
