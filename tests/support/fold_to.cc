// gauge-fold-to FORMAT [WORD...] < FOLDED > OUTPUT
//
// Writes a profile given as folded text (tests/support/profile_of.h) in any format of the table: what the tests of the
// real consumers feed them with, so that they need no recording. Words are options: line, threads, processes, full, and
// the weights.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "formats/format.h"
#include "tests/support/profile_of.h"

namespace {

/// @throws std::invalid_argument for a word that is no option
void apply(std::string_view word, gauge::WriteOptions& options) {
  const auto weight = std::ranges::find(gauge::kWeights, word, [](const auto& entry) { return entry.second; });
  if (weight != gauge::kWeights.end()) {
    options.weight = weight->first;
  } else if (word == "line") {
    options.frames = gauge::WriteOptions::Frames::line;
  } else if (word == "full") {
    options.paths = gauge::WriteOptions::Paths::full;
  } else if (word == "threads") {
    options.with_threads = true;
  } else if (word == "processes") {
    options.with_processes = true;
  } else {
    throw std::invalid_argument("unknown word '" + std::string{word} + "'");
  }
}

int run(const std::string& name, std::span<const char* const> words) {
  const gauge::Format* const format = gauge::find_format(name);
  if (format == nullptr) {
    std::cerr << "gauge-fold-to: unknown format '" << name << "'\n";
    return 1;
  }
  gauge::WriteOptions options;
  for (const char* const word : words) apply(word, options);
  const std::string folded{std::istreambuf_iterator<char>(std::cin), {}};
  gauge::DescriptorSink sink(fileno(stdout), "standard output");
  gauge::write_file(*format, gauge::profile_of(folded), options, sink);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: gauge-fold-to FORMAT [WORD...] < FOLDED > OUTPUT\n";
    return 1;
  }
  try {
    return run(argv[1], std::span<const char* const>(argv + 2, static_cast<std::size_t>(argc - 2)));
  } catch (const std::exception& error) {
    std::cerr << "gauge-fold-to: " << error.what() << '\n';
    return 1;
  }
}
