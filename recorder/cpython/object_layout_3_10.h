// What CPython 3.10 alone has. Included by object_layout.cc, after its headers.
#pragma once

#include <longintrepr.h>

#include "recorder/cpython/object_layout_to_3_10.h"

namespace gauge::cpython {

inline void add_version_fields(ObjectLayout& layout) {
  add_code_fields(layout.code);
  add_container_fields(layout);
  layout.code.line_table = offsetof(PyCodeObject, co_linetable);
}

}  // namespace gauge::cpython
