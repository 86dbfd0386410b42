// From the sampler thread to the stream thread: what was seen, encoded small, in a bounded ring.
//
// The writing side never waits, locks or allocates. A record that finds no room is dropped whole and counted; what it
// would have told about its thread (CPU time used, frames that stayed) is kept and told with the next one.
//
// A sample is written as the difference to its thread's last queued one: how many frames, counted from the root, are
// equal, and the frames above them. So a thread that waits, or computes below a deep stack, costs some 20 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recorder/byte_ring.h"
#include "recorder/stack_source.h"

namespace gauge {

/// Frames of one thread, from the root, that both sides of the queue remember. Deeper ones are sent every time.
inline constexpr std::size_t kRememberedFrames = 512;
/// Threads remembered. Ids count up, so a slot is `id modulo slots`; a thread that finds another one in its slot evicts
/// it, and the evicted one's next sample is simply sent in full.
inline constexpr std::size_t kRememberedThreads = 1024;

/// A sample as it comes out of the queue.
struct QueuedSample {
  std::uint32_t thread = 0;
  std::chrono::nanoseconds time{};
  std::chrono::nanoseconds cpu{};
  std::uint32_t status = 0;
  std::uint32_t same_frames = 0;
  TaskShare task;
  std::uint32_t shared_frames = 0;           // from the root, equal to this thread's last queued sample
  std::span<const SampledFrame> new_frames;  // above those, towards the leaf
};

/// Takes what comes out of the queue, in order. Texts are valid during the call. May throw.
class QueueVisitor {
 public:
  virtual ~QueueVisitor() = default;
  virtual void on_code(const CodeSight& code) = 0;
  virtual void on_thread(const ThreadSight& thread) = 0;
  virtual void on_task(const TaskSight& task) = 0;
  virtual void on_sample(const QueuedSample& sample) = 0;
  /// The samples to come are so far apart, and after a gap stand for so much.
  virtual void on_interval(std::chrono::nanoseconds interval) = 0;
};

/// The sampler thread's end.
class SampleProducer final : public StackVisitor {
 public:
  /// @param ring  must outlive this
  explicit SampleProducer(ByteRing& ring);
  SampleProducer(const SampleProducer&) = delete;
  SampleProducer& operator=(const SampleProducer&) = delete;
  ~SampleProducer() override;

  /// Tells the other side of another interval, from the next sample on. @return false if there is no room: tell again
  bool on_interval(std::chrono::nanoseconds interval) noexcept;
  /// Starts the look at slot `slot` of the sampling grid, at `time`. A thread without a sample in slot - 1 comes back
  /// from a gap. So does one whose sample is later in the look than its last one was, by `too_late` or more: the
  /// sampler has lost its core in the middle of the look.
  void begin_tick(std::uint64_t slot, std::chrono::nanoseconds time = {},
                  std::chrono::nanoseconds too_late = std::chrono::nanoseconds::max()) noexcept {
    slot_ = slot;
    tick_time_ = time;
    too_late_ = too_late;
    was_held_up_ = false;
  }
  /// Whether samples of this tick were too late.
  [[nodiscard]] bool was_held_up() const noexcept { return was_held_up_; }

  bool on_code(const CodeSight& code) noexcept override;
  bool on_thread(const ThreadSight& thread) noexcept override;
  bool on_task(const TaskSight& task) noexcept override;
  bool on_sample(const ThreadSample& sample) noexcept override;

  /// Samples that found no room.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  struct ThreadState {
    std::uint64_t last_slot = 0;             // of its last queued sample
    std::chrono::nanoseconds last_delay{};   // likewise, since its look began
    std::chrono::nanoseconds dropped_cpu{};  // of the samples dropped since
    std::uint32_t thread = 0;
    std::uint32_t depth = 0;        // frames remembered
    std::uint32_t same_frames = 0;  // over the samples dropped since; valid if has_dropped, like the next one
    bool is_new_call = false;
    bool has_dropped = false;
    bool is_queued = false;  // false until its first sample is
  };

  /// What a sample says about the calls that go on since the last *queued* sample of its thread.
  struct Continuity {
    std::uint32_t same_frames = 0;
    bool is_new_call = false;
  };

  [[nodiscard]] ThreadState& state_of(std::uint32_t thread) noexcept;
  [[nodiscard]] std::span<SampledFrame> frames_of(std::uint32_t thread) noexcept;
  [[nodiscard]] static Continuity since_queued(const ThreadState& state, const ThreadSample& sample) noexcept;
  [[nodiscard]] bool is_too_late(const ThreadState& state, const ThreadSample& sample) const noexcept;
  [[nodiscard]] std::uint32_t status_of(const ThreadState& state, const ThreadSample& sample,
                                        bool is_new_call) const noexcept;
  void remember_dropped(ThreadState& state, const ThreadSample& sample, Continuity continuity) noexcept;
  void remember_queued(ThreadState& state, const ThreadSample& sample, std::size_t shared) noexcept;

  ByteRing& ring_;
  std::uint64_t slot_ = 0;
  std::chrono::nanoseconds tick_time_{};
  std::chrono::nanoseconds too_late_{};
  bool was_held_up_ = false;
  std::uint64_t dropped_ = 0;
  std::chrono::nanoseconds last_time_{};
  std::vector<ThreadState> threads_;
  SampledFrame* frames_;  // kRememberedThreads x kRememberedFrames, root first; a page is backed once it is used
};

/// The stream thread's end.
class SampleConsumer {
 public:
  explicit SampleConsumer(ByteRing& ring) : ring_(ring) {}

  /// Shows the oldest record to `visitor`. @return false when the queue is empty. What the visitor throws passes
  /// through, with the record taken off the queue.
  bool take(QueueVisitor& visitor);

 private:
  void show(std::span<const std::byte> record, QueueVisitor& visitor);

  ByteRing& ring_;
  std::chrono::nanoseconds last_time_{};
  std::vector<SampledFrame> frames_;
};

}  // namespace gauge
