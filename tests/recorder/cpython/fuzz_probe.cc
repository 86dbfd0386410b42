// A Python extension for tests: samples the interpreter it is imported into through a reader that lies, as fast as it
// can, and holds what comes of it to the rules of StackSource. fuzz_reader.py keeps the interpreter busy meanwhile.
#include <Python.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/records.h"
#include "recorder/cpython/line_table.h"
#include "recorder/cpython/live_source.h"
#include "recorder/cpython/process_source.h"
#include "tests/recorder/cpython/unreliable_reader.h"

namespace gauge::cpython {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int kMinor = (PY_VERSION_HEX >> 16) & 0xFF;
/// CPU time that one look may take, be its reads what they may.
constexpr std::chrono::seconds kLongestLook{10};

nanoseconds time_of(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

/// Holds what it is shown to the rules of StackVisitor, and keeps the first one that is broken. Refuses now and then.
class Inspector final : public StackVisitor {
 public:
  explicit Inspector(std::uint64_t seed) : random_(seed) {}

  bool on_code(const CodeSight& code) noexcept override {
    require(is_new(codes_, code.code), "a code object's id was given before");
    for (const std::string_view text : {code.name, code.qualified_name, code.module, code.file}) {
      require(text.size() <= CodeCache::kMaxTextBytes, "a text is too long");
    }
    require(code.line_table.size() <= CodeCache::kMaxLineTableBytes, "a line table is too long");
    const LineTable lines(line_table_kind(kMinor), code.line_table, code.first_line);
    for (int i = 0; i < 4; ++i) (void)lines.position_of(static_cast<std::int32_t>(random_()));
    return accept(codes_, code.code);
  }
  bool on_thread(const ThreadSight& thread) noexcept override {
    require(thread.thread != 0, "a thread has no number");
    require(thread.name.size() <= ThreadNames::kMaxNameBytes, "a thread's name is too long");
    return accept(threads_, thread.thread);
  }
  bool on_task(const TaskSight& task) noexcept override {
    require(is_new(tasks_, task.task), "a task's number was given before");
    require(task.name.size() <= TaskFinder::kMaxNameBytes, "a task's name is too long");
    require(task.name.empty() || task.number == 0, "a task has a name and a number");
    return accept(tasks_, task.task);
  }
  bool on_sample(const ThreadSample& sample) noexcept override {
    constexpr std::uint32_t kKnown = 2 * gpf::kReady - 1 - gpf::kAfterGap;
    require(is_known(threads_, sample.thread), "a sample is of a thread that was not shown");
    require(!sample.frames.empty() && sample.frames.size() <= StackWalker::kMaxDepth, "a stack is empty or too deep");
    require(sample.same_frames <= sample.frames.size(), "more frames stayed than there are");
    require(sample.cpu >= nanoseconds{0}, "CPU time runs backwards");
    require((sample.status & ~kKnown) == 0, "a status has unknown bits");
    require_right(sample.task, sample.frames.size());
    for (const SampledFrame& frame : sample.frames) {
      require(is_known(codes_, frame.code), "a frame is of code that was not shown");
      require(frame.instruction >= -1, "an instruction lies before its code");
    }
    ++samples;
    return true;
  }

  std::atomic<const char*> broken_rule = nullptr;
  std::atomic<std::uint64_t> samples = 0;
  std::uint64_t refusals = 0;
  [[nodiscard]] std::uint64_t codes() const noexcept { return codes_.size(); }
  [[nodiscard]] std::uint64_t threads() const noexcept { return threads_.size(); }
  [[nodiscard]] std::uint64_t tasks() const noexcept { return tasks_.size(); }

 private:
  using Ids = std::vector<bool>;  // by id: shown and taken

  void require_right(const TaskShare& task, std::size_t depth) noexcept {
    if (task.task == 0) return;
    require(is_known(tasks_, task.task), "a sample is of a task that was not shown");
    require(task.outer_frames < depth, "a task has no frame of its own");
    require(task.same_frames <= depth - task.outer_frames, "more of a task's frames stayed than there are");
  }
  void require(bool holds, const char* rule) noexcept {
    if (!holds && broken_rule == nullptr) broken_rule = rule;
  }
  [[nodiscard]] static bool is_known(const Ids& ids, std::uint32_t id) { return id < ids.size() && ids[id]; }
  [[nodiscard]] static bool is_new(const Ids& ids, std::uint32_t id) { return id != 0 && !is_known(ids, id); }
  bool accept(Ids& ids, std::uint32_t id) {
    if (random_() % 16 == 0) {
      ++refusals;
      return false;
    }
    if (id >= ids.size()) ids.resize(id + std::size_t{1});
    ids[id] = true;
    return true;
  }

  std::mt19937 random_;
  Ids codes_;
  Ids threads_;
  Ids tasks_;
};

/// A source that is looked through, on a thread of its own, and a watch over it on another.
class Session {
 public:
  Session(std::unique_ptr<StackSource> source, std::uint64_t seed)
      : source_(std::move(source)), seed_(seed), inspector_(seed), looker_([this] { run(); }) {
    while (!is_open_) std::this_thread::sleep_for(milliseconds{1});
    if (error_.empty()) watch_ = std::thread([this] { watch(); });
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const char* broken_rule() const { return inspector_.broken_rule; }
  [[nodiscard]] std::uint64_t looks() const { return looks_; }
  [[nodiscard]] std::uint64_t samples_of_last_look() const { return samples_of_last_look_; }
  void tell_the_truth() { reader_->may_lie = false; }

  /// Ends it, and tells what happened.
  [[nodiscard]] PyObject* stop() {
    must_stop_ = true;
    Py_BEGIN_ALLOW_THREADS;
    while (!has_ended_) std::this_thread::sleep_for(milliseconds{1});
    Py_END_ALLOW_THREADS;
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:d}", "looks", number(looks_), "samples",
                         number(inspector_.samples), "codes", number(inspector_.codes()), "threads",
                         number(inspector_.threads()), "tasks", number(inspector_.tasks()), "refusals",
                         number(inspector_.refusals), "lies", number(reader_->lies()), "failed_reads",
                         number(source_->counters().failed_reads), "longest_look_ms",
                         std::chrono::duration<double, std::milli>(longest_look_).count());
  }

 private:
  void open() {
    auto reader = std::make_unique<UnreliableReader>(seed_);
    reader_ = reader.get();
    static_cast<LiveSource&>(*source_).open_with(std::move(reader));
    pthread_getcpuclockid(pthread_self(), &clock_);
  }

  void run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    try {
      open();
    } catch (const Error& failure) {
      error_ = failure.what();
    }
    is_open_ = true;
    if (!error_.empty()) return;
    reader_->may_lie = true;
    std::mt19937 random(static_cast<std::uint32_t>(seed_));
    while (!must_stop_ && broken_rule() == nullptr) {
      look();
      // Now and then the program comes to run for a while.
      if (random() % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds{random() % 500});
    }
    has_ended_ = true;
  }

