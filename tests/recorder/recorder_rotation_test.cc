// Rotated recordings with real threads, clock and files; only the interpreter is scripted.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <thread>

#include "formats/base/error.h"
#include "formats/gpf/parts.h"
#include "recorder/recorder.h"
#include "recorder/recording_file.h"
#include "tests/recorder/read_back.h"
#include "tests/recorder/scripted_source.h"
#include "tests/support/temporary_folder.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// Look number i finds main(), which was there before, calling a new function "f<i>" with a long file name: 64 KiB are
/// soon full, and what is missing or stands twice is seen.
std::unique_ptr<ScriptedSource> counting_source() {
  auto source = std::make_unique<ScriptedSource>();
  source->on_look = [count = std::uint32_t{0}](StackVisitor& visitor) mutable {
    if (count == 0) {
      visitor.on_code({1, "main", "main", "app", "app.py", 1, {}});
      visitor.on_thread({1, 4711, 1, 0, "Main"});
    }
    ++count;
    std::string file;  // which does not compress
    for (std::uint32_t i = 0; i < 64; ++i) file += fmt::format("{:08x}", (count * 64 + i) * 2654435761U);
    const std::string name = fmt::format("f{}", count);
    visitor.on_code({count + 1, name, name, "app", file, 1, {}});
    ScriptedSource::show_sample(visitor, 1, SystemClock{}.now(), {{count + 1, 0}, {1, 0}});
  };
  return source;
}

std::string number_name(std::uint64_t number) { return fmt::format("out-{:04}.gpf", number); }

class RotatedRecorderTest : public ::testing::Test {
 protected:
  [[nodiscard]] RecorderOptions options(RotationLimits limits) const {
    return {.path = folder_.path("out.gpf"), .interval = 1ms, .rotation = limits, .run_id = std::string(16, 'r')};
  }
  static void wait_for_parts(Recorder& recorder, std::uint64_t count) {
    for (int i = 0; i < 3000 && recorder.stats().parts < count && recorder.stats().is_running; ++i)
      std::this_thread::sleep_for(10ms);
    ASSERT_GE(recorder.stats().parts, count);
  }
  /// The recordings in the folder, in order of their names. What a kill has left without a header is none.
  [[nodiscard]] std::map<std::string, ReadBack> parts() const {
    std::map<std::string, ReadBack> parts;
    for (const auto& entry : fs::directory_iterator{folder_.path("")}) {
      if (entry.path().extension() == ".gpf" && entry.file_size() != 0)
        parts.emplace(entry.path().filename().string(), ReadBack::of_file(entry.path().string()));
    }
    return parts;
  }
  /// Expects that they have f1, f2, f3, ..., each once, and no hole.
  static std::size_t expect_all_samples(const std::map<std::string, ReadBack>& parts) {
    std::size_t count = 0;
    for (const auto& [name, part] : parts) {
      for (const std::string& stack : part.stacks()) {
        EXPECT_EQ(stack, fmt::format("main:0;f{}:0", ++count)) << name;
        if (::testing::Test::HasFailure()) return count;
      }
    }
    return count;
  }

  TemporaryFolder folder_;
  PythonFacts facts_{.implementation = "cpython", .version = "3.12.1", .build = "3.12.1 (main)"};
};

TEST_F(RotatedRecorderTest, PartsOfASizeHaveEverySampleOnce) {
  constexpr std::uint64_t kLimit = 64 << 10;
  Recorder recorder{options({.bytes = kLimit})};
  recorder.start(counting_source(), facts_);
  EXPECT_EQ(recorder.path(), folder_.path("out-0001.gpf"));
  wait_for_parts(recorder, 4);
  recorder.stop();
  const RecorderStats stats = recorder.stats();
  const auto parts = this->parts();
  ASSERT_EQ(parts.size(), stats.parts);
  EXPECT_EQ(expect_all_samples(parts), stats.samples);
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  gpf::Losses losses;
  for (const auto& [name, part] : parts) {
    EXPECT_EQ(name, number_name(++number));
    EXPECT_EQ(part.metadata().part, number);
    EXPECT_EQ(part.end_reason(), number == stats.parts ? "stop" : "rotate");
    EXPECT_TRUE(part.report().is_complete());
    EXPECT_EQ(part.losses().samples, part.sample_count());
    losses.ticks += part.losses().ticks;
    losses.missed_ticks += part.losses().missed_ticks;
    bytes += part.report().file_bytes;
    if (number != stats.parts) {
      EXPECT_GT(part.report().file_bytes, kLimit / 2);
      EXPECT_LT(part.report().file_bytes, 3 * kLimit);  // a busy machine lets more come at once
    }
  }
  EXPECT_EQ(losses.ticks, stats.ticks);
  EXPECT_EQ(losses.missed_ticks, stats.missed_ticks);
  EXPECT_EQ(bytes, stats.bytes);
  EXPECT_EQ(recorder.path(), folder_.path(number_name(number)));
  for (const auto& entry : fs::directory_iterator{folder_.path("")}) EXPECT_EQ(entry.path().extension(), ".gpf");
}

