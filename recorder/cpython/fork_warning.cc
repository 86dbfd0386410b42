#include "recorder/cpython/fork_warning.h"

#include <Python.h>

#include <memory>
#include <string_view>
#include <utility>

#include "recorder/cpython/process_threads.h"

namespace gauge::cpython {
namespace {

struct Release {
  void operator()(PyObject* object) const noexcept { Py_XDECREF(object); }
};
using Owned = std::unique_ptr<PyObject, Release>;

/// The state of the hooks, which get no argument. Guarded by the GIL.
struct ForkFilter {
  std::function<int()> own_threads;
  Owned entry;    // our filter, made at the first fork
  Owned filters;  // the list that it is in; nullptr = in none

  static ForkFilter& instance() {
    static auto* const only = new ForkFilter;  // never destroyed: hooks run as long as the interpreter
    return *only;
  }
};

/// From 3.14 on a context may have a list of its own (-X context_aware_warnings), which then is the only one asked.
Owned filters_of_context(PyObject* c_module) {
  const Owned variable{PyObject_GetAttrString(c_module, "_warnings_context")};
  PyObject* value = nullptr;
  if (!variable || PyContextVar_Get(variable.get(), nullptr, &value) != 0) return nullptr;
  const Owned context{value};
  return Owned{context ? PyObject_GetAttrString(context.get(), "_filters") : nullptr};
}

/// The list that the next warning is looked up in: new reference, nullptr without exception where there is none.
Owned current_filters() {
  const Owned c_module{PyImport_ImportModule("_warnings")};  // built in, and always loaded
  Owned filters{c_module ? filters_of_context(c_module.get()) : nullptr};
  PyErr_Clear();
  const Owned name{PyUnicode_FromString("warnings")};
  const Owned module{filters ? nullptr : PyImport_GetModule(name.get())};
  const Owned& source = module ? module : c_module;
  if (!filters && source) filters.reset(PyObject_GetAttrString(source.get(), "filters"));
  PyErr_Clear();
  if (filters && !PyList_Check(filters.get())) filters.reset();
  return filters;
}

/// The `match` of our filter: asked while CPython is about to warn, so that what the kernel counts now is what CPython
/// has just counted. True where only our threads made it say so.
PyObject* is_for_our_threads(PyObject*, PyObject* text) {
  const char* const bytes = PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : nullptr;
  PyErr_Clear();
  const std::string_view warning = bytes == nullptr ? "" : bytes;
  const bool is_of_fork =
      warning.starts_with("This process (pid=") && warning.ends_with("() may lead to deadlocks in the child.");
  return PyBool_FromLong(is_of_fork && thread_count() - ForkFilter::instance().own_threads() == 1);
}

PyMethodDef kMatch{"match", is_for_our_threads, METH_O, nullptr};

/// A filter as `warnings` has them. Its message may be anything with a `match`, as compiled patterns have.
Owned make_entry() {
  PyObject* const implementation = PySys_GetObject("implementation");  // borrowed; the namespace at hand
  const Owned make{implementation == nullptr ? nullptr : PyObject_Type(implementation)};
  const Owned arguments{PyTuple_New(0)};
  const Owned attributes{Py_BuildValue("{sN}", "match", PyCFunction_New(&kMatch, nullptr))};
  if (!make || !arguments || !attributes) return nullptr;
  Owned pattern{PyObject_Call(make.get(), arguments.get(), attributes.get())};
  if (!pattern) return nullptr;
  return Owned{Py_BuildValue("(sNOOi)", "ignore", pattern.release(), PyExc_DeprecationWarning, Py_None, 0)};
}

int remove_entry(void*) {
  ForkFilter& fork = ForkFilter::instance();
  const Owned list = std::move(fork.filters);
  for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(list.get()); ++i) {
    if (PyList_GET_ITEM(list.get(), i) != fork.entry.get()) continue;
    PyList_SetSlice(list.get(), i, i + 1, nullptr);
    break;
  }
  PyErr_Clear();
  return 0;
}

PyObject* before(PyObject*, PyObject*) {
  ForkFilter& fork = ForkFilter::instance();
  if (fork.own_threads() > 0 && !fork.filters) {
    if (!fork.entry) fork.entry = make_entry();
    // Without _filters_mutated(): the registries of warnings already shown stay valid, and the lookup is fresh anyway.
    if (fork.entry) fork.filters = current_filters();
    if (fork.filters) PyList_Insert(fork.filters.get(), 0, fork.entry.get());
    PyErr_Clear();
  }
  Py_RETURN_NONE;
}

PyObject* after_in_parent(PyObject*, PyObject*) {
  // From 3.13 on the warning comes after the last hook: the entry stays until the interpreter runs its next
  // instruction, which it does after its pending calls.
  if (ForkFilter::instance().filters) Py_AddPendingCall(&remove_entry, nullptr);
  Py_RETURN_NONE;
}

PyObject* after_in_child(PyObject*, PyObject*) {
  remove_entry(nullptr);
  Py_RETURN_NONE;
}

PyMethodDef kBefore{"before_fork", before, METH_NOARGS, nullptr};
PyMethodDef kAfterInParent{"after_fork_in_parent", after_in_parent, METH_NOARGS, nullptr};
PyMethodDef kAfterInChild{"after_fork_in_child", after_in_child, METH_NOARGS, nullptr};

}  // namespace

bool filter_fork_warning(std::function<int()> own_threads) {
  if (PY_VERSION_HEX < 0x030C0000) return true;  // does not warn yet
  ForkFilter::instance().own_threads = std::move(own_threads);
  const Owned os{PyImport_ImportModule("posix")};
  const Owned register_at_fork{os ? PyObject_GetAttrString(os.get(), "register_at_fork") : nullptr};
  if (!register_at_fork) return false;
  const Owned arguments{PyTuple_New(0)};
  const Owned hooks{Py_BuildValue("{sNsNsN}", "before", PyCFunction_New(&kBefore, nullptr), "after_in_parent",
                                  PyCFunction_New(&kAfterInParent, nullptr), "after_in_child",
                                  PyCFunction_New(&kAfterInChild, nullptr))};
  if (!arguments || !hooks) return false;
  return Owned{PyObject_Call(register_at_fork.get(), arguments.get(), hooks.get())} != nullptr;
}

}  // namespace gauge::cpython
