// The Python module `_recorder`: the only file that knows pybind11.
//
// Every call that may wait for the recorder's threads gives the GIL up first: the program's other threads run on.
// Types are module-local, because two copies of this module may meet in one process: the one that `gauge record`
// injects and the one of an installed package.
#include <pybind11/chrono.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <string>
#include <utility>

#include "formats/base/error.h"
#include "recorder/cpython/fork_warning.h"
#include "recorder/cpython/process_source.h"
#include "recorder/recorder.h"
#include "recorder/recording_file.h"

namespace py = pybind11;

namespace gauge {
namespace {

/// A path of any kind Python takes, as bytes.
std::string encoded_path(const py::object& path) {
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), static_cast<void*>(&encoded)) == 0) throw py::error_already_set();
  return std::string{py::reinterpret_steal<py::bytes>(encoded)};
}

py::str decoded_path(const std::string& path) {
  return py::reinterpret_steal<py::str>(PyUnicode_DecodeFSDefaultAndSize(path.data(), std::ssize(path)));
}

/// sys.path as it is now: text that can be encoded, the entry "" for the working directory left out.
std::vector<std::string> import_roots(const py::module_& sys) {
  std::vector<std::string> roots;
  for (const py::handle entry : py::list(sys.attr("path"))) {
    if (!py::isinstance<py::str>(entry)) continue;
    std::string root = encoded_path(py::reinterpret_borrow<py::object>(entry));
    if (!root.empty()) roots.push_back(std::move(root));
  }
  return roots;
}

PythonFacts python_facts() {
  const auto sys = py::module_::import("sys");
  const auto version = sys.attr("version_info");
  PythonFacts facts;
  facts.implementation = sys.attr("implementation").attr("name").cast<std::string>();
  facts.build = sys.attr("version").cast<std::string>();
  facts.version = facts.build.substr(0, facts.build.find(' '));
  facts.import_roots = import_roots(sys);
  facts.line_tables = cpython::line_table_kind(version[py::int_(1)].cast<int>());
#ifdef Py_GIL_DISABLED
  facts.free_threaded = true;
#endif
  return facts;
}

std::unique_ptr<Recorder> make_recorder(const py::object& path, std::int64_t interval_ns, std::int64_t duration_ns,
                                        double max_overhead, bool replace, std::int64_t rotate_ns,
                                        std::uint64_t rotate_bytes, const py::bytes& run_id,
                                        const py::bytes& parent_run_id) {
  return std::make_unique<Recorder>(RecorderOptions{.path = encoded_path(path),
                                                    .interval = std::chrono::nanoseconds{interval_ns},
                                                    .duration = std::chrono::nanoseconds{duration_ns},
                                                    .max_overhead = max_overhead,
                                                    .replace = replace,
                                                    .rotation = {std::chrono::nanoseconds{rotate_ns}, rotate_bytes},
                                                    .run_id = run_id,
                                                    .parent_run_id = parent_run_id});
}

/// Once in a process, and only where something is recorded.
void filter_fork_warning() {
  static bool is_done = false;  // guarded by the GIL
  if (is_done) return;
  is_done = true;
  if (!cpython::filter_fork_warning(&recorder_threads_of_process)) throw py::error_already_set();
}

void start(Recorder& recorder) {
  filter_fork_warning();
  std::unique_ptr<StackSource> source = cpython::make_process_source(StreamThread::kThreads);
  const PythonFacts facts = python_facts();
  const py::gil_scoped_release released;
  recorder.start(std::move(source), facts);
}

void define_errors(py::module_& module) {
  // The translator registered last is asked first, so the special error comes after the general one.
  const auto& error = py::register_local_exception<Error>(module, "Error");
  error.attr("__module__") = "gauge";
  const auto bases = py::make_tuple(error, py::handle{PyExc_FileExistsError});
  py::register_local_exception<FileExistsError>(module, "RecordingExistsError", bases).attr("__module__") = "gauge";
}

/// For atexit. Whatever went wrong is told, and changes nothing for the program.
void stop_at_exit() {
  try {
    const py::gil_scoped_release released;
    stop_recording_of_process("exit");
  } catch (const std::exception& error) {
    PySys_FormatStderr("gauge: %s\n", error.what());
  }
}

/// Another copy of this module may have been loaded before; all share one "a recording is running".
void share_process_flag() {
  constexpr const char* kName = "gauge_is_recording";
  void* flag = py::get_shared_data(kName);
  if (flag == nullptr) flag = py::set_shared_data(kName, new std::atomic<bool>{false});  // lives as long as the process
  share_is_recording(static_cast<std::atomic<bool>*>(flag));
}

