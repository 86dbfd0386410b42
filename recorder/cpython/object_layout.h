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

/// How instances of a heap type hold their attributes.
enum class InstanceAttributes {
  dict_only,        // to 3.10: a dict, at tp_dictoffset
  values_pointer,   // 3.11: a pointer to the values, or one to a dict, both before the object
  tagged_pointer,   // 3.12: one pointer before the object; odd = (address of the values) - 1, even = a dict
  values_in_object  // from 3.13: a pointer to a dict before the object; while it is 0, values after the object's head
};

/// Offsets in bytes from the start of the object. 0 = this CPython has no such field (offset 0 is the reference count).
struct ObjectLayout {
  int minor_version = 0;  // of CPython 3

  std::size_t object_type = 0;
  std::size_t variable_size = 0;  // ob_size of objects of variable size

  struct Text {
    std::size_t length, hash, state;
    std::size_t ascii_header;       // characters of a compact ASCII string start here
    std::size_t compact_header;     // of other compact strings
    std::size_t data;               // pointer to the characters of a string that is not compact
    std::size_t wide, wide_length;  // to 3.11: pointer and length of a string not yet made ready
  } text{};

  struct Bytes {
    std::size_t data;
  } bytes{};

  struct Code {
    std::size_t size;  // of the fixed part: all fields below lie in it
    std::size_t flags, first_line, local_count;
    std::size_t name, qualified_name, file, line_table;
    std::size_t version;   // from 3.12: co_version
    std::size_t bytecode;  // from 3.11: where the instructions start
    // Whatever else may tell two code objects at one address apart; used where there is no co_version.
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
    // of the keys
    std::size_t log2_size, log2_index_bytes, kind, index;
    std::size_t split_values;  // first value of a values array
  } dict{};

  struct Type {
    std::size_t flags, dict_offset, cached_keys;
  } type{};

  InstanceAttributes instance_attributes = InstanceAttributes::dict_only;
  // Negative: before the object.
  std::ptrdiff_t managed_dict = 0;
  std::ptrdiff_t managed_values = 0;  // values_pointer only
  std::size_t inline_values = 0;      // values_in_object only
  std::size_t values_valid = 0;       // values_in_object only: byte in the values, 1 = they hold

  struct Int {
    std::size_t digit_count;     // word
    unsigned digit_count_shift;  // of that word, 3 from 3.12
    std::size_t digits;          // 30 bits each, lowest first
  } integer{};

  // Landmarks.
  std::uintptr_t code_type = 0, dict_type = 0, function_type = 0, int_type = 0, bytes_type = 0, text_type = 0;
  std::uintptr_t modules = 0;  // the dict sys.modules of the main interpreter
  TextKey key_name_of_module;  // "__name__"
  TextKey key_threading;       // "threading"
  TextKey key_active;          // "_active"
  TextKey key_thread_name;     // "_name"
  TextKey key_thread_ident;    // "_ident"
};

/// The layout and landmarks of the running interpreter. Call with the GIL held. Keeps five interned strings alive.
/// @throws Error(unsupported) if this CPython publishes offsets (3.13 on) that are not those compiled in
[[nodiscard]] ObjectLayout learn_object_layout();

}  // namespace gauge::cpython