TEST_F(RotatedRecorderTest, PartsOfATimeFollowOnEachOther) {
  Recorder recorder{options({.time = 1s})};
  recorder.start(counting_source(), facts_);
  wait_for_parts(recorder, 3);
  recorder.stop();
  const auto parts = this->parts();
  ASSERT_GE(parts.size(), 3U);
  expect_all_samples(parts);
  const ReadBack& first = parts.at(number_name(1));
  const ReadBack& second = parts.at(number_name(2));
  EXPECT_EQ(gpf::part_key(first.metadata()), gpf::part_key(second.metadata()));
  EXPECT_EQ(second.metadata().first_start_monotonic_ns, first.metadata().start_monotonic_ns);
  const std::int64_t length = second.metadata().start_monotonic_ns - first.metadata().start_monotonic_ns;
  EXPECT_GE(length, 700'000'000);  // it ends with a sample, which is older where the sampler had no core
  EXPECT_NEAR(static_cast<double>(second.metadata().start_unix_ns - first.metadata().start_unix_ns),
              static_cast<double>(length), 5e6);
}

TEST_F(RotatedRecorderTest, APauseMakesNoParts) {
  Recorder recorder{options({.time = 1s})};
  recorder.start(counting_source(), facts_);
  recorder.pause();
  std::this_thread::sleep_for(2500ms);
  EXPECT_EQ(recorder.stats().parts, 1U);
  recorder.resume();
  wait_for_parts(recorder, 2);
  recorder.stop();
}

TEST_F(RotatedRecorderTest, ANameThatIsTakenIsPassedOver) {
  put(folder_.path("out-0002.gpf"), "somebody's");
  Recorder recorder{options({.bytes = 64 << 10})};
  recorder.start(counting_source(), facts_);
  wait_for_parts(recorder, 2);
  recorder.stop();
  EXPECT_EQ(contents(folder_.path("out-0002.gpf")), "somebody's");
  const ReadBack second = ReadBack::of_file(folder_.path("out-0003.gpf"));
  EXPECT_EQ(second.metadata().part, 2U);
}

TEST_F(RotatedRecorderTest, AFirstNameThatIsTakenIsRefused) {
  put(folder_.path("out-0001.gpf"), "somebody's");
  Recorder recorder{options({.time = 1h})};
  EXPECT_THROW(recorder.start(counting_source(), facts_), FileExistsError);
  EXPECT_EQ(contents(folder_.path("out-0001.gpf")), "somebody's");
}

TEST_F(RotatedRecorderTest, NamesThatAreTakenMayBeReplaced) {
  put(folder_.path("out-0001.gpf"), "old");
  put(folder_.path("out-0002.gpf"), "old");
  RecorderOptions replacing = options({.bytes = 64 << 10});
  replacing.replace = true;
  Recorder recorder{replacing};
  recorder.start(counting_source(), facts_);
  wait_for_parts(recorder, 2);
  recorder.stop();
  expect_all_samples(parts());
}

