// Where the fields of the Python objects we read raw are, and where the landmarks of this interpreter are.
//
// Filled once, under the GIL, from the headers of the CPython this library is compiled for (object_layout.cc), so that
// the code that reads is the same for every version. Frames and thread states are in layout.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gauge::cpython {

/// A string that serves as key of a dict: equal if it is the same object, or has the same 64-bit hash.
struct TextKey {
  std::uintptr_t address = 0;  // of the interned str; kept alive for good
  std::int64_t hash = 0;
};

/// How instances of a Python class hold their attributes.
enum class InstanceAttributes {
  dict_only,         // to 3.10: a dict, at tp_dictoffset
  values_pointer,    // 3.11: a pointer to the values, or one to a dict, both before the object
  tagged_pointer,    // 3.12: one pointer before the object; odd = (address of the values) - 1, even = a dict
  values_in_object,  // from 3.13: a pointer to a dict before the object; while it is 0, values after the object's head
};

/// Offsets in bytes from the start of the object. 0 = this CPython has no such field.
struct ObjectLayout {
  int minor_version = 0;  // of CPython 3

  struct Object {
    std::size_t reference_count;  // the one field that may be at 0
    std::size_t type;
    std::size_t item_count;  // ob_size
  } object{};

  struct Text {
    std::size_t length, state;
    std::uint32_t kind_mask, compact_mask, ascii_mask;  // bits of the state, a 32-bit word
    unsigned kind_shift;
    std::size_t ascii_header;       // characters of a compact ASCII string start here
    std::size_t compact_header;     // of other compact strings
    std::size_t data;               // pointer to the characters of a string that is not compact
    std::size_t wide, wide_length;  // to 3.11: pointer and length of a string of kind 0, not yet made ready
    std::size_t hash;               // -1 = not computed yet
  } text{};

  struct Bytes {
    std::size_t data;
  } bytes{};

  struct Code {
    std::size_t size;  // of the fixed part: all fields below lie in it
    std::size_t flags, first_line, local_count;
    std::size_t name;
    std::size_t qualified_name;  // from 3.11
    std::size_t file, line_table;
    std::size_t version;          // from 3.12: co_version
    std::size_t bytecode;         // from 3.11: where the instructions start
    std::size_t bytecode_object;  // to 3.10: a bytes object that has them
    bool has_implied_lines;       // to 3.9: an empty line table says that all is on the first line
    // What else tells two code objects apart; used where there is no version.
    std::size_t constants, names, local_names, exception_table;
  } code{};

  struct Function {
    std::size_t code, globals;
  } function{};

  struct Module {
    std::size_t dict;
  } module{};

  struct Dict {
    std::size_t keys, values;
  } dict{};

  struct DictKeys {
    std::size_t size;                               // to 3.10: a word; every table is a general one
    std::size_t log2_size, log2_index_bytes, kind;  // later: bytes
    std::size_t entry_count;                        // a word
    std::size_t index;
    std::size_t first_value;  // in the values array of a split dict
  } keys{};

  struct Type {
    std::size_t flags, dict_offset, cached_keys;
  } type{};

  struct Instance {
    InstanceAttributes attributes;
    std::ptrdiff_t dict;         // from the object's start; negative
    std::ptrdiff_t values;       // values_pointer: likewise
    std::size_t inline_values;   // values_in_object: from the object's start
    std::size_t is_valid;        // values_in_object: byte in the values; 0 = they have moved to a dict
    std::uint64_t managed_flag;  // in type flags: has what this struct describes; else see Type::dict_offset
    std::uint64_t inline_flag;   // in type flags: has inline values
  } instance{};

  struct Int {
    std::size_t digit_count;     // a word
    unsigned digit_count_shift;  // in that word; 3 from 3.12
    std::size_t digits;          // 32-bit words of 30 bits each, lowest first
  } integer{};

  struct Landmarks {
    std::uintptr_t code_type, dict_type, function_type, int_type, bytes_type, text_type, module_type;
    std::uintptr_t modules;  // the dict sys.modules of the interpreter that learnt this
    TextKey module_name;     // "__name__"
    TextKey threading;       // "threading"
    TextKey active;          // "_active"
    TextKey thread_name;     // "_name"
    TextKey thread_ident;    // "_ident"
    TextKey asyncio;         // "_asyncio"
    TextKey current_tasks;   // "_current_tasks"
  } landmarks{};
};

/// The layout and landmarks of the running interpreter. Call with the GIL held. Keeps the landmarks' strings alive.
/// @throws Error(unsupported) if this CPython publishes offsets (3.13 on) that are not those compiled in
[[nodiscard]] ObjectLayout learn_object_layout();

}  // namespace gauge::cpython
