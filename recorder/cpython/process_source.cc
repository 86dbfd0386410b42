#include "recorder/cpython/process_source.h"

#include <Python.h>
#include <fmt/format.h>
#include <frameobject.h>  // not part of Python.h in 3.9 and 3.10

#include <memory>
#include <string>

#include "formats/base/error.h"
#include "recorder/cpython/live_source.h"

namespace gauge::cpython {
namespace {

struct Release {
  void operator()(void* object) const noexcept { Py_XDECREF(static_cast<PyObject*>(object)); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

/// As PY_VERSION_HEX; a constant of the interpreter's only since 3.11. 0 = it does not say.
[[nodiscard]] unsigned long running_version() {
  PyObject* const version = PySys_GetObject("hexversion");  // borrowed
  const unsigned long value = version == nullptr ? 0 : PyLong_AsUnsignedLong(version);
  if (PyErr_Occurred() != nullptr) PyErr_Clear();
  return value;
}

[[nodiscard]] std::string version_text(unsigned long version) {
  return fmt::format("{}.{}.{}", version >> 24, (version >> 16) & 0xFF, (version >> 8) & 0xFF);
}

[[nodiscard]] Error refusal(const std::string& what) {
  return Error{ErrorCode::unsupported, fmt::format("CPython {}: cannot be recorded ({}); use a recorder built for it",
                                                   version_text(running_version()), what)};
}

/// UTF-8, lone surrogates as three bytes. Empty if Python has no memory left: the comparison will then fail.
[[nodiscard]] std::string text_of(PyObject* text) {
  const Owned<PyObject> bytes(text == nullptr ? nullptr : PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass"));
  if (!bytes) {
    PyErr_Clear();
    return {};
  }
  return {PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))};
}

[[nodiscard]] ToldFrame tell(PyFrameObject* frame) {
  const Owned<PyCodeObject> code(PyFrame_GetCode(frame));
  Owned<PyObject> name(PyObject_GetAttrString(reinterpret_cast<PyObject*>(code.get()), "co_qualname"));
  if (!name) {  // to 3.10
    PyErr_Clear();
    Py_INCREF(code->co_name);
    name.reset(code->co_name);
  }
  const int line = PyFrame_GetLineNumber(frame);
  return {text_of(name.get()), text_of(code->co_filename), line > 0 ? static_cast<std::uint32_t>(line) : 0};
}

[[nodiscard]] std::vector<ToldFrame> tell_stack(PyThreadState* thread) {
  std::vector<ToldFrame> stack;
  Owned<PyFrameObject> frame(PyThreadState_GetFrame(thread));
  while (frame && stack.size() < StackWalker::kMaxDepth) {
    stack.push_back(tell(frame.get()));
    frame.reset(PyFrame_GetBack(frame.get()));
  }
  return stack;
}

/// A counter that is stuck would let a code object that is gone pass for the one born in its place: so it must show
/// that it moves.
[[nodiscard]] bool are_births_counted() {
  const std::uint32_t before = gauge_code_births();
  const Owned<PyCodeObject> born(PyCode_NewEmpty("", "", 1));
  if (!born) PyErr_Clear();
  return born && gauge_code_births() != before;
}

void check_version() {
  if (gauge_layout.hex_version >> 16 != running_version() >> 16) {
    throw refusal(fmt::format("this recorder is for {}.{}", gauge_layout.hex_version >> 24,
                              (gauge_layout.hex_version >> 16) & 0xFF));
  }
  constexpr unsigned long kFinal = 0xF;
  if (((running_version() >> 4) & 0xF) != kFinal)
    throw refusal("it is a pre-release, whose memory layout is not settled");
  std::uint64_t published = 0;
  std::uint64_t compiled = 0;
  if (const char* field = gauge_layout_difference(&published, &compiled)) {
    throw refusal(fmt::format("it publishes {} {}, this recorder was built for {}", field, published, compiled));
  }
}

}  // namespace

std::unique_ptr<StackSource> make_process_source(int recorder_threads) {
  check_version();
  PyThreadState* const thread = PyThreadState_Get();
  return std::make_unique<LiveSource>(InterpreterFacts{.layout = &gauge_layout,
                                                       .objects = learn_object_layout(),
                                                       .runtime = gauge_runtime_address(),
                                                       .is_finalizing = gauge_is_finalizing,
                                                       .recorder_threads = recorder_threads,
                                                       .are_births_counted = are_births_counted(),
                                                       .version = version_text(running_version()),
                                                       .caller = reinterpret_cast<std::uintptr_t>(thread),
                                                       .caller_ids = ThreadIds::of_caller(),
                                                       .stack = tell_stack(thread)});
}

}  // namespace gauge::cpython