/// Whether this interpreter is the main one, and no other has loaded this module before: neither a subinterpreter nor a
/// Python that was started after another one had ended.
bool is_first_interpreter() {
  static bool is_loaded = false;  // guarded by the GIL, of the main interpreter
  constexpr const char* kMark = "gauge_recorder";
  PyInterpreterState* const interpreter = PyInterpreterState_Get();
  if (interpreter != PyInterpreterState_Main()) return false;
  PyObject* const marks = PyInterpreterState_GetDict(interpreter);  // borrowed; ends with the interpreter
  if (marks == nullptr) return false;
  if (PyDict_GetItemString(marks, kMark) != nullptr) return true;
  return !std::exchange(is_loaded, true) && PyDict_SetItemString(marks, kMark, Py_True) == 0;
}

std::int64_t nanoseconds_of(std::chrono::nanoseconds time) { return time.count(); }

void define_stats(py::module_& module) {
  py::class_<RecorderStats>(module, "Stats", py::module_local())
      .def_readonly("is_running", &RecorderStats::is_running)
      .def_readonly("end_reason", &RecorderStats::end_reason)
      .def_readonly("reader", &RecorderStats::reader)
      .def_readonly("ticks", &RecorderStats::ticks)
      .def_readonly("missed_ticks", &RecorderStats::missed_ticks)
      .def_readonly("samples", &RecorderStats::samples)
      .def_readonly("dropped_samples", &RecorderStats::dropped_samples)
      .def_readonly("failed_reads", &RecorderStats::failed_reads)
      .def_readonly("retried_reads", &RecorderStats::retried_reads)
      .def_readonly("partial_stacks", &RecorderStats::partial_stacks)
      .def_readonly("truncated_stacks", &RecorderStats::truncated_stacks)
      .def_readonly("unknown_names", &RecorderStats::unknown_names)
      .def_readonly("bytes", &RecorderStats::bytes)
      .def_readonly("parts", &RecorderStats::parts)
      .def_property_readonly("sampler_cpu_ns",
                             [](const RecorderStats& stats) { return nanoseconds_of(stats.sampler_cpu); })
      .def_property_readonly("writer_cpu_ns",
                             [](const RecorderStats& stats) { return nanoseconds_of(stats.writer_cpu); })
      .def("__repr__", [](const RecorderStats& stats) {
        return py::str("<gauge stats: {} samples, {} missed ticks, {}>")
            .format(stats.samples, stats.missed_ticks,
                    stats.is_running           ? "running"
                    : stats.end_reason.empty() ? "not started"
                                               : stats.end_reason.c_str());
      });
}

void define_recorder(py::module_& module) {
  using Unlocked = py::call_guard<py::gil_scoped_release>;
  py::class_<Recorder>(module, "Recorder", py::module_local())
      .def(py::init(&make_recorder), py::arg("path"), py::kw_only(), py::arg("interval_ns") = 10'000'000,
           py::arg("duration_ns") = 0, py::arg("max_overhead") = 0.0, py::arg("replace") = false,
           py::arg("rotate_ns") = 0, py::arg("rotate_bytes") = 0, py::arg("run_id") = py::bytes(),
           py::arg("parent_run_id") = py::bytes())
      .def("start", &start)
      .def("pause", &Recorder::pause, Unlocked())
      .def("resume", &Recorder::resume, Unlocked())
      .def("flush", &Recorder::flush, py::arg("to_disk") = false, Unlocked())
      .def("stop", &Recorder::stop, py::arg("reason") = "stop", Unlocked())
      .def_property_readonly("stats", py::cpp_function(&Recorder::stats, Unlocked()))
      .def_property_readonly("is_paused", py::cpp_function(&Recorder::is_paused, Unlocked()))
      .def_property_readonly("path", [](Recorder& recorder) {
        const std::string path = [&recorder] {
          const py::gil_scoped_release released;
          return recorder.path();
        }();
        return decoded_path(path);
      });
}

}  // namespace
}  // namespace gauge

PYBIND11_MODULE(recorder_of_first_interpreter, module) {
  module.attr("__version__") = GAUGE_VERSION;
  gauge::define_errors(module);
  gauge::define_stats(module);
  gauge::define_recorder(module);
  gauge::share_process_flag();
  module.def("stop_at_exit", &gauge::stop_at_exit);
}

/// pybind11 keeps in static memory what belongs to one interpreter: in a second one, crashes and deadlocks.
// NOLINTNEXTLINE(bugprone-reserved-identifier): CPython looks for this name
extern "C" PYBIND11_EXPORT PyObject* PyInit__recorder() {
  if (gauge::is_first_interpreter()) return PyInit_recorder_of_first_interpreter();
  PyErr_SetString(PyExc_ImportError,
                  "gauge: a process can be recorded by its first interpreter only; record there, it sees all of them");
  return nullptr;
}
