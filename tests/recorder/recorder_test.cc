// Whole recordings with real threads, clock and files; only the interpreter is scripted.
#include "recorder/recorder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <atomic>
#include <filesystem>
#include <thread>

#include "formats/base/error.h"
#include "tests/recorder/read_back.h"
#include "tests/recorder/scripted_source.h"
#include "tests/support/temporary_folder.h"

namespace gauge {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// One thread "Main" that always runs work() below main().
std::unique_ptr<ScriptedSource> steady_source() {
  auto source = std::make_unique<ScriptedSource>();
  source->on_look = [shown = false](StackVisitor& visitor) mutable {
    if (!shown) {
      shown = visitor.on_code({1, "main", "main", "app", "app.py", 10, {}}) &&
              visitor.on_code({2, "work", "Job.work", "app", "app.py", 20, {}}) &&
              visitor.on_thread({1, 4711, 1, 0, "Main"});
    }
    ScriptedSource::show_sample(visitor, 1, SystemClock{}.now(), {{2, 0}, {1, 0}});
  };
  return source;
}

class RecorderTest : public ::testing::Test {
 protected:
  [[nodiscard]] RecorderOptions options(const std::string& name = "out.gpf") const {
    return {.path = folder_.path(name), .interval = 1ms, .run_id = std::string(16, 'r')};
  }
  [[nodiscard]] std::string path(const std::string& name = "out.gpf") const { return folder_.path(name); }

  static constexpr std::string_view kNothing = "no error";
  static std::string message_of(const std::function<void()>& action) {
    try {
      action();
      return std::string{kNothing};
    } catch (const Error& error) {
      return error.what();
    }
  }

