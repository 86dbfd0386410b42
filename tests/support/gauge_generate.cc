// gauge-generate: a recording of any size, for tests and benchmarks. The same options give the same file.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "formats/base/sink.h"
#include "tests/support/generator.h"

int main(int argc, char** argv) {
  gauge::GeneratorOptions options;
  std::string path;
  std::int64_t interval_ns = options.interval.count();
  CLI::App app{"Writes a recording that looks like that of a real program"};
  app.add_option("--samples", options.samples, "Samples in all")->capture_default_str();
  app.add_option("--threads", options.threads, "Threads")->capture_default_str();
  app.add_option("--depth", options.depth, "Frames of a stack, about")->capture_default_str();
  app.add_option("--functions", options.functions, "Functions of the program")->capture_default_str();
  app.add_option("--tasks", options.tasks, "Tasks of asyncio, in the first thread")->capture_default_str();
  app.add_option("--seed", options.seed, "Another seed, another program and process")->capture_default_str();
  app.add_option("--period", options.period_ticks, "Ticks after which the program does the same again; 0 = never")
      ->capture_default_str();
  app.add_option("--part", options.part, "Number of the part of a rotated recording; 0 = not rotated")
      ->capture_default_str();
  app.add_option("--interval-ns", interval_ns, "Time between two ticks")->capture_default_str();
  app.add_option("-o,--output", path, "Written anew")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    options.interval = std::chrono::nanoseconds{interval_ns};
    gauge::FileSink sink{path, true};
    gauge::generate_recording(options, sink);
    sink.commit();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gauge-generate: {}\n", error.what());
    return 1;
  }
}
