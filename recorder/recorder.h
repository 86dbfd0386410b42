// What Python calls a Recorder: starts and ends recordings of this process, one at a time.
//
// Fork: the parent records on, untouched. In the child the recorder is dead: its threads do not exist there, its file
// belongs to the parent and is never touched, its memory is abandoned on purpose (a thread may have been in the middle
// of it). stop() is harmless in the child, and start() begins a new recording of the child.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "recorder/stack_source.h"
#include "recorder/stream_thread.h"

namespace gauge {

/// What only the interpreter knows of itself.
struct PythonFacts {
  std::string implementation;  // sys.implementation.name
  std::string version;         // "3.12.1"
  std::string build;           // sys.version
  bool free_threaded = false;
  std::vector<std::string> import_roots;  // sys.path without the empty entry
  cpython::LineTableKind line_tables = cpython::LineTableKind::locations_3_11;
};

struct RecorderOptions {
  std::string path;  // with places, see path_pattern.h
  std::chrono::nanoseconds interval = std::chrono::milliseconds{10};
  std::chrono::nanoseconds duration{0};  // 0 = until stopped
  double max_overhead = 0;               // share of one core that the recorder may use, 0.01 = 1 %; 0 = any
  bool replace = false;
  RotationLimits rotation;
  std::string run_id;  // 16 bytes; empty = a new one
  std::string parent_run_id;
};

/// Ends the recording this process has running, if any. @throws as Recorder::stop
void stop_recording_of_process(const std::string& reason);

/// Threads of this process that belong to a running recording: two, or none.
[[nodiscard]] int recorder_threads_of_process();

/// Makes `flag`, which must live as long as the process, the one that tells whether a recording runs. For several
/// copies of the recorder in one process; call it before the first start().
void share_is_recording(std::atomic<bool>* flag) noexcept;

/// Thread-safe. All functions may wait for the recorder's threads: call without the GIL.
class Recorder {
 public:
  /// @throws Error(usage) for an interval outside 10 us to 1 h, a negative duration, a share not in 0 to 1, parts of
  /// less than 1 s or 64 KiB, a run id of another length
  explicit Recorder(RecorderOptions options);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();  // ends a running recording as "stop"

  /// Begins to record into a new file.
  /// @throws Error(usage) while any recording of this process runs; and whatever keeps it from starting
  void start(std::unique_ptr<StackSource> source, const PythonFacts& facts);
  /// Nothing is sampled until resume(). Both harmless when nothing runs.
  void pause();
  void resume();
  /// Ends the recording and waits until it is on disk. Harmless when nothing runs.
  /// @throws Error what had ended the recording before, if that was a failure; once
  void stop(const std::string& reason = "stop");
  /// Returns once all that was sampled before the call is in the file; with `to_disk`, on the disk. Harmless when
  /// nothing runs. @throws Error what had ended the recording before, if that was a failure
  void flush(bool to_disk = false);
  /// Of the running recording, as of its last block, or of the last one. Zeros before the first, and in a forked child.
  [[nodiscard]] RecorderStats stats();
  [[nodiscard]] bool is_paused();
  /// The file that is written, or was written last, places filled in; the pattern before the first start().
  [[nodiscard]] std::string path();

 private:
  friend struct ProcessRecorder;
  void forget_in_child() noexcept;
  [[nodiscard]] PartsPlan make_parts_plan() const;
  [[nodiscard]] StreamPlan make_plan(const PythonFacts& facts) const;

  RecorderOptions options_;
  std::mutex mutex_;  // guards what follows
  std::unique_ptr<StreamThread> stream_;
  RecorderStats last_stats_;
  std::string path_;
  std::uint64_t number_ = 0;  // of recordings, for %n
};

}  // namespace gauge
