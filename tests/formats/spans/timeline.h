// Profiles whose samples have times, for tests of what draws time: written down tick by tick.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/profile/profile.h"

namespace gauge::test {

/// Fields of a sample that most tests leave alone.
struct TickOptions {
  std::uint32_t status = 0;
  std::uint32_t same_frames = 0;
  std::chrono::nanoseconds wall{};  // 0 = since this thread's tick before; the interval for its first one
  std::string_view task;            // name; equal ones are one task, of the process that was defined last
  std::uint32_t outer_frames = 0;
  std::uint32_t task_same_frames = 0;
};

/// Builds a profile by hand: one tick after the other, stacks as text, outermost frame first.
///
///   Timeline timeline;
///   timeline.tick(10ms, "main:3;load:7");   // main stands at line 3, load at line 7
///
/// A function is its name, in "<name>.py" from line 1, of a module without a name; ":LINE" may be left out (unknown).
/// The interval is 10 ms and the recording starts at 0, 1,000 s after 1970. "" is a thread without Python frames.
class Timeline {
 public:
  Timeline();

  /// The process that threads defined from now on belong to. The first one is there already.
  ProcessId process(std::uint64_t pid);
  ThreadId thread(std::string_view name, std::uint64_t native_id);
  /// Defines a function that can wait. Those that ticks define cannot.
  void coroutine(std::string_view name);
  /// A sample of the first thread, which is "MainThread", native id 1, unless another was defined before.
  void tick(std::chrono::nanoseconds time, std::string_view stack, const TickOptions& options = {});
  void tick(ThreadId thread, std::chrono::nanoseconds time, std::string_view stack, const TickOptions& options = {});

  ProfileTables tables;  // to be changed at will before profile() is called
  [[nodiscard]] Profile profile() const;

 private:
  FunctionId function(std::string_view name);
  TaskId task(std::string_view name, std::chrono::nanoseconds time);
  StackId child(StackId parent, FunctionId function, std::uint32_t line);
  void count(const Sample& sample);

  std::vector<Sample> samples_;
};

/// Tasks A and B by turns, from 10 ms to 40 ms: "run;a;fetch", "run;b", and both again, in the calls that they were in.
[[nodiscard]] Timeline two_tasks();

}  // namespace gauge::test
