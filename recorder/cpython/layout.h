/* Where the thread lists, thread states and frames of one CPython keep what the walker reads.
 *
 * Filled at compile time from that version's internal headers, by the one layout_3_NN.c that is built in. C and C++:
 * those headers are not valid C++. Objects (code, strings, dicts) are in object_layout.h. */
#ifndef GAUGE_RECORDER_CPYTHON_LAYOUT_H
#define GAUGE_RECORDER_CPYTHON_LAYOUT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Offsets in bytes from the start of the structure; GAUGE_NO_FIELD = this CPython has none. */
#define GAUGE_NO_FIELD UINT32_MAX

typedef struct GaugeLayout {
  uint32_t hex_version; /* PY_VERSION_HEX of the headers */

  struct {
    uint32_t interpreters_head; /* the newest interpreter */
    uint32_t gil;               /* to 3.11: the one GIL, inside the runtime */
  } runtime;

  struct {
    uint32_t next, id, threads_head;
    uint32_t gil;         /* from 3.12: pointer to the interpreter's GIL */
    uint32_t code_births; /* from 3.13: 32-bit counter that moves whenever a code object is made; 0 = stuck */
  } interpreter;

  struct {
    uint32_t holder;   /* last thread state to hold it */
    uint32_t locked;   /* int, 1 = held */
    uint32_t switches; /* word that moves whenever another thread takes it; behind the two above */
    uint32_t size;     /* the mutex and the condition others wait on lie inside */
  } gil;

  struct {
    uint32_t next, interpreter;
    uint32_t c_frame;       /* to 3.12: pointer to a _PyCFrame */
    uint32_t current_frame; /* in the _PyCFrame if there is one, else in the thread state */
    uint32_t python_id;
    uint32_t native_id;   /* from 3.11; before, only the C library knows it */
    uint32_t unique_id;   /* 64 bits, never given twice by one interpreter */
    uint32_t chunk;       /* newest chunk of the data stack; to 3.10 there is none, frames are objects */
    uint32_t chunk_top;   /* address of its first free slot */
    uint32_t chunk_limit; /* address after its last slot */
    uint32_t task;        /* from 3.14: the asyncio task that it runs; beyond `size` */
    uint32_t size;        /* bytes from the start that hold all the fields above */
  } thread;

  struct {
    uint32_t previous;
    uint32_t size; /* word: bytes of the chunk, this header included */
    uint32_t top;  /* word: slots in use, of a chunk that is not the newest */
    uint32_t data; /* the first slot */
  } chunk;

  struct {
    uint32_t executable; /* the code object, perhaps tagged in the low bits; or another object */
    uint32_t previous;
    uint32_t instruction; /* address of the instruction executing, or, to 3.12, of the last code unit it has read */
    uint32_t instruction_unit; /* to 3.10 it is an int instead, counted in so many bytes; 0 = an address */
    uint32_t owner;            /* byte */
    uint32_t
        stack_top; /* 3.11 to 3.13: int, < 0 while the frame runs; later what is left of a frame has no executable */
    uint32_t stack_pointer; /* from 3.14: address of the first free slot of the frame's operand stack */
    uint32_t is_entry;      /* to 3.11: byte, 1 = called by C code; later a hidden frame lies between */
    uint32_t function, globals;
    uint32_t locals;             /* also the size of what comes before the locals */
    uint32_t first_hidden_owner; /* owners from here on mark frames that are the interpreter's own */
    uint32_t generator_owner;
    uint32_t offset_in_generator; /* of the frame of a generator or coroutine; to 3.10 it is an object by itself */
  } frame;

  /* To 3.10 every frame is an object by itself: what only such a one has. All 0 where frames are none. */
  struct {
    uint32_t references;     /* word; 0 = freed, 1 = it has called nobody */
    uint32_t generator;      /* word; not 0 = a generator's */
    uint32_t slot_count;     /* word; how many slots, from the locals on, are its own */
    uint32_t state;          /* signed byte */
    uint32_t running_states; /* set of its values, by their low three bits, that say that the frame runs or waits */
    uint32_t size;           /* bytes from the start that hold the fields above and those of any frame */
  } frame_object;
} GaugeLayout;

extern const GaugeLayout gauge_layout;

/* Compares what this CPython publishes about itself with the layout compiled in, as far as it publishes anything.
 * Returns the name of the first field that differs, with both values; NULL = all agree. */
const char* gauge_layout_difference(uint64_t* published, uint64_t* compiled);

/* The address of _PyRuntime. */
uintptr_t gauge_runtime_address(void);

/* The counter of code_births, of the caller's interpreter, which needs the GIL; 0 = there is none. */
uint32_t gauge_code_births(void);

/* Not 0 once the interpreter has begun to tear itself down. Needs no GIL. */
int gauge_is_finalizing(void);

#ifdef __cplusplus
}
#endif

#endif