  void look() {
    const std::uint64_t before = inspector_.samples;
    const nanoseconds start = time_of(CLOCK_THREAD_CPUTIME_ID);
    look_started_ = start;
    source_->look(inspector_);
    look_started_ = kNotLooking;
    longest_look_ = std::max(longest_look_, time_of(CLOCK_THREAD_CPUTIME_ID) - start);
    samples_of_last_look_ = inspector_.samples - before;
    ++looks_;
  }

  /// Ends the process in the middle of a look that does not.
  void watch() const {
    while (!has_ended_) {
      std::this_thread::sleep_for(milliseconds{100});
      const nanoseconds start = look_started_;
      if (start == kNotLooking || time_of(clock_) - start < kLongestLook) continue;
      std::fprintf(stderr, "fuzz_reader: seed %llu: a look did not end within %lld s of CPU time\n",
                   static_cast<unsigned long long>(seed_), static_cast<long long>(kLongestLook.count()));
      std::abort();
    }
  }

  static constexpr nanoseconds kNotLooking = nanoseconds::max();

  std::unique_ptr<StackSource> source_;
  const std::uint64_t seed_;
  UnreliableReader* reader_ = nullptr;
  Inspector inspector_;
  std::string error_;
  clockid_t clock_{};
  nanoseconds longest_look_{};
  std::atomic<nanoseconds> look_started_ = kNotLooking;  // by clock_
  std::atomic<std::uint64_t> looks_ = 0;
  std::atomic<std::uint64_t> samples_of_last_look_ = 0;
  std::atomic<bool> must_stop_ = false;
  std::atomic<bool> is_open_ = false;
  std::atomic<bool> has_ended_ = false;
  std::thread looker_;  // last: they use the others
  std::thread watch_;
};

Session* session = nullptr;  // leaked: tests end with the process

// start(seed)
PyObject* start(PyObject*, PyObject* seed) {
  const std::uint64_t value = PyLong_AsUnsignedLongLong(seed);
  if (PyErr_Occurred() != nullptr) return nullptr;
  std::string refusal;
  try {
    std::unique_ptr<StackSource> source = make_process_source(1);
    Py_BEGIN_ALLOW_THREADS;
    session = new Session(std::move(source), value);
    Py_END_ALLOW_THREADS;
    refusal = session->error();
  } catch (const Error& failure) {
    refusal = failure.what();
  }
  if (refusal.empty()) Py_RETURN_NONE;
  PyErr_SetString(PyExc_RuntimeError, refusal.c_str());
  return nullptr;
}

// broken_rule() -> what a sight or a sample should not have been; None while all are as they should
PyObject* broken_rule(PyObject*, PyObject*) { return Py_BuildValue("z", session->broken_rule()); }
// looks() -> how many so far
PyObject* looks(PyObject*, PyObject*) { return PyLong_FromUnsignedLongLong(session->looks()); }
// tell_the_truth(): no more lies from here on
PyObject* tell_the_truth(PyObject*, PyObject*) {
  session->tell_the_truth();
  Py_RETURN_NONE;
}
// samples_of_last_look() -> threads that it found with a stack
PyObject* samples_of_last_look(PyObject*, PyObject*) {
  return PyLong_FromUnsignedLongLong(session->samples_of_last_look());
}
// stop() -> what happened
PyObject* stop(PyObject*, PyObject*) { return session->stop(); }

PyMethodDef methods[] = {{"start", start, METH_O, nullptr},
                         {"broken_rule", broken_rule, METH_NOARGS, nullptr},
                         {"looks", looks, METH_NOARGS, nullptr},
                         {"tell_the_truth", tell_the_truth, METH_NOARGS, nullptr},
                         {"samples_of_last_look", samples_of_last_look, METH_NOARGS, nullptr},
                         {"stop", stop, METH_NOARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "fuzz_probe", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace gauge::cpython

PyMODINIT_FUNC PyInit_fuzz_probe() { return PyModule_Create(&gauge::cpython::definition); }
