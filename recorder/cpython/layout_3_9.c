/* The layout of CPython 3.9. It publishes no offsets: the self-test of process_source.h is the check. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>

#include "internal/pycore_ceval.h"
#include "internal/pycore_gil.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#include "recorder/cpython/layout.h"

#if PY_VERSION_HEX >> 16 != 0x0309
#error "these are not the headers of CPython 3.9"
#endif

const GaugeLayout gauge_layout = {
    .hex_version = PY_VERSION_HEX,
    .runtime = {.interpreters_head = offsetof(_PyRuntimeState, interpreters.head),
                .gil = offsetof(_PyRuntimeState, ceval.gil)},
    .interpreter = {.next = offsetof(PyInterpreterState, next),
                    .id = offsetof(PyInterpreterState, id),
                    .threads_head = offsetof(PyInterpreterState, tstate_head),
                    .gil = GAUGE_NO_FIELD,
                    .code_births = GAUGE_NO_FIELD},
    .gil = {.holder = offsetof(struct _gil_runtime_state, last_holder),
            .locked = offsetof(struct _gil_runtime_state, locked),
            .switches = offsetof(struct _gil_runtime_state, switch_number),
            .size = sizeof(struct _gil_runtime_state)},
    .thread = {.next = offsetof(PyThreadState, next),
               .interpreter = offsetof(PyThreadState, interp),
               .c_frame = GAUGE_NO_FIELD,
               .current_frame = offsetof(PyThreadState, frame),
               .python_id = offsetof(PyThreadState, thread_id),
               .native_id = GAUGE_NO_FIELD,
               .unique_id = offsetof(PyThreadState, id),
               .chunk = GAUGE_NO_FIELD,
               .chunk_top = GAUGE_NO_FIELD,
               .chunk_limit = GAUGE_NO_FIELD,
               .task = GAUGE_NO_FIELD,
               .size = offsetof(PyThreadState, id) + sizeof(uint64_t)},
    .frame = {.executable = offsetof(PyFrameObject, f_code),
              .previous = offsetof(PyFrameObject, f_back),
              .instruction = offsetof(PyFrameObject, f_lasti),
              .instruction_unit = 1,
              .owner = GAUGE_NO_FIELD,
              .stack_top = GAUGE_NO_FIELD,
              .is_entry = GAUGE_NO_FIELD,
              .function = GAUGE_NO_FIELD,
              .globals = offsetof(PyFrameObject, f_globals),
              .locals = offsetof(PyFrameObject, f_localsplus),
              .first_hidden_owner = 2,
              .generator_owner = 1,
              .offset_in_generator = GAUGE_NO_FIELD},
    .frame_object = {.references = offsetof(PyFrameObject, ob_base.ob_base.ob_refcnt),
                     .generator = offsetof(PyFrameObject, f_gen),
                     .slot_count = offsetof(PyFrameObject, ob_base.ob_size),
                     .state = offsetof(PyFrameObject, f_executing),
                     .running_states = 1U << 1,
                     .size = offsetof(PyFrameObject, f_executing) + 1},
};

const char* gauge_layout_difference(uint64_t* published, uint64_t* compiled) {
  *published = *compiled = 0;
  return NULL;
}

uintptr_t gauge_runtime_address(void) { return (uintptr_t)&_PyRuntime; }

uint32_t gauge_code_births(void) { return 0; }

int gauge_is_finalizing(void) { return _PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL; }
