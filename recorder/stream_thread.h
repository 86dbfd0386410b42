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
#include <condition_variable>
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
#include "recorder/recording_parts.h"
#include "recorder/sampler.h"
#include "recorder/stack_source.h"

namespace gauge {

class SampleStream;

struct StreamPlan {
  PartsPlan files;
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
  std::uint64_t bytes = 0;  // of the file, or of all parts
  std::uint64_t parts = 0;  // begun; 1 where the recording is not rotated
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
  void resume() noexcept;
  [[nodiscard]] bool is_paused() const noexcept { return control_.is_paused(); }
  /// Returns once all that was sampled before the call is in the file, in a closed block; with `to_disk`, on the disk.
  /// Harmless once the recording is over. @throws Error what had ended it, if that was a failure
  void flush(bool to_disk);
  /// Ends the recording, waits until it is on disk. @param reason  for the end record
  /// @throws Error what had ended it before, if that was a failure
  void finish(const std::string& reason);
  [[nodiscard]] RecorderStats stats() const;
  /// The file that is written, or was written last.
  [[nodiscard]] std::string path() const;

 private:
  void run() noexcept;
  void open_and_record();
  void start_sampler(DescriptorTable table);
  void run_sampler(DescriptorTable table) noexcept;
  void complete_metadata();
  void record_to_end(RecordingParts& parts, SampleStream& stream);
  void record(RecordingParts& parts, SampleStream& stream);
  void keep_or_rotate(RecordingParts& parts, SampleStream& stream);
  void rotate(RecordingParts& parts, SampleStream& stream);
  void write_block(RecordingParts& parts, const SampleStream& stream);
  void write_end(RecordingParts& parts, const SampleStream& stream);
  [[nodiscard]] std::uint64_t flushes_asked() const;
  void serve_flushes(std::uint64_t asked, RecordingParts& parts, const SampleStream& stream);
  [[nodiscard]] gpf::Losses losses(const SampleStream& stream);
  std::uint64_t note_cpu() noexcept;
  void publish(const RecordingParts& parts, const SampleStream& stream);
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

  mutable std::mutex mutex_;  // guards what follows
  RecorderStats stats_;       // what the stream thread knows, as of the last block
  std::string path_;
  std::uint64_t flushes_asked_ = 0;
  std::uint64_t flushes_done_ = 0;
  bool is_sync_asked_ = false;
  std::condition_variable flushed_;
  std::string stop_reason_;     // given to finish()
  std::exception_ptr failure_;  // what ended the recording
  std::string failure_message_;

  const std::exception_ptr out_of_memory_;  // made while there is some
};

}  // namespace gauge