  TemporaryFolder folder_;
  PythonFacts facts_{
      .implementation = "cpython", .version = "3.12.1", .build = "3.12.1 (main)", .import_roots = {"/lib"}};
};

TEST_F(RecorderTest, WritesACompleteRecording) {
  Recorder recorder{options("out-%p-%n.gpf")};
  const auto before_start = std::chrono::steady_clock::now();
  recorder.start(steady_source(), facts_);
  std::this_thread::sleep_for(200ms);
  recorder.stop();
  const auto at_most = (std::chrono::steady_clock::now() - before_start) / 1ms;
  const std::string file = path("out-" + std::to_string(getpid()) + "-1.gpf");
  EXPECT_EQ(recorder.path(), file);
  const ReadBack recording = ReadBack::of_file(file);
  EXPECT_TRUE(recording.report().is_complete());
  EXPECT_EQ(recording.end_reason(), "stop");
  EXPECT_EQ(recording.stacks().at(0), "main:0;work:0");
  EXPECT_EQ(recording.thread_names().at(0), "Main");
  EXPECT_EQ(recording.sample_count(), recorder.stats().samples);
  EXPECT_EQ(recording.losses().ticks, recorder.stats().ticks);
  EXPECT_EQ(fs::file_size(file), recorder.stats().bytes);
  // 200 slots and more where the machine is busy, which also misses some: they are counted. None but the first
  // and the last may be in doubt; 20 leave room for a sampler that was waiting for its core when it was stopped.
  EXPECT_GE(recording.losses().ticks + recording.losses().missed_ticks, 180U);
  EXPECT_LE(recording.losses().ticks + recording.losses().missed_ticks, static_cast<std::uint64_t>(at_most) + 20);
}

TEST_F(RecorderTest, MetadataTellsWhatWasRecorded) {
  Recorder recorder{options()};
  recorder.start(steady_source(), facts_);
  recorder.stop();
  const gpf::Metadata metadata = ReadBack::of_file(path()).metadata();
  EXPECT_EQ(metadata.run_id, std::string(16, 'r'));
  EXPECT_EQ(metadata.pid, static_cast<std::uint64_t>(getpid()));
  EXPECT_EQ(metadata.ppid, static_cast<std::uint64_t>(getppid()));
  EXPECT_EQ(metadata.executable, fs::read_symlink("/proc/self/exe"));
  EXPECT_EQ(metadata.working_directory, fs::current_path());
  EXPECT_EQ(metadata.command.at(0), contents("/proc/self/cmdline").c_str());
  EXPECT_EQ(metadata.implementation, "cpython");
  EXPECT_EQ(metadata.python_version, "3.12.1");
  EXPECT_EQ(metadata.import_roots, facts_.import_roots);
  EXPECT_EQ(metadata.interval_ns, 1'000'000U);
  EXPECT_EQ(metadata.reader, "scripted");
  EXPECT_EQ(metadata.boot_id.size(), 36U);
  EXPECT_GT(metadata.start_unix_ns, 0);
}

TEST_F(RecorderTest, BlocksReachTheDiskWhileItRuns) {
  Recorder recorder{options()};
  recorder.start(steady_source(), facts_);
  std::this_thread::sleep_for(1500ms);
  const ReadBack so_far = ReadBack::of_file(path());
  EXPECT_TRUE(so_far.report().truncated);
  EXPECT_GT(so_far.sample_count(), 500U);
  EXPECT_GE(so_far.anchors().size(), 1U);
  EXPECT_GT(so_far.losses().sampler_cpu_ns, 0U);
  recorder.stop();
}

TEST_F(RecorderTest, PauseLeavesAMarkedGapAndResumeGoesOn) {
  Recorder recorder{options()};
  recorder.start(steady_source(), facts_);
  std::this_thread::sleep_for(50ms);
  recorder.pause();
  EXPECT_TRUE(recorder.is_paused());
  std::this_thread::sleep_for(50ms);  // a look that was under way ends
  const std::uint64_t ticks = recorder.stats().ticks;
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(recorder.stats().ticks, ticks);
  recorder.resume();
  EXPECT_FALSE(recorder.is_paused());
  std::this_thread::sleep_for(50ms);
  recorder.stop();
  const ReadBack recording = ReadBack::of_file(path());
  EXPECT_GT(recording.sample_count(), ticks);
  EXPECT_EQ(recording.statuses().at(ticks) & gpf::kAfterGap, std::uint32_t{gpf::kAfterGap});
}

TEST_F(RecorderTest, EndsByItselfAfterItsDuration) {
  RecorderOptions limited = options();
  limited.duration = 50ms;
  Recorder recorder{limited};
  recorder.start(steady_source(), facts_);
  for (int i = 0; i < 500 && recorder.stats().is_running; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(recorder.stats().end_reason, "duration");
  EXPECT_EQ(ReadBack::of_file(path()).end_reason(), "duration");
  Recorder next{options("next.gpf")};  // nothing runs any more, so nothing is in the way
  next.start(steady_source(), facts_);
  recorder.stop();  // harmless to the other one
  EXPECT_TRUE(next.stats().is_running);
  next.stop();
}

TEST_F(RecorderTest, CanBeStartedAgainIntoANewFile) {
  Recorder recorder{options("%n.gpf")};
  for (int i = 0; i < 2; ++i) {
    recorder.start(steady_source(), facts_);
    std::this_thread::sleep_for(10ms);
    recorder.stop();
  }
  EXPECT_TRUE(ReadBack::of_file(path("1.gpf")).report().is_complete());
  EXPECT_TRUE(ReadBack::of_file(path("2.gpf")).report().is_complete());
}

TEST_F(RecorderTest, RefusesASecondRecordingOfTheProcess) {
  Recorder first{options()};
  Recorder second{options("second.gpf")};
  first.start(steady_source(), facts_);
  const std::string expected = "recorder: a recording of this process is running already; stop it first";
  EXPECT_EQ(message_of([&] { second.start(steady_source(), facts_); }), expected);
  EXPECT_EQ(message_of([&] { first.start(steady_source(), facts_); }), expected);
  EXPECT_FALSE(fs::exists(path("second.gpf")));
  EXPECT_TRUE(first.stats().is_running);
  first.stop();
  second.start(steady_source(), facts_);
  second.stop();
}

TEST_F(RecorderTest, StopAndPauseAreHarmlessWhenNothingRuns) {
  Recorder recorder{options()};
  recorder.stop();
  recorder.pause();
  recorder.resume();
  EXPECT_FALSE(recorder.stats().is_running);
  EXPECT_EQ(recorder.stats().samples, 0U);
  EXPECT_EQ(folder_.count(), 0U);
}

TEST_F(RecorderTest, RefusesNonsenseInWords) {
  const auto message = [](RecorderOptions given) { return message_of([&] { const Recorder recorder{given}; }); };
  EXPECT_EQ(message({.path = ""}), "path: is empty; name the file to record into");
  EXPECT_EQ(message({.path = "x", .interval = 0ns}), "interval: 0 ns is out of range; choose 10 us (100 kHz) to 1 h");
  EXPECT_EQ(message({.path = "x", .interval = -1s}),
            "interval: -1000000000 ns is out of range; choose 10 us (100 kHz) to 1 h");
  EXPECT_EQ(message({.path = "x", .interval = 2h}),
            "interval: 7200000000000 ns is out of range; choose 10 us (100 kHz) to 1 h");
  EXPECT_EQ(message({.path = "x", .duration = -1ns}), "duration: -1 ns is negative; choose 0 to record until stopped");
  EXPECT_EQ(message({.path = "x", .run_id = "abc"}), "run_id: is 3 bytes long; give 16 bytes, or none");
}

TEST_F(RecorderTest, WhatFailsAtTheStartIsThrownThereAndLeavesNothing) {
  Recorder recorder{options()};
  auto broken = std::make_unique<ScriptedSource>();
  broken->on_open = [] { throw Error{ErrorCode::unsupported, "interpreter: is not known; upgrade gauge"}; };
  EXPECT_EQ(message_of([&] { recorder.start(std::move(broken), facts_); }), "interpreter: is not known; upgrade gauge");
  EXPECT_EQ(folder_.count(), 0U);

  Recorder nowhere{options("no/such/folder/out.gpf")};
  EXPECT_EQ(message_of([&] { nowhere.start(steady_source(), facts_); }),
            path("no/such/folder/out.gpf") +
                ": cannot be created (No such file or directory); choose another file or folder");
  recorder.start(steady_source(), facts_);  // neither failure is in the way
  recorder.stop();
}

TEST_F(RecorderTest, AFailedReplacementKeepsTheOldRecording) {
  put(path(), "old recording");
  RecorderOptions replacing = options();
  replacing.replace = true;
  Recorder recorder{replacing};
  auto broken = std::make_unique<ScriptedSource>();
  broken->on_open = [] { throw Error{ErrorCode::unsupported, "no"}; };
  EXPECT_EQ(message_of([&] { recorder.start(std::move(broken), facts_); }), "no");
  EXPECT_EQ(contents(path()), "old recording");
  EXPECT_EQ(folder_.count(), 1U);
}

TEST_F(RecorderTest, AFailureWhileRecordingIsKeptAndThrownByStopOnce) {
  Recorder recorder{options()};
  recorder.start(steady_source(), facts_);
  fs::remove(path());
  for (int i = 0; i < 500 && recorder.stats().is_running; ++i) std::this_thread::sleep_for(10ms);
  const std::string expected = path() + ": was deleted while it was written; record again";
  EXPECT_EQ(recorder.stats().end_reason, "error: " + expected);
  EXPECT_EQ(message_of([&] { recorder.stop(); }), expected);
  EXPECT_EQ(message_of([&] { recorder.stop(); }), kNothing);
  EXPECT_EQ(recorder.stats().end_reason, "error: " + expected);
}

TEST_F(RecorderTest, TheEndOfTheInterpreterEndsTheRecording) {
  Recorder recorder{options()};
  auto source = steady_source();
  source->on_look = [ending = &source->is_ending, look = source->on_look](StackVisitor& visitor) {
    look(visitor);
    *ending = true;
  };
  recorder.start(std::move(source), facts_);
  for (int i = 0; i < 500 && recorder.stats().is_running; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(ReadBack::of_file(path()).end_reason(), "exit");
}

TEST_F(RecorderTest, ItsThreadsAreNamedAndBlockEverySignal) {
  Recorder recorder{options()};
  recorder.start(steady_source(), facts_);
  std::map<std::string, std::string> blocked;
  for (const auto& task : fs::directory_iterator{"/proc/self/task"}) {
    const std::string status = contents((task.path() / "status").string());
    const std::string name = status.substr(6, status.find('\n') - 6);
    blocked[name] = status.substr(status.find("SigBlk:\t") + 8, 16);
  }
  recorder.stop();
  // All 64 but KILL, STOP, and the two that glibc keeps for itself (32, 33).
  EXPECT_EQ(blocked.at("gauge-sampler"), "fffffffe7ffbfeff");
  EXPECT_EQ(blocked.at("gauge-writer"), "fffffffe7ffbfeff");
}

TEST_F(RecorderTest, TheProgramSeesNoDescriptorOfOurs) {
  const auto open_descriptors = [] {
    return std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{});
  };
  const auto before = open_descriptors();
  Recorder recorder{options()};
  recorder.start(steady_source(), facts_);
  EXPECT_EQ(open_descriptors(), before);
  recorder.stop();
  EXPECT_EQ(open_descriptors(), before);
}

/// Runs `body` in a forked child. @return its exit status
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(RecorderTest, AForkedChildHasADeadRecorderThatDoesNoHarm) {
  Recorder recorder{options()};
  recorder.start(steady_source(), facts_);
  std::this_thread::sleep_for(20ms);
  const int status = in_child([&] {
    if (recorder.stats().is_running || recorder.stats().end_reason != "fork") return 1;
    recorder.pause();
    recorder.stop();
    stop_recording_of_process("exit");
    return 0;
  });
  EXPECT_EQ(status, 0);
  std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(recorder.stats().is_running);
  recorder.stop();
  EXPECT_TRUE(ReadBack::of_file(path()).report().is_complete());
}

TEST_F(RecorderTest, AForkedChildMayRecordItself) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer lets no thread start in the child of a process with threads";
#endif
  Recorder recorder{options("%p.gpf")};
  recorder.start(steady_source(), facts_);
  const int status = in_child([&] {
    recorder.start(steady_source(), facts_);
    std::this_thread::sleep_for(50ms);
    recorder.stop();
    return recorder.path() == path(std::to_string(getpid()) + ".gpf") ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  recorder.stop();
  ASSERT_EQ(folder_.count(), 2U);
  EXPECT_TRUE(ReadBack::of_file(recorder.path()).report().is_complete());
}

TEST_F(RecorderTest, ForkingUnderLoadHurtsNeitherSide) {
  RecorderOptions fast = options();
  fast.interval = 100us;
  Recorder recorder{fast};
  recorder.start(steady_source(), facts_);
  std::atomic<bool> is_done{false};
  std::thread allocating{[&] {
    while (!is_done) {
      std::vector<std::string> rubbish;
      for (int i = 0; i < 100; ++i) rubbish.emplace_back(static_cast<std::size_t>(i) * 17, 'x');
    }
  }};
  int failures = 0;
  for (int i = 0; i < 200; ++i) {
    failures += in_child([&] {
      const std::vector<int> works(1000);
      recorder.stop();
      return static_cast<int>(works.size()) == 1000 ? 0 : 1;
    });
  }
  is_done = true;
  allocating.join();
  EXPECT_EQ(failures, 0);
  recorder.stop();
  EXPECT_TRUE(ReadBack::of_file(path()).report().is_complete());
}

TEST_F(RecorderTest, AKilledProcessLeavesAReadableFile) {
  const pid_t child = fork();
  if (child == 0) {
    Recorder recorder{options()};
    recorder.start(steady_source(), facts_);
    std::this_thread::sleep_for(1500ms);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  const ReadBack recording = ReadBack::of_file(path());
  EXPECT_TRUE(recording.report().truncated);
  EXPECT_TRUE(recording.report().damage.empty());
  EXPECT_GT(recording.sample_count(), 500U);
}

/// At each look a new function, whose lines take more memory than its names ever would.
std::unique_ptr<ScriptedSource> source_of_long_functions() {
  auto source = std::make_unique<ScriptedSource>();
  std::vector<std::byte> lines;  // of 3.11: each entry is an instruction on the next line, without columns
  for (int i = 0; i < 20'000; ++i) lines.insert(lines.end(), {std::byte{0xE8}, std::byte{2}});
  source->on_look = [number = 0U, lines = std::move(lines)](StackVisitor& visitor) mutable {
    if (++number == 1) visitor.on_thread({1, 4711, 1, 0, "Main"});
    const std::string name = fmt::format("function_{}", number);
    if (!visitor.on_code({number, name, "", "app", "app.py", 10, lines})) return;
    ScriptedSource::show_sample(visitor, 1, SystemClock{}.now(), {{number, 0}});
  };
  return source;
}

TEST_F(RecorderTest, MemoryThatIsUsedUpEndsTheRecordingInWords) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers end a process that uses up its memory";
#endif
  Recorder recorder{options()};
  const std::string expected =
      path() +
      ": cannot be continued (the program has used up the memory it may have); what was recorded until then is kept";
  const int status = in_child([&] {
    recorder.start(source_of_long_functions(), facts_);
    while (recorder.stats().ticks < 20) std::this_thread::sleep_for(1ms);
    recorder.flush();
    const rlimit no_more{1, 1};
    setrlimit(RLIMIT_AS, &no_more);
    while (recorder.stats().is_running) std::this_thread::sleep_for(10ms);
    return message_of([&] { recorder.stop(); }) == expected ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  const ReadBack recording = ReadBack::of_file(path());
  EXPECT_TRUE(recording.report().damage.empty());
  EXPECT_GT(recording.sample_count(), 10U);
}

}  // namespace
}  // namespace gauge
