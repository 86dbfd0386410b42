#include "recorder/recorder.h"

#include <fmt/core.h>
#include <pthread.h>

#include <atomic>
#include <new>

#include "formats/base/error.h"
#include "recorder/path_pattern.h"
#include "recorder/process_facts.h"

namespace gauge {

/// What this process records. One for the whole process, because fork handlers take no argument.
struct ProcessRecorder {
  std::atomic<bool> own_flag{false};
  std::atomic<bool>* is_recording = &own_flag;
  std::atomic<Recorder*> last{nullptr};  // the one that records, or did last

  static ProcessRecorder& instance() {
    // Never destroyed: fork handlers run as long as the process does.
    static auto* const only = [] {
      auto* created = new ProcessRecorder;
      pthread_atfork(nullptr, nullptr, [] { instance().forget_in_child(); });
      return created;
    }();
    return *only;
  }

  void claim(Recorder* recorder) {
    if (is_recording->exchange(true)) {
      throw Error{ErrorCode::usage, "recorder: a recording of this process is running already; stop it first"};
    }
    last = recorder;
  }

  void forget_in_child() noexcept {
    *is_recording = false;
    if (Recorder* recorder = last.exchange(nullptr)) recorder->forget_in_child();
  }
};

namespace {

constexpr std::chrono::nanoseconds kShortestInterval = std::chrono::microseconds{10};
constexpr std::chrono::nanoseconds kLongestInterval = std::chrono::hours{1};
constexpr std::chrono::nanoseconds kShortestPart = std::chrono::seconds{1};
constexpr std::uint64_t kSmallestPart = std::uint64_t{64} << 10;

std::uint64_t random_seed() {
  const std::string random = make_run_id();
  std::uint64_t seed = 0;
  random.copy(reinterpret_cast<char*>(&seed), sizeof seed);
  return seed;
}

void check_run_id(const char* name, const std::string& id) {
  if (id.empty() || id.size() == 16) return;
  throw Error{ErrorCode::usage, fmt::format("{}: is {} bytes long; give 16 bytes, or none", name, id.size())};
}

void check_rotation(const RotationLimits& limits) {
  if (limits.time.count() != 0 && limits.time < kShortestPart) {
    throw Error{ErrorCode::usage,
                fmt::format("rotate: {} ns is too short for a part; choose at least 1 s", limits.time.count())};
  }
  if (limits.bytes != 0 && limits.bytes < kSmallestPart) {
    throw Error{ErrorCode::usage,
                fmt::format("rotate: {} bytes are too few for a part; choose at least 64 KiB", limits.bytes)};
  }
}

}  // namespace

void stop_recording_of_process(const std::string& reason) {
  if (Recorder* recorder = ProcessRecorder::instance().last) recorder->stop(reason);
}

int recorder_threads_of_process() { return *ProcessRecorder::instance().is_recording ? StreamThread::kThreads : 0; }

void share_is_recording(std::atomic<bool>* flag) noexcept { ProcessRecorder::instance().is_recording = flag; }

Recorder::Recorder(RecorderOptions options) : options_(std::move(options)), path_(options_.path) {
  if (options_.path.empty()) throw Error{ErrorCode::usage, "path: is empty; name the file to record into"};
  if (options_.interval < kShortestInterval || options_.interval > kLongestInterval) {
    throw Error{ErrorCode::usage, fmt::format("interval: {} ns is out of range; choose 10 us (100 kHz) to 1 h",
                                              options_.interval.count())};
  }
  if (options_.duration.count() < 0) {
    throw Error{ErrorCode::usage, fmt::format("duration: {} ns is negative; choose 0 to record until stopped",
                                              options_.duration.count())};
  }
  const bool is_share = options_.max_overhead >= 0 && options_.max_overhead <= 1;  // NaN is none
  if (!is_share) {
    throw Error{ErrorCode::usage, fmt::format("max_overhead: {} is no share of a core; choose more than 0, up to 1",
                                              options_.max_overhead)};
  }
  check_rotation(options_.rotation);
  check_run_id("run_id", options_.run_id);
  check_run_id("parent_run_id", options_.parent_run_id);
}

Recorder::~Recorder() {
  try {
    stop();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
    // Nobody is left to tell; the file says what happened as far as it could be written.
  }
  Recorder* self = this;
  ProcessRecorder::instance().last.compare_exchange_strong(self, nullptr);
}

void Recorder::start(std::unique_ptr<StackSource> source, const PythonFacts& facts) {
  const std::lock_guard lock{mutex_};
  ProcessRecorder& process = ProcessRecorder::instance();
  process.claim(this);
  try {
    StreamPlan plan = make_plan(facts);
    plan.on_end = [&process] { *process.is_recording = false; };
    auto stream = std::make_unique<StreamThread>(std::move(source), std::move(plan));
    stream->start();
    stream_ = std::move(stream);
    ++number_;
  } catch (...) {
    *process.is_recording = false;
    throw;
  }
}

PartsPlan Recorder::make_parts_plan() const {
  const PatternValues values = values_of_process(number_ + 1);
  PartsPlan plan{.path = {}, .parts = {}, .limits = options_.rotation, .replace = options_.replace};
  if (options_.rotation.are_set()) {
    plan.parts.emplace(options_.path, values);
    plan.path = plan.parts->path(1);
  } else {
    plan.path = expand_path_pattern(options_.path, values);
  }
  return plan;
}

StreamPlan Recorder::make_plan(const PythonFacts& facts) const {
  StreamPlan plan{.files = make_parts_plan(),
                  .sampler = {.interval = options_.interval,
                              .duration = options_.duration,
                              .seed = random_seed(),
                              .max_overhead = options_.max_overhead},
                  .line_tables = facts.line_tables,
                  .metadata = {},
                  .on_end = {}};
  plan.metadata.gauge_version = GAUGE_VERSION;
  plan.metadata.run_id = options_.run_id.empty() ? make_run_id() : options_.run_id;
  plan.metadata.parent_run_id = options_.parent_run_id;
  plan.metadata.implementation = facts.implementation;
  plan.metadata.python_version = facts.version;
  plan.metadata.python_build = facts.build;
  plan.metadata.free_threaded = facts.free_threaded;
  plan.metadata.import_roots = facts.import_roots;
  return plan;
}

void Recorder::pause() {
  const std::lock_guard lock{mutex_};
  if (stream_) stream_->pause();
}

void Recorder::resume() {
  const std::lock_guard lock{mutex_};
  if (stream_) stream_->resume();
}

void Recorder::stop(const std::string& reason) {
  const std::lock_guard lock{mutex_};
  if (!stream_) return;
  struct ForgetAtEnd {  // also when finish() throws
    Recorder& self;
    ~ForgetAtEnd() {
      self.last_stats_ = self.stream_->stats();
      self.path_ = self.stream_->path();
      self.stream_.reset();
    }
  } const forget_at_end{*this};
  stream_->finish(reason);
}

void Recorder::flush(bool to_disk) {
  const std::lock_guard lock{mutex_};
  if (stream_) stream_->flush(to_disk);
}

RecorderStats Recorder::stats() {
  const std::lock_guard lock{mutex_};
  return stream_ ? stream_->stats() : last_stats_;
}

bool Recorder::is_paused() {
  const std::lock_guard lock{mutex_};
  return stream_ && stream_->is_paused();
}

std::string Recorder::path() {
  const std::lock_guard lock{mutex_};
  return stream_ ? stream_->path() : path_;
}

void Recorder::forget_in_child() noexcept {
  new (&mutex_) std::mutex;  // some thread of the parent may have held it; that thread does not exist here
  if (!stream_) return;
  static_cast<void>(stream_.release());
  last_stats_ = {};
  last_stats_.end_reason = "fork";
}

}  // namespace gauge
