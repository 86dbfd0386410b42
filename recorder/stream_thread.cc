#include "recorder/stream_thread.h"

#include <fmt/core.h>

#include <cmath>
#include <new>
#include <utility>

#include "formats/base/error.h"
#include "recorder/descriptor_table.h"
#include "recorder/process_facts.h"
#include "recorder/sample_stream.h"

namespace gauge {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kQueueBytes = std::size_t{1} << 20;
constexpr nanoseconds kBlockInterval = std::chrono::seconds{1};
// What SIGKILL takes is what came since the open block was last kept.
constexpr nanoseconds kKeepInterval = std::chrono::milliseconds{15};
constexpr nanoseconds kAnchorInterval = std::chrono::seconds{10};

/// The two clocks as close together as they can be read: in the middle of two readings of the one. Of a few tries the
/// closest: the core may be taken away in between.
gpf::ClockAnchor read_anchor(Clock& clock) {
  constexpr int kTries = 4;
  constexpr nanoseconds kClose = std::chrono::microseconds{10};
  gpf::ClockAnchor anchor;
  nanoseconds closest = nanoseconds::max();
  for (int tries = 0; tries < kTries && closest > kClose; ++tries) {
    const nanoseconds before = clock.now();
    const nanoseconds unix_now = unix_time();
    const nanoseconds apart = clock.now() - before;
    if (apart >= closest) continue;
    closest = apart;
    anchor = {.monotonic_ns = (before + apart / 2).count(), .unix_ns = unix_now.count()};
  }
  return anchor;
}

}  // namespace

StreamThread::StreamThread(std::unique_ptr<StackSource> source, StreamPlan plan)
    : plan_(std::move(plan)),
      source_(std::move(source)),
      queue_(kQueueBytes),
      out_of_memory_(std::make_exception_ptr(Error{
          ErrorCode::io, fmt::format("{}: cannot be continued (the program has used up the memory it may have); what "
                                     "was recorded until then is kept",
                                     plan_.files.path)})) {}

StreamThread::~StreamThread() {
  control_.stop();
  stream_thread_.join();
}

void StreamThread::start() {
  std::future<void> started = started_.get_future();
  stream_thread_.start("gauge-writer", [this] { run(); });
  try {
    started.get();
  } catch (...) {
    stream_thread_.join();
    throw;
  }
  // By the caller, which may have to wait for a core until now: nothing is recorded of how long that takes.
  resume();
}

void StreamThread::resume() noexcept {
  control_.resume(clock_.now());
  queue_bell_.ring();  // while paused, the stream thread sleeps for longer
}

void StreamThread::finish(const std::string& reason) {
  {
    const std::lock_guard lock{mutex_};
    if (stop_reason_.empty()) stop_reason_ = reason;
  }
  control_.stop();
  stream_thread_.join();
  if (failure_) std::rethrow_exception(failure_);  // both threads are gone: no lock needed
}

void StreamThread::flush(bool to_disk) {
  std::unique_lock lock{mutex_};
  const std::uint64_t own = ++flushes_asked_;
  is_sync_asked_ = is_sync_asked_ || to_disk;
  queue_bell_.ring();
  flushed_.wait(lock, [&] { return flushes_done_ >= own || !stats_.is_running; });
  if (failure_) std::rethrow_exception(failure_);
}

std::string StreamThread::path() const {
  const std::lock_guard lock{mutex_};
  return path_;
}

RecorderStats StreamThread::stats() const {
  const std::lock_guard lock{mutex_};
  RecorderStats stats = stats_;
  stats.ticks = progress_.ticks;
  stats.missed_ticks = progress_.missed_ticks;
  stats.dropped_samples = progress_.dropped_samples;
  stats.failed_reads = progress_.failed_reads;
  stats.retried_reads = progress_.retried_reads;
  stats.unknown_names = progress_.unknown_names;
  stats.sampler_cpu = nanoseconds{static_cast<std::int64_t>(progress_.cpu_ns.load())};
  return stats;
}

void StreamThread::run() noexcept {
  try {
    open_and_record();
  } catch (const std::bad_alloc&) {
    end_by(out_of_memory_);
  } catch (...) {
    end_by(std::current_exception());
  }
  source_.reset();
  {
    const std::lock_guard lock{mutex_};
    stats_.is_running = false;
    try {
      stats_.end_reason = end_reason_locked();
    } catch (const std::bad_alloc&) {
      stats_.end_reason = "error: memory";  // short enough to need none
    }
  }
  flushed_.notify_all();
  if (is_started_ && plan_.on_end) plan_.on_end();
}

