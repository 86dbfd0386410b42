// What CPython 3.11 alone has. Included by object_layout.cc, after its headers.
#pragma once

#include "recorder/cpython/object_layout_from_3_11.h"

namespace gauge::cpython {

inline void add_version_fields(ObjectLayout& layout) {
  add_code_fields(layout.code);
  add_container_fields(layout);
  layout.text.wide = offsetof(PyASCIIObject, wstr);
  layout.text.wide_length = offsetof(PyCompactUnicodeObject, wstr_length);

  layout.instance.attributes = InstanceAttributes::values_pointer;
  layout.instance.values = -4 * static_cast<std::ptrdiff_t>(sizeof(PyObject*));  // _PyObject_ValuesPointer

  layout.integer.digit_count = offsetof(PyVarObject, ob_size);
  layout.integer.digits = offsetof(PyLongObject, ob_digit);
}

/// 3.11 publishes no offsets.
inline void check_published_offsets(const ObjectLayout& /*layout*/) {}

}  // namespace gauge::cpython
