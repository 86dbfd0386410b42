/* The layout of CPython 3.12. It publishes no offsets: the self-test of process_source.h is the check. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>

#include "internal/pycore_ceval.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#include "recorder/cpython/layout.h"

#if PY_VERSION_HEX >> 16 != 0x030C
#error "these are not the headers of CPython 3.12"
#endif

const GaugeLayout gauge_layout = {
    .hex_version = PY_VERSION_HEX,
    .runtime = {.interpreters_head = offsetof(_PyRuntimeState, interpreters.head), .gil = GAUGE_NO_FIELD},
    .interpreter = {.next = offsetof(PyInterpreterState, next),
                    .id = offsetof(PyInterpreterState, id),
                    .threads_head = offsetof(PyInterpreterState, threads.head),
                    .gil = offsetof(PyInterpreterState, ceval.gil),
                    .code_births = GAUGE_NO_FIELD}, /* func_state.next_version is there, but nobody moves it */
    .gil = {.holder = offsetof(struct _gil_runtime_state, last_holder),
            .locked = offsetof(struct _gil_runtime_state, locked),
            .switches = offsetof(struct _gil_runtime_state, switch_number),
            .size = sizeof(struct _gil_runtime_state)},
    .thread = {.next = offsetof(PyThreadState, next),
               .interpreter = offsetof(PyThreadState, interp),
               .c_frame = offsetof(PyThreadState, cframe),
               .current_frame = offsetof(_PyCFrame, current_frame),
               .python_id = offsetof(PyThreadState, thread_id),
               .native_id = offsetof(PyThreadState, native_thread_id),
               .unique_id = offsetof(PyThreadState, id),
               .chunk = offsetof(PyThreadState, datastack_chunk),
               .chunk_top = offsetof(PyThreadState, datastack_top),
               .chunk_limit = offsetof(PyThreadState, datastack_limit),
               .task = GAUGE_NO_FIELD,
               .size = offsetof(PyThreadState, datastack_limit) + sizeof(PyObject**)},
    .chunk = {.previous = offsetof(_PyStackChunk, previous),
              .size = offsetof(_PyStackChunk, size),
              .top = offsetof(_PyStackChunk, top),
              .data = offsetof(_PyStackChunk, data)},
    .frame = {.executable = offsetof(_PyInterpreterFrame, f_code),
              .previous = offsetof(_PyInterpreterFrame, previous),
              .instruction = offsetof(_PyInterpreterFrame, prev_instr),
              .owner = offsetof(_PyInterpreterFrame, owner),
              .stack_top = offsetof(_PyInterpreterFrame, stacktop),
              .stack_pointer = GAUGE_NO_FIELD,
              .is_entry = GAUGE_NO_FIELD,
              .function = offsetof(_PyInterpreterFrame, f_funcobj),
              .globals = offsetof(_PyInterpreterFrame, f_globals),
              .locals = offsetof(_PyInterpreterFrame, localsplus),
              .first_hidden_owner = FRAME_OWNED_BY_CSTACK,
              .generator_owner = FRAME_OWNED_BY_GENERATOR,
              .offset_in_generator = offsetof(PyGenObject, gi_iframe)},
};

const char* gauge_layout_difference(uint64_t* published, uint64_t* compiled) {
  *published = *compiled = 0;
  return NULL;
}

uintptr_t gauge_runtime_address(void) { return (uintptr_t)&_PyRuntime; }

uint32_t gauge_code_births(void) { return 0; }

int gauge_is_finalizing(void) { return _PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL; }
