/* What CPythons that publish their layout (_Py_DebugOffsets, at the head of _PyRuntime; 3.13 on) are checked against.
 *
 * Included once, by layout_3_NN.c, after gauge_layout. Offsets must agree; sizes need not: they differ between patch
 * releases of one minor version, offsets do not. */
#ifndef GAUGE_RECORDER_CPYTHON_LAYOUT_PUBLISHED_H
#define GAUGE_RECORDER_CPYTHON_LAYOUT_PUBLISHED_H

#include <string.h>

#include "recorder/cpython/layout.h"

/* See layout.h, as for the other two. */
const char* gauge_layout_difference(uint64_t* published, uint64_t* compiled) {
  const _Py_DebugOffsets* table = &_PyRuntime.debug_offsets;
  const struct {
    const char* name;
    uint64_t published, compiled;
  } pairs[] = {
      {"cookie", (uint64_t)memcmp(table->cookie, _Py_Debug_Cookie, sizeof table->cookie), 0},
      {"minor version", table->version >> 16, PY_VERSION_HEX >> 16},
      {"free_threaded", table->free_threaded, 0},
      {"runtime interpreters_head", table->runtime_state.interpreters_head, gauge_layout.runtime.interpreters_head},
      {"interpreter next", table->interpreter_state.next, gauge_layout.interpreter.next},
      {"interpreter id", table->interpreter_state.id, gauge_layout.interpreter.id},
      {"interpreter threads_head", table->interpreter_state.threads_head, gauge_layout.interpreter.threads_head},
      {"interpreter ceval_gil", table->interpreter_state.ceval_gil, gauge_layout.interpreter.gil},
      {"gil holder", table->interpreter_state.gil_runtime_state_holder - table->interpreter_state.gil_runtime_state,
       gauge_layout.gil.holder},
      {"gil locked", table->interpreter_state.gil_runtime_state_locked - table->interpreter_state.gil_runtime_state,
       gauge_layout.gil.locked},
      {"thread next", table->thread_state.next, gauge_layout.thread.next},
      {"thread interp", table->thread_state.interp, gauge_layout.thread.interpreter},
      {"thread current_frame", table->thread_state.current_frame, gauge_layout.thread.current_frame},
      {"thread thread_id", table->thread_state.thread_id, gauge_layout.thread.python_id},
      {"thread native_thread_id", table->thread_state.native_thread_id, gauge_layout.thread.native_id},
      {"thread datastack_chunk", table->thread_state.datastack_chunk, gauge_layout.thread.chunk},
      {"frame previous", table->interpreter_frame.previous, gauge_layout.frame.previous},
      {"frame executable", table->interpreter_frame.executable, gauge_layout.frame.executable},
      {"frame instr_ptr", table->interpreter_frame.instr_ptr, gauge_layout.frame.instruction},
      {"frame localsplus", table->interpreter_frame.localsplus, gauge_layout.frame.locals},
      {"frame owner", table->interpreter_frame.owner, gauge_layout.frame.owner},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; ++i) {
    if (pairs[i].published == pairs[i].compiled) continue;
    *published = pairs[i].published;
    *compiled = pairs[i].compiled;
    return pairs[i].name;
  }
  return NULL;
}

uintptr_t gauge_runtime_address(void) { return (uintptr_t)&_PyRuntime; }

uint32_t gauge_code_births(void) { return PyInterpreterState_Get()->func_state.next_version; }

int gauge_is_finalizing(void) { return _PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL; }

#endif
