#include "tests/formats/format_totals.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <map>
#include <sstream>
#include <stdexcept>

#include "formats/profile/profile.h"
#include "opentelemetry/proto/profiles/v1development/profiles.pb.h"
#include "profile.pb.h"
#include "tests/formats/marshal_reader.h"
#include "tests/formats/recording_of_page.h"
#include "trace.pb.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

/// Σ self cost: the cost lines that do not belong to a call.
FormatTotals callgrind_totals(std::string_view bytes) {
  std::uint64_t samples = 0;
  std::int64_t wall = 0;
  std::int64_t cpu = 0;
  std::int64_t gil = 0;
  bool is_call = false;
  std::istringstream lines{std::string{bytes}};
  for (std::string line; std::getline(lines, line);) {
    const bool is_cost = !line.empty() && line[0] >= '0' && line[0] <= '9';
    if (is_cost && !is_call) {
      std::uint64_t position = 0;
      std::uint64_t line_samples = 0;
      std::int64_t line_wall = 0;
      std::int64_t line_cpu = 0;
      std::int64_t line_gil = 0;
      std::istringstream(line) >> position >> line_samples >> line_wall >> line_cpu >> line_gil;
      samples += line_samples;
      wall += line_wall;
      cpu += line_cpu;
      gil += line_gil;
    }
    is_call = line.starts_with("calls=");
  }
  return {.samples = samples, .wall = nanoseconds{wall}, .cpu = nanoseconds{cpu}, .gil = nanoseconds{gil}};
}

/// A time in microseconds with three decimals, which as a double may be off.
nanoseconds nanoseconds_of(double microseconds) { return nanoseconds{std::llround(microseconds * 1000)}; }

/// Σ of the outermost slices, which are all of a thread's time but the gaps.
FormatTotals chrome_totals(std::string_view bytes) {
  Weights sums;
  std::map<std::int64_t, int> depths;  // by thread
  const auto file = nlohmann::json::parse(bytes);
  for (const auto& event : file["traceEvents"]) {
    if (event["ph"] != "B" && event["ph"] != "E") continue;
    const nanoseconds time = nanoseconds_of(event["ts"].get<double>());
    int& depth = depths[event["tid"].get<std::int64_t>()];
    if (event["ph"] == "B") {
      if (depth++ == 0) sums.wall -= time;
    } else if (--depth == 0) {
      const auto& args = event["args"];
      sums += {.samples = args["samples"].get<std::uint64_t>(),
               .wall = time,
               .cpu = nanoseconds{args["cpu_ns"].get<std::int64_t>()},
               .gil = nanoseconds{args["gil_ns"].get<std::int64_t>()}};
    }
  }
  return {.samples = sums.samples, .wall = sums.wall, .cpu = sums.cpu, .gil = sums.gil};
}

/// Σ numbers at the ends of lines: samples, unless another weight is asked for.
FormatTotals collapsed_totals(std::string_view bytes) {
  std::uint64_t samples = 0;
  std::istringstream lines{std::string{bytes}};
  for (std::string line; std::getline(lines, line);) samples += std::stoull(line.substr(line.rfind(' ')));
  return {.samples = samples};
}

/// Σ weights in milliseconds with six decimals; the CPU time is a column of its own.
FormatTotals firefox_totals(std::string_view bytes) {
  const auto to_nanoseconds = [](double ms) { return nanoseconds{std::llround(ms * 1e6)}; };
  nanoseconds wall{};
  nanoseconds cpu{};
  const auto file = nlohmann::json::parse(bytes);
  for (const auto& thread : file["threads"]) {
    for (const auto& weight : thread["samples"]["weight"]) wall += to_nanoseconds(weight.get<double>());
    for (const auto& delta : thread["samples"]["threadCPUDelta"]) cpu += nanoseconds{delta.get<std::int64_t>()};
  }
  return {.samples = {}, .wall = wall, .cpu = cpu};
}

std::int64_t sum_of(const nlohmann::json& numbers) {
  std::int64_t sum = 0;
  for (const auto& number : numbers) sum += number.get<std::int64_t>();
  return sum;
}

/// Σ weights of all threads' stacks.
FormatTotals html_totals(std::string_view bytes) {
  std::map<std::string, std::int64_t> sums;
  const auto file = recording_of_page(bytes);
  for (const auto& thread : file["threads"]) {
    for (const char* const weight : {"samples", "wall", "cpu", "gil"}) sums[weight] += sum_of(thread[weight]);
  }
  return {.samples = static_cast<std::uint64_t>(sums["samples"]),
          .wall = nanoseconds{sums["wall"]},
          .cpu = nanoseconds{sums["cpu"]},
          .gil = nanoseconds{sums["gil"]}};
}

/// Σ lines that are samples.
FormatTotals jsonl_totals(std::string_view bytes) {
  FormatTotals totals{.samples = 0, .wall = nanoseconds{}, .cpu = nanoseconds{}, .gil = nanoseconds{}};
  std::istringstream lines{std::string{bytes}};
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    if (object["type"] != "sample") continue;
    ++*totals.samples;
    *totals.wall += nanoseconds{object["wall_ns"].get<std::int64_t>()};
    *totals.cpu += nanoseconds{object["cpu_ns"].get<std::int64_t>()};
    *totals.gil += nanoseconds{object["gil_ns"].get<std::int64_t>()};
  }
  return totals;
}

