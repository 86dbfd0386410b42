// What CPython 3.12 alone has. Included by object_layout.cc, after its headers.
#pragma once

#include "recorder/cpython/object_layout_from_3_11.h"

namespace gauge::cpython {

inline void add_version_fields(ObjectLayout& layout) {
  add_code_fields(layout.code);
  add_container_fields(layout);
  layout.code.version = offsetof(PyCodeObject, co_version);

  layout.instance.attributes = InstanceAttributes::tagged_pointer;

  layout.integer.digit_count = offsetof(PyLongObject, long_value.lv_tag);
  layout.integer.digit_count_shift = 3;  // below: sign and flags
  layout.integer.digits = offsetof(PyLongObject, long_value.ob_digit);
}

/// 3.12 publishes no offsets.
inline void check_published_offsets(const ObjectLayout& /*layout*/) {}

}  // namespace gauge::cpython
