#include "recorder/cpython/fork_warning.h"

#include <Python.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

namespace gauge::cpython {
namespace {

struct Release {
  void operator()(PyObject* object) const noexcept { Py_XDECREF(object); }
};
using Owned = std::unique_ptr<PyObject, Release>;

/// The state of the hooks, which get no argument. Only touched while the program has a single thread, in a fork.
struct ForkFilter {
  std::function<int()> own_threads;
  Owned filters;  // the list that our entries are in; nullptr = they are in none
  Owned fork_entry;
  Owned forkpty_entry;

  static ForkFilter& instance() {
    static auto* const only = new ForkFilter;  // never destroyed: hooks run as long as the interpreter
    return *only;
  }
};

/// Threads of this process, as the kernel counts them for CPython. No descriptor is opened.
int thread_count() {
  struct stat tasks {};
  // A folder has one link for itself, one in its parent and one for each folder in it.
  return stat("/proc/self/task", &tasks) == 0 ? static_cast<int>(tasks.st_nlink) - 2 : 0;
}

/// The list that the next warning is looked up in: new reference, nullptr without exception where there is none.
Owned current_filters() {
  const Owned name{PyUnicode_FromString("warnings")};
  Owned module{PyImport_GetModule(name.get())};
  if (!module) module.reset(PyImport_ImportModule("_warnings"));  // built in, and always loaded
  Owned filters{module ? PyObject_GetAttrString(module.get(), "filters") : nullptr};
  PyErr_Clear();
  if (filters && !PyList_Check(filters.get())) filters.reset();
  return filters;
}

/// A filter as `warnings` has them; the text, being no pattern, is compared whole.
Owned make_entry(const char* function) {
  return Owned{Py_BuildValue("(sNOOi)", "ignore",
                             PyUnicode_FromFormat("This process (pid=%d) is multi-threaded, "
                                                  "use of %s() may lead to deadlocks in the child.",
                                                  static_cast<int>(getpid()), function),
                             PyExc_DeprecationWarning, Py_None, 0)};
}

void remove_entry(PyObject* list, PyObject* entry) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    if (PyList_GET_ITEM(list, i) == entry) {
      PyList_SetSlice(list, i, i + 1, nullptr);
      return;
    }
  }
}

int remove_entries(void*) {
  ForkFilter& fork = ForkFilter::instance();
  if (!fork.filters) return 0;
  remove_entry(fork.filters.get(), fork.fork_entry.get());
  remove_entry(fork.filters.get(), fork.forkpty_entry.get());
  PyErr_Clear();
  fork.filters.reset();
  return 0;
}

PyObject* before(PyObject*, PyObject*) {
  ForkFilter& fork = ForkFilter::instance();
  const int own_threads = fork.own_threads();
  if (own_threads > 0 && !fork.filters && thread_count() - own_threads == 1) {
    // Without _filters_mutated(): the registries of warnings already shown stay valid, and the lookup is fresh anyway.
    fork.filters = current_filters();
    fork.fork_entry = make_entry("fork");
    fork.forkpty_entry = make_entry("forkpty");
    if (fork.filters && fork.fork_entry && fork.forkpty_entry) {
      PyList_Insert(fork.filters.get(), 0, fork.fork_entry.get());
      PyList_Insert(fork.filters.get(), 0, fork.forkpty_entry.get());
    }
    PyErr_Clear();
  }
  Py_RETURN_NONE;
}

PyObject* after_in_parent(PyObject*, PyObject*) {
  // From 3.13 on the warning comes after the last hook: the entries stay until the interpreter runs its next
  // instruction, which it does after its pending calls.
  if (ForkFilter::instance().filters) Py_AddPendingCall(&remove_entries, nullptr);
  Py_RETURN_NONE;
}

PyObject* after_in_child(PyObject*, PyObject*) {
  remove_entries(nullptr);
  Py_RETURN_NONE;
}

PyMethodDef kBefore{"before_fork", before, METH_NOARGS, nullptr};
PyMethodDef kAfterInParent{"after_fork_in_parent", after_in_parent, METH_NOARGS, nullptr};
PyMethodDef kAfterInChild{"after_fork_in_child", after_in_child, METH_NOARGS, nullptr};

}  // namespace

bool filter_fork_warning(std::function<int()> own_threads) {
  constexpr unsigned long kFirstThatWarns = 0x030C0000;
  if (Py_Version < kFirstThatWarns) return true;
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
