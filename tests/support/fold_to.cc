// gauge-fold-to FORMAT [function|line] < FOLDED > OUTPUT
//
// Writes a profile given as folded text (tests/support/profile_of.h) in any format of the table: what the tests of the
// real consumers feed them with, so that they need no recording.

#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>

#include "formats/format.h"
#include "tests/support/profile_of.h"

namespace {

int run(const std::string& name, const std::string& frames) {
  const gauge::Format* const format = gauge::find_format(name);
  if (format == nullptr) {
    std::cerr << "gauge-fold-to: unknown format '" << name << "'\n";
    return 1;
  }
  const std::string folded{std::istreambuf_iterator<char>(std::cin), {}};
  gauge::WriteOptions options;
  if (frames == "line") options.frames = gauge::WriteOptions::Frames::line;
  gauge::DescriptorSink sink(fileno(stdout), "standard output");
  format->write(gauge::profile_of(folded), options, sink);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: gauge-fold-to FORMAT [function|line] < FOLDED > OUTPUT\n";
    return 1;
  }
  try {
    return run(argv[1], argc > 2 ? argv[2] : "function");
  } catch (const std::exception& error) {
    std::cerr << "gauge-fold-to: " << error.what() << '\n';
    return 1;
  }
}
