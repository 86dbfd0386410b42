// Writes pprof's profile.proto (schemas/pprof/profile.proto), the format of `go tool pprof`.
//
// Samples are added up by stack and thread: a sample of its own for each moment would make pprof slow and show no
// more, for it has no time axis. The bytes here are not compressed; the file is, by its row in the table of formats.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <protozero/pbf_builder.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/buffered_output.h"
#include "formats/descriptions.h"
#include "formats/profile/clocks.h"
#include "formats/profile/text.h"
#include "formats/profile/unique_names.h"
#include "formats/string_table.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using protozero::pbf_builder;
using std::chrono::nanoseconds;

constexpr std::uint64_t kMapping = 1;

// Field numbers of schemas/pprof/profile.proto. The tests decode what is written by them with the official code.
namespace field {
enum class Profile : protozero::pbf_tag_type {
  sample_type = 1,
  sample = 2,
  mapping = 3,
  location = 4,
  function = 5,
  string_table = 6,
  time_nanos = 9,
  duration_nanos = 10,
  period_type = 11,
  period = 12,
  comment = 13,
  default_sample_type = 14,
};
enum class ValueType : protozero::pbf_tag_type { type = 1, unit = 2 };
enum class Sample : protozero::pbf_tag_type { location_id = 1, value = 2, label = 3 };
enum class Label : protozero::pbf_tag_type { key = 1, str = 2 };
enum class Mapping : protozero::pbf_tag_type {
  id = 1,
  filename = 5,
  has_functions = 7,
  has_filenames = 8,
  has_line_numbers = 9,
  has_inline_frames = 10,
};
enum class Location : protozero::pbf_tag_type { id = 1, mapping_id = 2, line = 4 };
enum class Line : protozero::pbf_tag_type { function_id = 1, line = 2, column = 3 };
enum class Function : protozero::pbf_tag_type { id = 1, name = 2, system_name = 3, filename = 4, start_line = 5 };
}  // namespace field

class PprofWriter {
 public:
  PprofWriter(const Profile& profile, Weight shown_first, Sink& sink)
      : profile_(profile), shown_first_(shown_first), out_(sink), location_of_(profile.frames().size() + 1) {}

  void write() {
    for (const auto& [weight, name] : kWeights) write_type(field::Profile::sample_type, weight, name);
    const std::vector<std::string> labels = labels_of_threads();
    for (const ThreadStack& entry : profile_.thread_stacks()) write_sample(entry, labels[index_of(entry.thread)]);
    write_mapping();
    for (const FrameId frame : frames_) write_location(frame);
    write_functions();
    write_recording();
    for (const std::string_view text : strings_.texts())
      message_.add_string(field::Profile::string_table, text.data(), text.size());
    flush();
    out_.finish();
  }

 private:
  void flush() {
    out_.append(bytes_);
    bytes_.clear();
  }

  void write_type(field::Profile where, Weight weight, std::string_view name) {
    pbf_builder<field::ValueType> type{message_, where};
    type.add_int64(field::ValueType::type, strings_.intern(name));
    type.add_int64(field::ValueType::unit, strings_.intern(weight == Weight::samples ? "count" : "nanoseconds"));
  }

  /// By thread: the labels of all its samples, encoded. Texts, for pprof drops a number of zero, and adds others up
  /// where it should tell them apart.
  [[nodiscard]] std::vector<std::string> labels_of_threads() {
    const std::vector<std::string> names = thread_labels(profile_);
    std::vector<std::string> encoded(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Thread& thread = profile_.threads()[i];
      pbf_builder<field::Sample> sample{encoded[i]};
      write_label(sample, "thread", names[i]);
      if (thread.native_id != 0) write_label(sample, "thread_id", fmt::to_string(thread.native_id));
      write_label(sample, "pid", fmt::to_string(profile_.process(thread.process).pid));
    }
    return encoded;
  }

  void write_label(pbf_builder<field::Sample>& sample, std::string_view key, std::string_view text) {
    pbf_builder<field::Label> label{sample, field::Sample::label};
    label.add_int64(field::Label::key, strings_.intern(key));
    label.add_int64(field::Label::str, strings_.intern(text));
  }

  void write_sample(const ThreadStack& entry, const std::string& labels) {
    path_.clear();
    for (StackId stack = entry.stack; stack != kEmptyStack; stack = profile_.stack(stack).parent) {
      path_.push_back(location_of(profile_.stack(stack).frame));
    }
    if (path_.empty()) path_.push_back(location_of(without_frames()));
    std::array<std::int64_t, kWeights.size()> values{};
    std::ranges::transform(kWeights, values.begin(),
                           [&](const auto& each) { return amount_of(entry.weights, each.first); });
    sample_.clear();
    pbf_builder<field::Sample> sample{sample_};
    sample.add_packed_uint64(field::Sample::location_id, path_.begin(), path_.end());
    sample.add_packed_int64(field::Sample::value, values.begin(), values.end());
    sample_ += labels;
    message_.add_message(field::Profile::sample, sample_);
    flush();
  }

  /// Stands for a frame where a sample has none; so does the function after the last one of the profile.
  [[nodiscard]] FrameId without_frames() const { return FrameId{static_cast<std::uint32_t>(profile_.frames().size())}; }