/// Σ values of all processes' profiles, by the names of their types.
FormatTotals otlp_profiles_totals(std::string_view bytes) {
  opentelemetry::proto::profiles::v1development::ProfilesData file;
  if (!file.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) throw std::runtime_error("no ProfilesData");
  std::map<std::string, std::int64_t> sums;
  for (const auto& resource : file.resource_profiles()) {
    for (const auto& profile : resource.scope_profiles(0).profiles()) {
      std::int64_t& sum = sums[file.dictionary().string_table(profile.sample_type().type_strindex())];
      for (const auto& sample : profile.samples()) sum += sample.values(0);
    }
  }
  return {.samples = static_cast<std::uint64_t>(sums["samples"]),
          .wall = nanoseconds{sums["wall"]},
          .cpu = nanoseconds{sums["cpu"]},
          .gil = nanoseconds{sums["gil"]}};
}

/// Σ of the outermost slices of threads, which are all of a thread's time but the gaps.
FormatTotals perfetto_totals(std::string_view bytes) {
  perfetto::protos::Trace file;
  if (!file.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) throw std::runtime_error("no Trace");
  std::map<std::uint64_t, std::string> names;  // of annotations
  std::map<std::uint64_t, int> depths;         // by track of a thread
  std::map<std::string, std::int64_t> sums;
  for (const auto& packet : file.packet()) {
    for (const auto& entry : packet.interned_data().debug_annotation_names()) names[entry.iid()] = entry.name();
    if (packet.track_descriptor().has_thread()) depths[packet.track_descriptor().uuid()] = 0;
    const auto& event = packet.track_event();
    const auto depth = depths.find(event.track_uuid());
    if (!packet.has_track_event() || depth == depths.end()) continue;
    const auto time = static_cast<std::int64_t>(packet.timestamp());
    if (event.type() == perfetto::protos::TrackEvent::TYPE_SLICE_BEGIN) {
      if (depth->second++ == 0) sums["wall"] -= time;
    } else if (--depth->second == 0) {
      sums["wall"] += time;
      for (const auto& each : event.debug_annotations()) {
        sums[names.at(each.name_iid())] += static_cast<std::int64_t>(each.uint_value());
      }
    }
  }
  return {.samples = static_cast<std::uint64_t>(sums["samples"]),
          .wall = nanoseconds{sums["wall"]},
          .cpu = nanoseconds{sums["cpu_ns"]},
          .gil = nanoseconds{sums["gil_ns"]}};
}

/// Σ values, by the names of their types.
FormatTotals pprof_totals(std::string_view bytes) {
  perftools::profiles::Profile file;
  if (!file.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) throw std::runtime_error("no pprof message");
  std::map<std::string, std::int64_t> sums;
  for (const auto& sample : file.sample()) {
    for (int i = 0; i < sample.value_size(); ++i) {
      sums[file.string_table(static_cast<int>(file.sample_type(i).type()))] += sample.value(i);
    }
  }
  return {.samples = static_cast<std::uint64_t>(sums["samples"]),
          .wall = nanoseconds{sums["wall"]},
          .cpu = nanoseconds{sums["cpu"]},
          .gil = nanoseconds{sums["gil"]}};
}

/// Σ tottime, by far the most of which is exact: a double holds 2^53 ns, 104 days.
FormatTotals pstats_totals(std::string_view bytes) {
  const MarshalValue rows = read_marshal(bytes);
  double wall = 0;
  for (const auto& [key, row] : rows.entries) wall += row.elements.at(2).real;
  return {.wall = nanoseconds{std::llround(wall * 1e9)}, .rounding = nanoseconds{1}};
}

/// Σ weights of all profiles; a sample without frames is a gap.
FormatTotals speedscope_totals(std::string_view bytes) {
  const auto file = nlohmann::json::parse(bytes);
  std::int64_t wall = 0;
  for (const auto& profile : file["profiles"]) {
    for (std::size_t i = 0; i < profile["samples"].size(); ++i) {
      if (!profile["samples"][i].empty()) wall += profile["weights"][i].get<std::int64_t>();
    }
  }
  return {.wall = nanoseconds{wall}};
}

const std::map<std::string, TotalsReader>& readers() {
  static const std::map<std::string, TotalsReader> all = {
      {"callgrind", callgrind_totals},
      {"chrome", chrome_totals},
      {"collapsed", collapsed_totals},
      {"firefox", firefox_totals},
      {"html", html_totals},
      {"jsonl", jsonl_totals},
      {"otlp-profiles", otlp_profiles_totals},
      {"otlp-spans", {}},  // what is seen once makes no span
      {"perfetto", perfetto_totals},
      {"pprof", pprof_totals},
      {"pstats", pstats_totals},
      {"speedscope", speedscope_totals},
  };
  return all;
}

}  // namespace

TotalsReader totals_reader(const std::string& format_name) {
  const auto found = readers().find(format_name);
  if (found == readers().end()) {
    throw std::out_of_range("no reader of the totals of '" + format_name + "' in tests/formats/format_totals.cc");
  }
  return found->second;
}

}  // namespace gauge
