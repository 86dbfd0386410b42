// What CPython had alike up to 3.10. Included by the headers of those versions.
#pragma once

#include <cstdint>

namespace gauge::cpython {

/// The keys of a dict, whose structure is in none of CPython's own headers; the entries follow the indices.
struct DictKeysTo310 {
  std::int64_t reference_count;
  std::int64_t size;  // of the table of indices, a power of two
  void* look_up;
  std::int64_t usable, entry_count;
  char indices[1];
};

/// A module, whose structure 3.9 does not tell either.
struct ModuleTo310 {
  PyObject head;
  PyObject* dict;
};

inline void add_code_fields(ObjectLayout::Code& code) {
  code.flags = offsetof(PyCodeObject, co_flags);
  code.first_line = offsetof(PyCodeObject, co_firstlineno);
  code.local_count = offsetof(PyCodeObject, co_nlocals);
  code.name = offsetof(PyCodeObject, co_name);
  code.file = offsetof(PyCodeObject, co_filename);
  code.bytecode_object = offsetof(PyCodeObject, co_code);
  code.constants = offsetof(PyCodeObject, co_consts);
  code.names = offsetof(PyCodeObject, co_names);
  code.local_names = offsetof(PyCodeObject, co_varnames);
  code.size = offsetof(PyCodeObject, co_zombieframe);
}

inline void add_container_fields(ObjectLayout& layout) {
  layout.text.wide = offsetof(PyASCIIObject, wstr);
  layout.text.wide_length = offsetof(PyCompactUnicodeObject, wstr_length);
  layout.keys.size = offsetof(DictKeysTo310, size);
  layout.keys.entry_count = offsetof(DictKeysTo310, entry_count);
  layout.keys.index = offsetof(DictKeysTo310, indices);
  layout.module.dict = offsetof(ModuleTo310, dict);
  layout.instance.attributes = InstanceAttributes::dict_only;
  layout.integer.digit_count = offsetof(PyVarObject, ob_size);
  layout.integer.digits = offsetof(PyLongObject, ob_digit);
}

/// None are published.
inline void check_published_offsets(const ObjectLayout& /*layout*/) {}

}  // namespace gauge::cpython