  // Ids count up from 1 in order of first use: pprof looks them up in an array only if they are dense.
  std::uint64_t location_of(FrameId frame) {
    std::uint64_t& id = location_of_[index_of(frame)];
    if (id == 0) {
      frames_.push_back(frame);
      id = frames_.size();
    }
    return id;
  }

  // Without one, pprof complains that the main binary has no name, and looks for symbols.
  void write_mapping() {
    pbf_builder<field::Mapping> mapping{message_, field::Profile::mapping};
    const bool is_known = !profile_.processes().empty() && !profile_.processes().front().executable.empty();
    mapping.add_uint64(field::Mapping::id, kMapping);
    mapping.add_int64(field::Mapping::filename,
                      strings_.intern(is_known ? one_line(profile_.processes().front().executable) : "python"));
    mapping.add_bool(field::Mapping::has_functions, true);
    mapping.add_bool(field::Mapping::has_filenames, true);
    mapping.add_bool(field::Mapping::has_line_numbers, true);
    mapping.add_bool(field::Mapping::has_inline_frames, true);
  }

  void write_location(FrameId id);
  void write_functions();
  void write_function(std::uint64_t id, std::string_view name, std::string_view file, std::uint32_t first_line);
  void write_recording();

  const Profile& profile_;
  Weight shown_first_;
  BufferedOutput out_;
  std::string bytes_;
  pbf_builder<field::Profile> message_{bytes_};
  StringTable strings_;
  std::vector<std::uint64_t> location_of_;  // by FrameId; 0 = not used yet
  std::vector<FrameId> frames_;             // in the order of their locations
  // Scratch of write_sample():
  std::vector<std::uint64_t> path_;  // locations, innermost first
  std::string sample_;
};

void PprofWriter::write_location(FrameId id) {
  const bool has_frame = id != without_frames();
  const std::size_t function = has_frame ? index_of(profile_.frame(id).function) : profile_.functions().size();
  {
    pbf_builder<field::Location> location{message_, field::Profile::location};
    location.add_uint64(field::Location::id, location_of(id));
    location.add_uint64(field::Location::mapping_id, kMapping);
    pbf_builder<field::Line> line{location, field::Location::line};
    line.add_uint64(field::Line::function_id, function + 1);
    if (has_frame) {
      const Frame& frame = profile_.frame(id);
      line.add_int64(field::Line::line, frame.line);
      if (frame.column != 0) line.add_int64(field::Line::column, frame.column);
    }
  }
  flush();
}

void PprofWriter::write_functions() {
  std::vector<bool> is_used(profile_.functions().size());
  for (const FrameId frame : frames_) {
    if (frame != without_frames()) is_used[index_of(profile_.frame(frame).function)] = true;
  }
  for (std::size_t i = 0; i < is_used.size(); ++i) {
    const Function& function = profile_.functions()[i];
    if (is_used[i]) write_function(i + 1, function.unique_name, one_line(function.file), function.first_line);
  }
  if (location_of_.back() != 0) write_function(is_used.size() + 1, kNoFrames, "", 0);
}

void PprofWriter::write_function(std::uint64_t id, std::string_view name, std::string_view file,
                                 std::uint32_t first_line) {
  {
    pbf_builder<field::Function> function{message_, field::Profile::function};
    function.add_uint64(field::Function::id, id);
    function.add_int64(field::Function::name, strings_.intern(name));
    function.add_int64(field::Function::system_name, strings_.intern(name));
    function.add_int64(field::Function::filename, strings_.intern(file));
    function.add_int64(field::Function::start_line, first_line);
  }
  flush();
}

/// From the start of the first recording to the last sample of any.
std::pair<nanoseconds, nanoseconds> start_and_end(const Profile& profile) {
  if (profile.processes().empty()) return {};
  const std::vector<nanoseconds> starts = common_start_times(profile.processes());
  const nanoseconds start = std::ranges::min(starts);
  nanoseconds end = start;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const Process& process = profile.processes()[i];
    if (process.last_sample_time <= process.start_time) continue;
    end = std::max(end, starts[i] + (process.last_sample_time - process.start_time));
  }
  return {start, end};
}

void PprofWriter::write_recording() {
  const auto [start, end] = start_and_end(profile_);
  message_.add_int64(field::Profile::time_nanos, start.count());
  message_.add_int64(field::Profile::duration_nanos, (end - start).count());
  write_type(field::Profile::period_type, Weight::wall, "wall");
  for (const Process& process : profile_.processes()) {
    if (&process == profile_.processes().data()) message_.add_int64(field::Profile::period, process.interval.count());
    message_.add_int64(field::Profile::comment, strings_.intern("Process: " + process_description(process)));
    message_.add_int64(field::Profile::comment, strings_.intern("Command: " + command_line(process)));
  }
  message_.add_int64(field::Profile::comment, strings_.intern("Losses: " + losses_description(profile_.health())));
  for (const auto& [weight, name] : kWeights) {
    if (weight == shown_first_) message_.add_int64(field::Profile::default_sample_type, strings_.intern(name));
  }
}

}  // namespace

void write_pprof(const Profile& profile, const WriteOptions& options, Sink& sink) {
  PprofWriter(profile, options.weight.value_or(Weight::wall), sink).write();
}

}  // namespace gauge
