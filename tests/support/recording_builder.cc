#include "tests/support/recording_builder.h"

#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "formats/base/sink.h"
#include "formats/gpf/writer.h"

namespace gauge {
namespace {

constexpr std::uint64_t kPid = 42;

std::uint32_t number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) {
    throw std::invalid_argument("not a number of a line or column: " + std::string{text});
  }
  return number;
}

/// Takes what stands before `separator` off the front of `text`, and the separator; all of it if there is none.
std::string_view take_until(std::string_view& text, std::string_view separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + separator.size());
  return taken;
}

struct FrameText {
  gpf::FunctionText function;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

FrameText parse_frame(std::string_view text) {
  std::string_view name = take_until(text, "@");
  FrameText frame;
  if (name.find("::") != std::string_view::npos) frame.function.module = take_until(name, "::");
  frame.function.qualified_name = name;
  frame.function.name = name.substr(name.rfind('.') + 1);  // npos + 1 is 0
  const std::string_view file = take_until(text, ":");
  frame.function.file = file.empty() ? "prog.py" : file;
  const std::string_view first_line = take_until(text, ":");
  frame.function.first_line = first_line.empty() ? 1 : number_of(first_line);
  const std::string_view line = take_until(text, ":");
  frame.line = line.empty() ? frame.function.first_line : number_of(line);
  if (!text.empty()) frame.column = number_of(text);
  return frame;
}

}  // namespace

gpf::Metadata test_metadata() {
  gpf::Metadata metadata;
  metadata.gauge_version = "0.1.0";
  metadata.run_id = "0123456789abcdef";
  metadata.boot_id = "5e1f3a52-3f6c-4b0e-9d8a-0c1b2d3e4f50";
  metadata.host = "testhost";
  metadata.pid = kPid;
  metadata.ppid = 1;
  metadata.command = {"python3", "prog.py", "--size=3"};
  metadata.working_directory = "/srv/app";
  metadata.executable = "/usr/bin/python3.12";
  metadata.implementation = "cpython";
  metadata.python_version = "3.12.1";
  metadata.python_build = "3.12.1 (main) [GCC 12.2.0]";
  metadata.import_roots = {"/srv/app", "/usr/lib/python3.12"};
  metadata.interval_ns = 10'000'000;
  metadata.reader = "memfd";
  metadata.start_monotonic_ns = 1'000'000'000;
  metadata.start_unix_ns = 1'700'000'000'000'000'000;
  return metadata;
}

class RecordingBuilder::Impl {
 public:
  explicit Impl(const gpf::Metadata& metadata)
      : writer_(sink_, metadata),
        now_(std::chrono::nanoseconds{metadata.start_monotonic_ns}),
        has_qualified_names_(!metadata.python_version.starts_with("3.9.") &&
                             !metadata.python_version.starts_with("3.10.")) {}

  void thread(std::uint32_t id, std::string_view name) {
    writer_.define_thread({.id = id, .native_id = kPid + id - 1, .python_id = 0x7f0000000000U + id, .name = name});
    defined_.insert(id);
  }

  void sample(const TestSample& sample) {
    if (!defined_.contains(sample.thread)) {
      thread(sample.thread, sample.thread == 1 ? "MainThread" : "Thread-" + std::to_string(sample.thread));
    }
    const bool is_first = sampled_.insert(sample.thread).second;
    now_ += sample.after;
    writer_.append({.time = now_,
                    .thread = sample.thread,
                    .stack = stack(sample.stack),
                    .status = sample.status | (is_first ? std::uint32_t{gpf::kAfterGap} : 0U),
                    .cpu = sample.cpu,
                    .same_frames = sample.same_frames,
                    .task = task(sample.task),
                    .outer_frames = sample.outer_frames,
                    .task_same_frames = sample.task_same_frames});
  }

  gpf::Writer& writer() { return writer_; }
  [[nodiscard]] std::chrono::nanoseconds now() const { return now_; }
  [[nodiscard]] const std::string& bytes() const { return sink_.text(); }

 private:
  std::uint32_t task(std::string_view name) {
    if (name.empty()) return 0;
    const auto [known, is_new] = tasks_.try_emplace(std::string{name}, tasks_.size() + 1);
    constexpr std::string_view kAutomatic = "Task-";
    const bool is_automatic = name.starts_with(kAutomatic);
    if (is_new && is_automatic) writer_.define_task(known->second, "", number_of(name.substr(kAutomatic.size())));
    if (is_new && !is_automatic) writer_.define_task(known->second, name, 0);
    return known->second;
  }

  std::uint32_t stack(std::string_view text) {
    std::uint32_t id = 0;
    while (!text.empty()) {
      FrameText frame = parse_frame(take_until(text, ";"));
      if (!has_qualified_names_) frame.function.qualified_name = {};
      id = writer_.stack(id, writer_.frame(writer_.function(frame.function), frame.line, frame.column));
    }
    return id;
  }

  StringSink sink_;
  gpf::Writer writer_;
  std::chrono::nanoseconds now_;
  bool has_qualified_names_;
  std::set<std::uint32_t> defined_;
  std::set<std::uint32_t> sampled_;
  std::map<std::string, std::uint32_t, std::less<>> tasks_;
};

RecordingBuilder::RecordingBuilder(const gpf::Metadata& metadata) : impl_(std::make_unique<Impl>(metadata)) {}
RecordingBuilder::RecordingBuilder(RecordingBuilder&&) noexcept = default;
RecordingBuilder& RecordingBuilder::operator=(RecordingBuilder&&) noexcept = default;
RecordingBuilder::~RecordingBuilder() = default;

RecordingBuilder& RecordingBuilder::thread(std::uint32_t id, std::string_view name) {
  impl_->thread(id, name);
  return *this;
}

RecordingBuilder& RecordingBuilder::sample(const TestSample& sample) {
  impl_->sample(sample);
  return *this;
}

RecordingBuilder& RecordingBuilder::samples(int count, const TestSample& sample) {
  for (int i = 0; i < count; ++i) impl_->sample(sample);
  return *this;
}

RecordingBuilder& RecordingBuilder::interval(std::chrono::nanoseconds interval) {
  impl_->writer().set_interval(interval);
  return *this;
}

RecordingBuilder& RecordingBuilder::losses(const gpf::Losses& losses) {
  impl_->writer().set_losses(losses);
  return *this;
}

RecordingBuilder& RecordingBuilder::clock(const gpf::ClockAnchor& anchor) {
  impl_->writer().add_clock(anchor);
  return *this;
}

RecordingBuilder& RecordingBuilder::next_block() {
  impl_->writer().flush();
  return *this;
}

std::string RecordingBuilder::finish(std::string_view reason) {
  impl_->writer().finish({.monotonic_ns = impl_->now().count(), .reason = std::string{reason}});
  return impl_->bytes();
}

std::string RecordingBuilder::cut() {
  impl_->writer().flush();
  return impl_->bytes();
}

}  // namespace gauge
