// A Python extension for tests: samples the interpreter it is imported into with the real StackSource, from a native
// thread, and hands what came to Python.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/records.h"
#include "recorder/cpython/line_table.h"
#include "recorder/cpython/live_source.h"
#include "recorder/cpython/memory_readers.h"
#include "recorder/cpython/process_source.h"
#include "tests/recorder/cpython/misplaced_reader.h"
#include "tests/recorder/cpython/unreliable_reader.h"

namespace gauge::cpython {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/// Looks a line up once: a stack of hundreds of frames is otherwise read faster than it is noted.
class CodeLines {
 public:
  CodeLines() = default;
  explicit CodeLines(LineTable table) : table_(std::move(table)) {}

  /// 0 = it has none.
  std::uint32_t line_of(std::int32_t instruction) {
    const auto unit = static_cast<std::size_t>(instruction + 2) / 2;  // -1 is the one before the first
    if (unit >= known_.size()) known_.resize(unit + 1, kUnknown);
    if (known_[unit] == kUnknown) known_[unit] = table_.position_of(instruction).line;
    return known_[unit];
  }

 private:
  static constexpr std::uint32_t kUnknown = UINT32_MAX;

  LineTable table_;
  std::vector<std::uint32_t> known_;
};

struct Code {
  std::string name, file;
  CodeLines lines;
};

/// Counts equal samples; keeps what is needed to name them.
class Collector final : public StackVisitor {
 public:
  explicit Collector(int minor) : kind_(line_table_kind(minor)) {}

  bool on_code(const CodeSight& code) noexcept override {
    const std::string_view name = code.qualified_name.empty() ? code.name : code.qualified_name;
    if (code.code >= codes.size()) codes.resize(code.code + 1);
    codes[code.code] = {std::string(name), std::string(code.file),
                        CodeLines(LineTable(kind_, code.line_table, code.first_line))};
    return true;
  }
  bool on_thread(const ThreadSight& thread) noexcept override {
    ++thread_count;
    threads[thread.thread] = {thread.python_id, thread.native_id, thread.interpreter, std::string(thread.name)};
    return true;
  }
  bool on_task(const TaskSight&) noexcept override { return true; }
  bool on_sample(const ThreadSample& sample) noexcept override {
    ++sample_count;
    if ((sample.status & gpf::kOnCpu) != 0) ++moving_count;
    if (is_counting_only) return true;
    key_.clear();
    key_.push_back(sample.thread);
    key_.push_back(sample.status);
    key_.push_back(with_continuity ? sample.same_frames : 0);
    for (const SampledFrame& frame : sample.frames) {
      key_.push_back(frame.code);
      if (with_lines) key_.push_back(codes[frame.code].lines.line_of(frame.instruction));
    }
    auto& [count, cpu] = samples[key_];
    ++count;
    cpu += sample.cpu;
    return true;
  }

  struct Thread {
    std::uint64_t python_id, native_id;
    std::int64_t interpreter;
    std::string name;
  };
  std::map<std::vector<std::uint32_t>, std::pair<std::uint64_t, nanoseconds>> samples;
  std::vector<Code> codes;  // by number
  std::map<std::uint32_t, Thread> threads;
  // Read by Python while the sampler runs.
  std::atomic<std::uint64_t> sample_count = 0;
  std::atomic<std::uint64_t> moving_count = 0;  // of threads that ran meanwhile
  std::atomic<std::uint64_t> thread_count = 0;
  bool with_lines = false;
  bool with_continuity = false;
  bool is_counting_only = false;

 private:
  LineTableKind kind_;
  std::vector<std::uint32_t> key_;
};

constexpr int kMinor = (PY_VERSION_HEX >> 16) & 0xFF;

struct Session {
  Collector collector{kMinor};
  std::unique_ptr<StackSource> source;
  std::thread thread;
  std::atomic<bool> must_stop = false;
  std::atomic<bool> is_open = false;
  std::string error;
  nanoseconds interval{0};
  nanoseconds start_after{0};  // opened at once, but looks later
  nanoseconds held_for{0};     // and no longer than this; 0 = until stopped
  std::uint64_t moving_limit = 0;
  std::uint64_t ticks = 0;
  std::vector<double> costs;  // microseconds per sample, by tick
  nanoseconds cpu{0};

