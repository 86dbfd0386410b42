/* The layout of CPython 3.15.
 *
 * As 3.14. The outermost frame is one of owner INTERPRETER that is part of the thread state: where no Python code runs,
 * current_frame points to it. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>

#include "internal/pycore_ceval.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_tstate.h"
#include "recorder/cpython/layout.h"

#if PY_VERSION_HEX >> 16 != 0x030F
#error "these are not the headers of CPython 3.15"
#endif

const GaugeLayout gauge_layout = {
    .hex_version = PY_VERSION_HEX,
    .runtime = {.interpreters_head = offsetof(_PyRuntimeState, interpreters.head), .gil = GAUGE_NO_FIELD},
    .interpreter = {.next = offsetof(PyInterpreterState, next),
                    .id = offsetof(PyInterpreterState, id),
                    .threads_head = offsetof(PyInterpreterState, threads.head),
                    .gil = offsetof(PyInterpreterState, ceval.gil),
                    .code_births = offsetof(PyInterpreterState, func_state.next_version)},
    .gil = {.holder = offsetof(struct _gil_runtime_state, last_holder),
            .locked = offsetof(struct _gil_runtime_state, locked),
            .switches = offsetof(struct _gil_runtime_state, switch_number),
            .size = sizeof(struct _gil_runtime_state)},
    .thread = {.next = offsetof(PyThreadState, next),
               .interpreter = offsetof(PyThreadState, interp),
               .c_frame = GAUGE_NO_FIELD,
               .current_frame = offsetof(PyThreadState, current_frame),
               .python_id = offsetof(PyThreadState, thread_id),
               .native_id = offsetof(PyThreadState, native_thread_id),
               .unique_id = offsetof(PyThreadState, id),
               .chunk = offsetof(PyThreadState, datastack_chunk),
               .chunk_top = offsetof(PyThreadState, datastack_top),
               .chunk_limit = offsetof(PyThreadState, datastack_limit),
               .task = offsetof(_PyThreadStateImpl, asyncio_running_task),
               .size = offsetof(PyThreadState, datastack_limit) + sizeof(PyObject**)},
    .chunk = {.previous = offsetof(_PyStackChunk, previous),
              .size = offsetof(_PyStackChunk, size),
              .top = offsetof(_PyStackChunk, top),
              .data = offsetof(_PyStackChunk, data)},
    .frame = {.executable = offsetof(_PyInterpreterFrame, f_executable),
              .previous = offsetof(_PyInterpreterFrame, previous),
              .instruction = offsetof(_PyInterpreterFrame, instr_ptr),
              .owner = offsetof(_PyInterpreterFrame, owner),
              .stack_top = GAUGE_NO_FIELD,
              .stack_pointer = offsetof(_PyInterpreterFrame, stackpointer),
              .is_entry = GAUGE_NO_FIELD,
              .function = offsetof(_PyInterpreterFrame, f_funcobj),
              .globals = offsetof(_PyInterpreterFrame, f_globals),
              .locals = offsetof(_PyInterpreterFrame, localsplus),
              .first_hidden_owner = FRAME_OWNED_BY_INTERPRETER,
              .generator_owner = FRAME_OWNED_BY_GENERATOR,
              .offset_in_generator = offsetof(PyGenObject, gi_iframe)},
};

#include "recorder/cpython/layout_published.h"