TEST_F(RotatedRecorderTest, WhereNoFileCanBeMadeTheRecordingEndsWithTheReason) {
  for (int number = 2; number <= 1001; ++number) put(folder_.path(fmt::format("out-{:04}.gpf", number)), "taken");
  Recorder recorder{options({.bytes = 64 << 10})};
  recorder.start(counting_source(), facts_);
  for (int i = 0; i < 3000 && recorder.stats().is_running; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_THROW(recorder.stop(), Error);
  const ReadBack part = ReadBack::of_file(folder_.path("out-0001.gpf"));
  EXPECT_TRUE(part.end_reason().starts_with("error: " + folder_.path("out-1001.gpf") + ": exists already"))
      << part.end_reason();
  EXPECT_GE(part.sample_count(), recorder.stats().samples);
}

TEST_F(RotatedRecorderTest, AFolderThatGetsAnotherNameIsStillTheirs) {
  fs::create_directory(folder_.path("before"));
  RecorderOptions moved = options({.bytes = 64 << 10});
  moved.path = folder_.path("before/out.gpf");
  Recorder recorder{moved};
  recorder.start(counting_source(), facts_);
  fs::rename(folder_.path("before"), folder_.path("after"));
  for (int i = 0; i < 3000 && !fs::exists(folder_.path("after/out-0002.gpf")); ++i) std::this_thread::sleep_for(10ms);
  recorder.stop();
  EXPECT_EQ(ReadBack::of_file(folder_.path("after/out-0001.gpf")).end_reason(), "rotate");
  EXPECT_TRUE(fs::exists(folder_.path("after/out-0002.gpf")));
  EXPECT_FALSE(fs::exists(folder_.path("before")));
}

TEST_F(RotatedRecorderTest, WhereverItIsKilledOnlyTheLastMomentsAreMissing) {
  for (int round = 0; round < 20; ++round) {
    for (const auto& entry : fs::directory_iterator{folder_.path("")}) fs::remove(entry);
    const pid_t child = fork();
    if (child == 0) {
      Recorder recorder{options({.bytes = 64 << 10})};
      recorder.start(counting_source(), facts_);
      for (;;) pause();
    }
    for (int i = 0; i < 3000 && !fs::exists(folder_.path("out-0002.gpf")); ++i) std::this_thread::sleep_for(10ms);
    std::this_thread::sleep_for(round * 7ms);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const auto parts = this->parts();
    const std::size_t count = expect_all_samples(parts);
    if (HasFailure()) return;
    EXPECT_GT(count, 50U);
    std::size_t cut = 0;
    for (const auto& [name, part] : parts) cut += part.report().truncated ? 1 : 0;
    EXPECT_LE(cut, 2U);  // between two parts: the one that ends and the one that has just begun
  }
}

TEST_F(RotatedRecorderTest, RefusesLimitsThatAreTooSmall) {
  EXPECT_THROW(Recorder{options({.time = 1ms})}, Error);
  EXPECT_THROW(Recorder{options({.time = -1s})}, Error);
  EXPECT_THROW(Recorder{options({.bytes = 1})}, Error);
}

TEST_F(RotatedRecorderTest, RefusesADevice) {
  RecorderOptions device = options({.time = 1h});
  device.path = "/dev/null";
  Recorder recorder{device};
  EXPECT_THROW(recorder.start(counting_source(), facts_), Error);
  EXPECT_FALSE(fs::exists("/dev/null-0001"));
}

TEST_F(RotatedRecorderTest, AfterAFlushTheFileAloneHasAllThatWasSampled) {
  Recorder recorder{options({})};
  recorder.start(counting_source(), facts_);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(30ms);
    const std::uint64_t ticks = recorder.stats().ticks;
    recorder.flush(round % 2 == 1);
    // Without the open block, which would tell as much.
    const gpf::Recording file = gpf::Recording::from_bytes(contents(folder_.path("out.gpf")), "copy");
    EXPECT_GE(ReadBack{file}.sample_count() + 1, ticks);  // the last tick may not have been queued yet
  }
  recorder.stop();
  EXPECT_NO_THROW(recorder.flush());
}

TEST_F(RotatedRecorderTest, AFlushTellsWhatHadEndedTheRecording) {
  Recorder recorder{options({})};
  recorder.start(counting_source(), facts_);
  fs::remove(folder_.path("out.gpf"));
  for (int i = 0; i < 3000 && recorder.stats().is_running; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_THROW(recorder.flush(), Error);
  EXPECT_THROW(recorder.stop(), Error);
}

}  // namespace
}  // namespace gauge
