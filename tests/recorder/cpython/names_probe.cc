// A Python extension for tests: lets CodeCache and ThreadNames look at the interpreter it is imported into, from native
// threads without the GIL, and hands what they saw to Python.
#include <Python.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "recorder/cpython/code_cache.h"
#include "recorder/cpython/thread_names.h"

namespace gauge::cpython {
namespace {

/// A copy of a CodeSight.
struct Sight {
  std::uint32_t code;
  std::string name, qualified_name, module, file;
  std::uint32_t first_line;
  std::string line_table;
};

class Collector final : public StackVisitor {
 public:
  bool on_code(const CodeSight& code) noexcept override {
    if (refusals > 0) return --refusals, false;
    if (!is_keeping) return true;
    sights.push_back({code.code,
                      std::string(code.name),
                      std::string(code.qualified_name),
                      std::string(code.module),
                      std::string(code.file),
                      code.first_line,
                      {reinterpret_cast<const char*>(code.line_table.data()), code.line_table.size()}});
    sight_count = sights.size();
    return true;
  }
  bool on_thread(const ThreadSight&) noexcept override { return true; }
  bool on_task(const TaskSight&) noexcept override { return true; }
  bool on_sample(const ThreadSample&) noexcept override { return true; }

  std::vector<Sight> sights;
  std::atomic<std::size_t> sight_count = 0;  // for Python, while a thread looks
  int refusals = 0;
  bool is_keeping = true;
};

/// What a process source would hold. Leaked: tests end with the process.
struct World {
  ObjectLayout layout = learn_object_layout();
  std::unique_ptr<MemoryReader> reader = open_memory_reader();
  CodeCache cache{*reader, layout};
  ThreadNames names{layout};
  Collector collector;
};

World& world() {
  static World* instance = new World;
  return *instance;
}

/// Runs `work` on a native thread while the GIL is free.
void without_gil(const std::function<void()>& work) {
  world();  // is learnt with the GIL
  Py_BEGIN_ALLOW_THREADS;
  std::thread(work).join();
  Py_END_ALLOW_THREADS;
}

PyObject* bytes(const std::string& text) {
  return PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
}

PyObject* take_sights() {
  std::vector<Sight> sights = std::move(world().collector.sights);
  world().collector.sights.clear();
  world().collector.sight_count = 0;
  PyObject* list = PyList_New(0);
  for (const Sight& sight : sights) {
    PyObject* item = Py_BuildValue("{s:I,s:N,s:N,s:N,s:N,s:I,s:N}", "code", sight.code, "name", bytes(sight.name),
                                   "qualname", bytes(sight.qualified_name), "module", bytes(sight.module), "file",
                                   bytes(sight.file), "first_line", sight.first_line, "table", bytes(sight.line_table));
    PyList_Append(list, item);
    Py_DECREF(item);
  }
  return list;
}

bool parse_requests(PyObject* list, std::vector<CodeRequest>& requests) {
  for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
    unsigned long long code = 0, function = 0, globals = 0;
    if (!PyArg_ParseTuple(PyList_GetItem(list, i), "KKK", &code, &function, &globals)) return false;
    CodeRequest request;
    request.code = code;
    request.function = function;
    request.globals = globals;
    requests.push_back(request);
  }
  return true;
}

// resolve([(code, function, globals)], refusals=0) -> ([answer], [sight])
PyObject* resolve(PyObject*, PyObject* arguments) {
  PyObject* list = nullptr;
  int refusals = 0;
  if (!PyArg_ParseTuple(arguments, "O!|i", &PyList_Type, &list, &refusals)) return nullptr;
  std::vector<CodeRequest> requests;
  if (!parse_requests(list, requests)) return nullptr;
  world().collector.refusals = refusals;
  without_gil([&] { world().cache.resolve(requests, world().collector); });
  PyObject* answers = PyList_New(0);
  for (const CodeRequest& request : requests) {
    PyObject* item =
        Py_BuildValue("{s:I,s:O,s:I,s:I,s:I,s:K}", "id", request.id, "is_shim", request.is_shim ? Py_True : Py_False,
                      "kind", static_cast<unsigned>(request.kind), "local_count", request.local_count, "bytecode_size",
                      request.bytecode_size, "bytecode", static_cast<unsigned long long>(request.bytecode));
    PyList_Append(answers, item);
    Py_DECREF(item);
  }
  return Py_BuildValue("NN", answers, take_sights());
}

// measure([(code, function, globals)], rounds) -> nanoseconds per round, the best of 20 series
PyObject* measure(PyObject*, PyObject* arguments) {
  PyObject* list = nullptr;
  int rounds = 0;
  if (!PyArg_ParseTuple(arguments, "O!i", &PyList_Type, &list, &rounds)) return nullptr;
  std::vector<CodeRequest> requests;
  if (!parse_requests(list, requests)) return nullptr;
  double best = 1e300;
  without_gil([&] {
    for (int series = 0; series < 20; ++series) {
      const auto start = std::chrono::steady_clock::now();
      for (int round = 0; round < rounds; ++round) world().cache.resolve(requests, world().collector);
      const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
      best = std::min(best, spent.count() / rounds);
    }
  });
  world().collector.sights.clear();
  return PyFloat_FromDouble(best);
}

// The board: the function that the program last made, for a native thread that resolves its code over and over. A frame
// that was read whole names a function, its code and its globals that belong together, so the board never mixes two.
struct Board {
  std::atomic<std::uint64_t> edition{0};  // odd while it is being written
  std::atomic<std::uintptr_t> code{0}, function{0}, globals{0};
  std::atomic<bool> is_running{false};
  std::thread watcher;
  std::uint64_t rounds = 0;
  std::uint64_t answered = 0;
};

Board& board() {
  static Board* instance = new Board;
  return *instance;
}

CodeRequest read_board() {
  for (;;) {
    const std::uint64_t edition = board().edition;
    CodeRequest request;
    request.code = board().code;
    request.function = board().function;
    request.globals = board().globals;
    if (edition % 2 == 0 && edition == board().edition) return request;
  }
}

void write_board(std::uintptr_t code, std::uintptr_t function, std::uintptr_t globals) {
  ++board().edition;
  board().code = code;
  board().function = function;
  board().globals = globals;
  ++board().edition;
}

void watch() {
  while (board().is_running) {
    CodeRequest request = read_board();
    world().cache.resolve({&request, 1}, world().collector);
    ++board().rounds;
    if (request.id != 0) ++board().answered;
  }
}

PyObject* start_watching(PyObject*, PyObject*) {
  world();
  write_board(0, 0, 0);  // nothing of an earlier watch, which a busy machine might get round to only now
  board().rounds = 0;
  board().answered = 0;
  board().is_running = true;
  board().watcher = std::thread(watch);
  Py_RETURN_NONE;
}

PyObject* post(PyObject*, PyObject* arguments) {
  unsigned long long code = 0, function = 0, globals = 0;
  if (!PyArg_ParseTuple(arguments, "KKK", &code, &function, &globals)) return nullptr;
  write_board(code, function, globals);
  Py_RETURN_NONE;
}

// sight_count() -> code objects shown so far
PyObject* sight_count(PyObject*, PyObject*) { return PyLong_FromSize_t(world().collector.sight_count); }

// stop_watching() -> (rounds, answered, unknown names, [sight])
PyObject* stop_watching(PyObject*, PyObject*) {
  board().is_running = false;
  Py_BEGIN_ALLOW_THREADS;
  board().watcher.join();
  Py_END_ALLOW_THREADS;
  return Py_BuildValue("KKKN", static_cast<unsigned long long>(board().rounds),
                       static_cast<unsigned long long>(board().answered),
                       static_cast<unsigned long long>(world().cache.unknown_names()), take_sights());
}

// thread_name(ident, native_id) -> bytes
PyObject* thread_name(PyObject*, PyObject* arguments) {
  unsigned long long ident = 0, native = 0;
  if (!PyArg_ParseTuple(arguments, "KK", &ident, &native)) return nullptr;
  std::string name;
  without_gil([&] { name = world().names.name_of(*world().reader, ident, native); });
  return bytes(name);
}

// call_from_c_thread(callable, name): calls it on a thread made by C, called `name` in the kernel if not empty.
PyObject* call_from_c_thread(PyObject*, PyObject* arguments) {
  PyObject* callable = nullptr;
  const char* name = nullptr;
  if (!PyArg_ParseTuple(arguments, "Os", &callable, &name)) return nullptr;
  without_gil([&] {
    if (*name != '\0') pthread_setname_np(pthread_self(), name);
    const PyGILState_STATE state = PyGILState_Ensure();
    PyObject* result = PyObject_CallNoArgs(callable);
    if (result == nullptr) PyErr_Print();
    Py_XDECREF(result);
    PyGILState_Release(state);
  });
  Py_RETURN_NONE;
}

PyMethodDef methods[] = {{"resolve", resolve, METH_VARARGS, nullptr},
                         {"measure", measure, METH_VARARGS, nullptr},
                         {"start_watching", start_watching, METH_NOARGS, nullptr},
                         {"post", post, METH_VARARGS, nullptr},
                         {"sight_count", sight_count, METH_NOARGS, nullptr},
                         {"stop_watching", stop_watching, METH_NOARGS, nullptr},
                         {"thread_name", thread_name, METH_VARARGS, nullptr},
                         {"call_from_c_thread", call_from_c_thread, METH_VARARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "names_probe", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace gauge::cpython

PyMODINIT_FUNC PyInit_names_probe() { return PyModule_Create(&gauge::cpython::definition); }
