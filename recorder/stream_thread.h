// One recording in progress: the two threads that make it, and the file it grows in.
//
// The stream thread comes first: it takes a private descriptor table, creates the file and then the sampler thread,
// which thereby shares that table. The sampler puts what it sees into the queue; the stream thread empties it into the
// open block, which goes into the file about once a second and, until then, many times a second into a file beside it:
// that is what remains of it when the process is killed. Two threads, because a slow disk must not move the times of
// samples.
//
// A failure while recording (full disk, deleted file) ends the recording and never the program: it is kept, told by
// stats() and thrown by finish().
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include "formats/gpf/records.h"
#include "recorder/clock.h"
#include "recorder/cpython/line_table.h"
#include "recorder/native_thread.h"
#include "recorder/sampler.h"
#include "recorder/stack_source.h"

namespace gauge::gpf {
class Writer;
}

namespace gauge {

class OpenBlockFile;
class SampleStream;

struct StreamPlan {
  std::string path;  // places filled in
  bool replace = false;
  SamplerOptions sampler;
  cpython::LineTableKind line_tables = cpython::LineTableKind::locations_3_11;
  gpf::Metadata metadata;        // what only the interpreter knows; the rest is filled in
  std::function<void()> on_end;  // called by the stream thread once a recording that had started is over; may not throw
};

/// How a recording is doing, or how it went.
struct RecorderStats {
  bool is_running = false;
  std::string end_reason;  // as in the file: "stop", "exit", "duration", "error: ..."; empty while running
  std::string reader;      // how memory is read
  std::uint64_t ticks = 0;
  std::uint64_t missed_ticks = 0;
  std::uint64_t samples = 0;
  std::uint64_t dropped_samples = 0;
  std::uint64_t failed_reads = 0;
  std::uint64_t retried_reads = 0;
  std::uint64_t partial_stacks = 0;
  std::uint64_t truncated_stacks = 0;
  std::uint64_t unknown_names = 0;
  std::chrono::nanoseconds sampler_cpu{};
  std::chrono::nanoseconds writer_cpu{};
  std::uint64_t bytes = 0;  // of the file
};

/// start() and finish() may be called once each; the rest from any thread at any time in between and after.
class StreamThread {
 public:
  static constexpr int kThreads = 2;  // of a running recording

  StreamThread(std::unique_ptr<StackSource> source, StreamPlan plan);
  StreamThread(const StreamThread&) = delete;
  StreamThread& operator=(const StreamThread&) = delete;
  ~StreamThread();  // finishes as if stopped

  /// Returns once samples are being taken. The calling thread's stack must not change meanwhile: the self-test looks
  /// at it. @throws Error what kept the recording from starting; no file is left behind
  void start();
  void pause() noexcept { control_.pause(clock_.now()); }
  void resume() noexcept { control_.resume(clock_.now()); }
  [[nodiscard]] bool is_paused() const noexcept { return control_.is_paused(); }
  /// Ends the recording, waits until it is on disk. @param reason  for the end record
  /// @throws Error what had ended it before, if that was a failure
  void finish(const std::string& reason);
  [[nodiscard]] RecorderStats stats() const;

 private:
  void run() noexcept;
  void open_and_record();
  void start_sampler();
  void run_sampler() noexcept;
  void record_to_end(gpf::Writer& writer, SampleStream& stream, OpenBlockFile& beside);
  void record(gpf::Writer& writer, SampleStream& stream, OpenBlockFile& beside);
  void keep_open_block(gpf::Writer& writer, const SampleStream& stream, OpenBlockFile& beside);
  void write_block(gpf::Writer& writer, const SampleStream& stream);
  void write_end(gpf::Writer& writer, const SampleStream& stream);
  [[nodiscard]] gpf::Losses losses(const SampleStream& stream);
  std::uint64_t note_cpu() noexcept;
  void publish(const gpf::Writer& writer, const SampleStream& stream);
  [[nodiscard]] std::string end_reason_locked() const;
  void end_by(std::exception_ptr failure) noexcept;
  void keep_failure(std::exception_ptr failure);

  StreamPlan plan_;
  std::unique_ptr<StackSource> source_;  // destroyed by the stream thread, in whose table its descriptors are
  SystemClock clock_;
  ByteRing queue_;
  Doorbell queue_bell_;
  SamplerControl control_;
  SamplerProgress progress_;
  std::atomic<bool> sampler_has_ended_{false};
  std::atomic<SamplerEnd> sampler_end_{SamplerEnd::stopped};

  // Members, not locals of the waiting function: it may return while the other thread is still inside set_value().
  std::promise<void> opened_;   // the source, by the sampler thread
  std::promise<void> started_;  // the recording, by the stream thread
  bool is_started_ = false;     // only used by the stream thread
  NativeThread sampler_thread_;
  NativeThread stream_thread_;
  std::chrono::nanoseconds next_anchor_{};
  std::uint64_t kept_blocks_ = 0;  // blocks and samples that were written when the open block was last kept
  std::uint64_t kept_samples_ = 0;

  mutable std::mutex mutex_;    // guards what follows
  RecorderStats stats_;         // what the stream thread knows, as of the last block
  std::string stop_reason_;     // given to finish()
  std::exception_ptr failure_;  // what ended the recording
  std::string failure_message_;

  const std::exception_ptr out_of_memory_;  // made while there is some
};

}  // namespace gauge