  void open(const std::string& reader) {
    auto& live = static_cast<LiveSource&>(*source);
    if (reader == "process_vm_readv") {
      live.open_with(std::make_unique<ProcessVmReader>());
    } else if (reader == "proc_mem") {
      live.open_with(std::make_unique<ProcMemReader>());
    } else if (reader == "misplaced") {
      live.open_with(std::make_unique<MisplacedReader>());
    } else if (reader == "unreliable") {
      auto unreliable = std::make_unique<UnreliableReader>(20261124U);
      UnreliableReader& liar = *unreliable;
      live.open_with(std::move(unreliable));
      liar.may_lie = true;
    } else {
      live.open(DescriptorTable::own);
    }
  }

  void run(const std::string& reader) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    try {
      open(reader);
    } catch (const Error& failure) {
      error = failure.what();
    }
    is_open = true;
    if (!error.empty()) return;
    std::this_thread::sleep_for(start_after);
    auto next = steady_clock::now();
    const auto last = held_for.count() == 0 ? steady_clock::time_point::max() : next + held_for;
    while (!must_stop && next < last && !source->is_finalizing() &&
           (moving_limit == 0 || collector.moving_count < moving_limit)) {
      const std::uint64_t before = collector.sample_count;
      const auto start = steady_clock::now();
      source->look(collector);
      const auto end = steady_clock::now();
      ++ticks;
      const std::uint64_t count = collector.sample_count - before;
      if (count > 0 && costs.size() < 2'000'000) {
        costs.push_back(std::chrono::duration<double, std::micro>(end - start).count() / static_cast<double>(count));
      }
      if (interval.count() == 0) continue;
      next = std::max(next + interval, steady_clock::now());
      std::this_thread::sleep_until(next);
    }
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    cpu = std::chrono::seconds{used.tv_sec} + nanoseconds{used.tv_nsec};
  }
};

Session* session = nullptr;  // ended sessions are leaked: tests end with the process

// start(interval_ns, *, reader="", lines=False, continuity=False, limit=0, counting_only=False, start_after_ns=0,
//       held_for_ns=0); limit: samples of threads that ran while they were looked at; 0 = none
PyObject* start(PyObject*, PyObject* arguments, PyObject* keywords) {
  long long interval = 0, start_after = 0, held_for = 0;
  unsigned long long limit = 0;
  const char* reader = "";
  int lines = 0, continuity = 0, counting_only = 0;
  static const char* const names[] = {"interval_ns",   "reader",         "lines",       "continuity", "limit",
                                      "counting_only", "start_after_ns", "held_for_ns", nullptr};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "L|$sppKpLL", const_cast<char**>(names), &interval, &reader,
                                   &lines, &continuity, &limit, &counting_only, &start_after, &held_for)) {
    return nullptr;
  }
  auto fresh = std::make_unique<Session>();
  fresh->interval = nanoseconds{interval};
  fresh->start_after = nanoseconds{start_after};
  fresh->held_for = nanoseconds{held_for};
  fresh->moving_limit = limit;
  fresh->collector.with_lines = lines != 0;
  fresh->collector.with_continuity = continuity != 0;
  fresh->collector.is_counting_only = counting_only != 0;
  try {
    fresh->source = make_process_source(1);
  } catch (const Error& failure) {
    PyErr_SetString(PyExc_RuntimeError, failure.what());
    return nullptr;
  }
  session = fresh.release();
  session->thread = std::thread([name = std::string(reader)] { session->run(name); });
  Py_BEGIN_ALLOW_THREADS while (!session->is_open) std::this_thread::sleep_for(std::chrono::microseconds{100});
  Py_END_ALLOW_THREADS if (session->error.empty()) Py_RETURN_NONE;
  session->thread.join();
  PyErr_SetString(PyExc_RuntimeError, session->error.c_str());
  return nullptr;
}

PyObject* text(const std::string& value) {
  return PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), "surrogatepass");
}

