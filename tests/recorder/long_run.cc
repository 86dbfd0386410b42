#include "tests/recorder/long_run.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recorder/sample_stream.h"
#include "recorder/sampler.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// Counts what it is given.
class Nowhere final : public Sink {
 public:
  void write(std::string_view bytes) override { count_ += bytes.size(); }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  std::uint64_t count_ = 0;
};

/// A server of many threads that makes code, threads and tasks all its life. Itself it takes no more memory for that.
class Server final : public StackSource {
 public:
  explicit Server(const LongRunPlan& plan) : plan_(plan), threads_(plan.threads) {}

  void open(DescriptorTable) override {}
  [[nodiscard]] std::string_view reader_name() const noexcept override { return "simulated"; }
  [[nodiscard]] bool is_finalizing() noexcept override { return false; }
  [[nodiscard]] StackSourceCounters counters() const noexcept override { return {}; }

  void look(StackVisitor& visitor) noexcept override {
    time_ += plan_.interval;
    while (codes_ < kFirstCodes + due(plan_.new_codes_per_second)) show_code(visitor);
    while (tasks_ < due(plan_.new_tasks_per_second)) {
      ++tasks_;
      visitor.on_task({.task = tasks_, .name = tasks_ % 2 == 0 ? std::string_view{"worker"} : "", .number = tasks_});
    }
    while (started_ < plan_.threads + due(1)) show_thread(visitor);
    for (const std::uint32_t thread : threads_) show_sample(visitor, thread);
  }

 private:
  static constexpr std::uint32_t kFirstCodes = 2000;
  static constexpr std::uint32_t kLivingCodes = 4000;  // the last ones; older ones are not run any more
  static constexpr std::size_t kDepth = 20;

  [[nodiscard]] std::uint32_t due(std::uint32_t per_second) const noexcept {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(time_ / 1s) * per_second);
  }
  std::uint32_t random(std::uint32_t below) noexcept {
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
    return static_cast<std::uint32_t>(random_ >> 33) % below;
  }
  void show_code(StackVisitor& visitor) noexcept {
    ++codes_;
    std::array<char, 64> name{};
    const auto end = fmt::format_to_n(name.data(), name.size(), "handler_{}", codes_).out;
    const std::string_view text{name.data(), end};
    // Two entries of co_linetable: instructions 0 to 3 are on the next line, 4 to 7 on the one after it.
    static constexpr std::array kTable{std::byte{0xE9}, std::byte{2}, std::byte{0xE9}, std::byte{2}};
    visitor.on_code({codes_, text, text, "app.handlers", "/srv/app/handlers.py", codes_, kTable});
  }
  void show_thread(StackVisitor& visitor) noexcept {
    ++started_;
    threads_[started_ % threads_.size()] = started_;
    std::array<char, 64> name{};
    const auto end = fmt::format_to_n(name.data(), name.size(), "worker {}", started_).out;
    visitor.on_thread({started_, started_, started_, 0, {name.data(), end}});
  }
  void show_sample(StackVisitor& visitor, std::uint32_t thread) noexcept {
    std::array<SampledFrame, kDepth> frames;
    const std::uint32_t first = codes_ > kLivingCodes ? codes_ - kLivingCodes : 1;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      // The outer frames are the thread's for its life, the inner ones change.
      const bool is_outer = i >= 4;
      const auto of_thread = static_cast<std::uint32_t>((thread * 131 + i * 17) % kFirstCodes);
      const std::uint32_t code = is_outer ? 1 + of_thread : first + random(codes_ - first + 1);
      frames[i] = {code, is_outer ? 2 : 2 * static_cast<std::int32_t>(random(4))};
    }
    ThreadSample sample{.thread = thread, .time = 1000s + time_, .cpu = nanoseconds{random(2'000'000)}};
    sample.same_frames = kDepth - 4;
    if (tasks_ != 0) sample.task = {tasks_ - std::min(tasks_ - 1, random(500)), 2, 1};
    sample.frames = frames;
    visitor.on_sample(sample);
  }

  LongRunPlan plan_;
  nanoseconds time_{};
  std::uint32_t codes_ = 0;
  std::uint32_t tasks_ = 0;
  std::uint32_t started_ = 0;
  std::vector<std::uint32_t> threads_;
  std::uint64_t random_ = 1;
};

/// The stream thread's part, done whenever the sampler waits; and the time that passes meanwhile.
class Recording final : public Clock {
 public:
  explicit Recording(const LongRunPlan& plan)
      : plan_(plan), parts_(plan.part.count() == 0 ? Parts::one : Parts::many), due_(now_ + plan.part) {
    writer_ = make_writer();
    stream_.emplace(*writer_, cpython::LineTableKind::locations_3_11, parts_);
  }

  nanoseconds now() noexcept override { return now_; }
  nanoseconds thread_cpu() noexcept override { return 0ns; }
  void wait_until(Doorbell& /*bell*/, std::uint32_t /*seen*/, nanoseconds deadline) noexcept override {
    now_ = std::max(now_, deadline);
    take();
  }
  void take() {
    while (consumer_.take(*stream_)) {
    }
    if (parts_ == Parts::many && now_ >= due_) rotate();
    if (now_ - measured_ >= plan_.length / 500) measure();
  }

  ByteRing& queue() noexcept { return queue_; }
  LongRunResult finish() {
    take();
    writer_->finish({.monotonic_ns = now_.count(), .reason = "stop"});
    result_.samples += writer_->samples();
    result_.bytes = sink_.count();
    return result_;
  }

 private:
  std::unique_ptr<gpf::Writer> make_writer() {
    const gpf::Metadata metadata{.interval_ns = static_cast<std::uint64_t>(plan_.interval.count()),
                                 .part = parts_ == Parts::many ? result_.parts : 0};
    return std::make_unique<gpf::Writer>(sink_, metadata);
  }
  void rotate() {
    due_ += plan_.part;
    ++result_.parts;
    std::unique_ptr<gpf::Writer> next = make_writer();
    writer_->finish({.monotonic_ns = now_.count(), .reason = "rotate"});
    result_.samples += writer_->samples();
    stream_->end_part();
    writer_ = std::move(next);
    stream_->begin_part(*writer_);
  }
  void measure() {
    measured_ = now_;
    const std::uint64_t memory = mallinfo2().uordblks;  // 0 under a sanitizer
    const bool is_early = now_ - kStart < plan_.length / 5;
    std::uint64_t& most = is_early ? result_.memory_early : result_.memory_late;
    most = std::max(most, memory);
  }

  static constexpr nanoseconds kStart = 1000s;
  LongRunPlan plan_;
  Parts parts_;
  nanoseconds now_ = kStart;
  nanoseconds due_;
  nanoseconds measured_{};
  LongRunResult result_;
  Nowhere sink_;
  ByteRing queue_{std::size_t{1} << 20};
  SampleConsumer consumer_{queue_};
  std::unique_ptr<gpf::Writer> writer_;
  std::optional<SampleStream> stream_;
};

}  // namespace

LongRunResult run_long(const LongRunPlan& plan) {
  Server server{plan};
  Recording recording{plan};
  Doorbell bell;
  SamplerControl control;
  control.resume(recording.now());
  SamplerProgress progress;
  Sampler sampler{{server, recording.queue(), bell, control, progress, recording},
                  {.interval = plan.interval, .duration = plan.length}};
  static_cast<void>(sampler.run());
  LongRunResult result = recording.finish();
  result.dropped_samples = progress.dropped_samples;
  return result;
}

}  // namespace gauge