void StreamThread::open_and_record() {
  const DescriptorTable table = separate_descriptor_table();
  RecordingParts parts{plan_.files, table};
  try {
    start_sampler(table);  // paused until the file has its header
    complete_metadata();
    parts.begin(plan_.metadata, plan_.sampler.interval);
    SampleStream stream{parts.writer(), plan_.line_tables, plan_.files.parts ? Parts::many : Parts::one};
    publish(parts, stream);
    is_started_ = true;
    started_.set_value();
    record_to_end(parts, stream);
  } catch (...) {
    if (!is_started_) parts.discard();
    throw;
  }
}

void StreamThread::complete_metadata() {
  add_process_facts(plan_.metadata);
  plan_.metadata.reader = source_->reader_name();
  plan_.metadata.interval_ns = static_cast<std::uint64_t>(plan_.sampler.interval.count());
  plan_.metadata.max_overhead_ppm = static_cast<std::uint32_t>(std::lround(plan_.sampler.max_overhead * 1e6));
  const gpf::ClockAnchor anchor = read_anchor(clock_);
  plan_.metadata.start_monotonic_ns = anchor.monotonic_ns;
  plan_.metadata.start_unix_ns = anchor.unix_ns;
}

void StreamThread::start_sampler(DescriptorTable table) {
  sampler_thread_.start("gauge-sampler", [this, table] { run_sampler(table); });
  opened_.get_future().get();
  const std::lock_guard lock{mutex_};
  stats_.reader = source_->reader_name();
}

void StreamThread::run_sampler(DescriptorTable table) noexcept {
  wake_promptly();
  try {
    source_->open(table);
  } catch (...) {
    opened_.set_exception(std::current_exception());
    return;
  }
  opened_.set_value();
  Sampler sampler{{*source_, queue_, queue_bell_, control_, progress_, clock_}, plan_.sampler};
  sampler_end_ = sampler.run();
  sampler_has_ended_ = true;
  queue_bell_.ring();
}

void StreamThread::record_to_end(RecordingParts& parts, SampleStream& stream) {
  try {
    record(parts, stream);
  } catch (const Error& error) {
    // Why there is no more, for those who read it.
    parts.fail({.monotonic_ns = clock_.now().count(), .reason = fmt::format("error: {}", error.what())});
    throw;
  }
}

void StreamThread::record(RecordingParts& parts, SampleStream& stream) {
  SampleConsumer consumer{queue_};
  nanoseconds next_block = clock_.now() + kBlockInterval;
  for (;;) {
    const std::uint32_t seen = queue_bell_.rings();
    const std::uint64_t flushes = flushes_asked();
    const bool is_last = sampler_has_ended_;
    while (consumer.take(stream)) {
    }
    if (is_last) break;
    if (clock_.now() >= next_block) {
      write_block(parts, stream);
      next_block = clock_.now() + kBlockInterval;
    }
    keep_or_rotate(parts, stream);
    serve_flushes(flushes, parts, stream);
    note_cpu();
    queue_bell_.wait_until(seen, clock_.now() + (is_paused() ? kBlockInterval : kKeepInterval));
  }
  sampler_thread_.join();
  write_end(parts, stream);
}

void StreamThread::keep_or_rotate(RecordingParts& parts, SampleStream& stream) {
  if (!parts.has_news()) return;
  if (parts.is_due(clock_.now())) {
    rotate(parts, stream);
    return;
  }
  parts.set_losses(losses(stream));
  if (!parts.keep_open_block()) write_block(parts, stream);
}

/// The sampler goes on meanwhile; the queue holds what comes.
void StreamThread::rotate(RecordingParts& parts, SampleStream& stream) {
  // The next part begins where the last one ends: with its last sample, so that none that follows is earlier.
  const gpf::ClockAnchor anchor = read_anchor(clock_);
  const std::int64_t seam = stream.last_time().count();
  stream.end_part();
  parts.rotate({.monotonic_ns = seam, .unix_ns = anchor.unix_ns - (anchor.monotonic_ns - seam)}, losses(stream));
  stream.begin_part(parts.writer());
  next_anchor_ = clock_.now() + kAnchorInterval;
  publish(parts, stream);
}