PyObject* frames_of(const std::vector<std::uint32_t>& key) {
  PyObject* frames = PyList_New(0);
  const std::size_t step = session->collector.with_lines ? 2 : 1;
  for (std::size_t i = 3; i < key.size(); i += step) {
    const Code& code = session->collector.codes[key[i]];
    PyObject* frame = Py_BuildValue("(NNI)", text(code.name), text(code.file), step == 2 ? key[i + 1] : 0U);
    PyList_Append(frames, frame);
    Py_DECREF(frame);
  }
  return frames;
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

PyObject* result() {
  PyObject* samples = PyList_New(0);
  for (const auto& [key, value] : session->collector.samples) {
    PyObject* row = Py_BuildValue("{s:I,s:I,s:I,s:K,s:L,s:N}", "thread", key[0], "status", key[1], "same", key[2],
                                  "count", static_cast<unsigned long long>(value.first), "cpu_ns",
                                  static_cast<long long>(value.second.count()), "frames", frames_of(key));
    PyList_Append(samples, row);
    Py_DECREF(row);
  }
  PyObject* threads = PyDict_New();
  for (const auto& [number, thread] : session->collector.threads) {
    PyObject* row = Py_BuildValue("(KKLN)", static_cast<unsigned long long>(thread.python_id),
                                  static_cast<unsigned long long>(thread.native_id),
                                  static_cast<long long>(thread.interpreter), text(thread.name));
    PyObject* key = PyLong_FromUnsignedLong(number);
    PyDict_SetItem(threads, key, row);
    Py_DECREF(key);
    Py_DECREF(row);
  }
  const StackSourceCounters counters = session->source->counters();
  auto& costs = session->costs;
  return Py_BuildValue("{s:N,s:N,s:s#,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:d,s:d,s:L}", "samples", samples, "threads", threads,
                       "reader", session->source->reader_name().data(),
                       static_cast<Py_ssize_t>(session->source->reader_name().size()), "count",
                       static_cast<unsigned long long>(session->collector.sample_count.load()), "ticks",
                       static_cast<unsigned long long>(session->ticks), "failed_reads",
                       static_cast<unsigned long long>(counters.failed_reads), "retried_reads",
                       static_cast<unsigned long long>(counters.retried_reads), "partial_stacks",
                       static_cast<unsigned long long>(counters.partial_stacks), "truncated_stacks",
                       static_cast<unsigned long long>(counters.truncated_stacks), "unknown_names",
                       static_cast<unsigned long long>(counters.unknown_names), "p50_us", percentile(costs, 0.5),
                       "p99_us", percentile(costs, 0.99), "cpu_ns", static_cast<long long>(session->cpu.count()));
}

// stop() -> what was sampled
PyObject* stop(PyObject*, PyObject*) {
  Py_BEGIN_ALLOW_THREADS session->must_stop = true;
  session->thread.join();
  Py_END_ALLOW_THREADS return result();
}

// sample_count() -> samples so far
PyObject* sample_count(PyObject*, PyObject*) { return PyLong_FromUnsignedLongLong(session->collector.sample_count); }
// thread_count() -> threads shown so far, once for each name they had
PyObject* thread_count(PyObject*, PyObject*) { return PyLong_FromUnsignedLongLong(session->collector.thread_count); }
// moving_count() -> samples of threads that ran while they were looked at
PyObject* moving_count(PyObject*, PyObject*) { return PyLong_FromUnsignedLongLong(session->collector.moving_count); }

// hold_gil(seconds): runs in C with the GIL; release_gil(seconds): without
void spin(double seconds) {
  const auto end = steady_clock::now() + std::chrono::duration<double>(seconds);
  while (steady_clock::now() < end) {
  }
}
PyObject* hold_gil(PyObject*, PyObject* seconds) {
  spin(PyFloat_AsDouble(seconds));
  Py_RETURN_NONE;
}
PyObject* spin_without_gil(PyObject*, PyObject* seconds) {
  const double duration = PyFloat_AsDouble(seconds);
  Py_BEGIN_ALLOW_THREADS spin(duration);
  Py_END_ALLOW_THREADS Py_RETURN_NONE;
}
// call(function): calls it from C
PyObject* call(PyObject*, PyObject* function) { return PyObject_CallNoArgs(function); }

PyMethodDef methods[] = {{"start", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(start)),
                          METH_VARARGS | METH_KEYWORDS, nullptr},
                         {"stop", stop, METH_NOARGS, nullptr},
                         {"sample_count", sample_count, METH_NOARGS, nullptr},
                         {"thread_count", thread_count, METH_NOARGS, nullptr},
                         {"moving_count", moving_count, METH_NOARGS, nullptr},
                         {"hold_gil", hold_gil, METH_O, nullptr},
                         {"spin_without_gil", spin_without_gil, METH_O, nullptr},
                         {"call", call, METH_O, nullptr},
                         {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "walker_probe", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace gauge::cpython

PyMODINIT_FUNC PyInit_walker_probe() { return PyModule_Create(&gauge::cpython::definition); }