void StreamThread::write_block(RecordingParts& parts, const SampleStream& stream) {
  const nanoseconds now = clock_.now();
  if (now >= next_anchor_) {
    parts.writer().add_clock(read_anchor(clock_));
    next_anchor_ = now + kAnchorInterval;
  } else if (parts.samples() == stats_.samples) {
    return;  // paused, or nothing to see: no block that says nothing
  }
  parts.set_losses(losses(stream));
  parts.writer().flush();
  publish(parts, stream);
}

void StreamThread::write_end(RecordingParts& parts, const SampleStream& stream) {
  const gpf::ClockAnchor anchor = read_anchor(clock_);
  parts.writer().add_clock(anchor);
  parts.set_losses(losses(stream));
  std::string reason;
  {
    const std::lock_guard lock{mutex_};
    reason = end_reason_locked();
  }
  parts.finish({.monotonic_ns = anchor.monotonic_ns, .reason = reason});
  publish(parts, stream);
}

std::uint64_t StreamThread::flushes_asked() const {
  const std::lock_guard lock{mutex_};
  return flushes_asked_;
}

/// @param asked  up to which one; what was sampled before it is with the writer by now
void StreamThread::serve_flushes(std::uint64_t asked, RecordingParts& parts, const SampleStream& stream) {
  bool is_sync_asked = false;
  {
    const std::lock_guard lock{mutex_};
    if (asked == flushes_done_) return;
    is_sync_asked = std::exchange(is_sync_asked_, false);
  }
  write_block(parts, stream);
  if (is_sync_asked) parts.sync();
  {
    const std::lock_guard lock{mutex_};
    flushes_done_ = asked;
  }
  flushed_.notify_all();
}

gpf::Losses StreamThread::losses(const SampleStream& stream) {
  return {.ticks = progress_.ticks,
          .missed_ticks = progress_.missed_ticks,
          .partial_stacks = stream.partial_stacks(),
          .truncated_stacks = stream.truncated_stacks(),
          .failed_reads = progress_.failed_reads,
          .dropped_samples = progress_.dropped_samples,
          .unknown_names = progress_.unknown_names,
          .sampler_cpu_ns = progress_.cpu_ns,
          .writer_cpu_ns = note_cpu(),
          .retried_reads = progress_.retried_reads};
}

/// CPU time of the stream thread, which calls it; the sampler's budget has to know.
std::uint64_t StreamThread::note_cpu() noexcept {
  const auto cpu = static_cast<std::uint64_t>(clock_.thread_cpu().count());
  progress_.writer_cpu_ns = cpu;
  return cpu;
}

void StreamThread::publish(const RecordingParts& parts, const SampleStream& stream) {
  const nanoseconds cpu{static_cast<std::int64_t>(note_cpu())};
  const std::lock_guard lock{mutex_};
  stats_.is_running = true;
  stats_.samples = parts.samples();
  stats_.partial_stacks = stream.partial_stacks();
  stats_.truncated_stacks = stream.truncated_stacks();
  stats_.bytes = parts.bytes();
  stats_.parts = parts.count();
  path_ = parts.path();
  stats_.writer_cpu = cpu;
}

std::string StreamThread::end_reason_locked() const {
  if (failure_) return "error: " + (failure_message_.empty() ? "memory" : failure_message_);
  switch (sampler_end_.load()) {
    case SamplerEnd::duration_over:
      return "duration";
    case SamplerEnd::interpreter_ended:
      return "exit";
    case SamplerEnd::stopped:
      break;
  }
  return stop_reason_.empty() ? "stop" : stop_reason_;
}

void StreamThread::end_by(std::exception_ptr failure) noexcept {
  control_.stop();
  sampler_thread_.join();
  try {
    keep_failure(std::move(failure));
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
    // The failure is kept; only its message could not be.
  }
}

void StreamThread::keep_failure(std::exception_ptr failure) {
  if (!is_started_) {
    started_.set_exception(std::move(failure));
    return;
  }
  const std::lock_guard lock{mutex_};
  failure_ = failure;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    failure_message_ = error.what();
  }
}

}  // namespace gauge
