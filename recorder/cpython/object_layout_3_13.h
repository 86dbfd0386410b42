// What CPython 3.13, 3.14 and 3.15 have alike, and no other. Included by object_layout.cc, after its headers.
#pragma once

#include "recorder/cpython/object_layout_from_3_11.h"

namespace gauge::cpython {

inline void add_version_fields(ObjectLayout& layout) {
  add_code_fields(layout.code);
  add_container_fields(layout);
  layout.code.version = offsetof(PyCodeObject, co_version);

  layout.instance.attributes = InstanceAttributes::values_in_object;
  layout.instance.inline_values = sizeof(PyObject);  // _PyObject_InlineValues
  layout.instance.is_valid = offsetof(struct _dictvalues, valid);
  layout.instance.inline_flag = Py_TPFLAGS_INLINE_VALUES;

  layout.integer.digit_count = offsetof(PyLongObject, long_value.lv_tag);
  layout.integer.digit_count_shift = 3;  // below: sign and flags
  layout.integer.digits = offsetof(PyLongObject, long_value.ob_digit);
}

/// Compares with _Py_DebugOffsets. Sizes of structs may differ between patch releases, offsets may not.
inline void check_published_offsets(const ObjectLayout& layout) {
  const _Py_DebugOffsets& published = _PyRuntime.debug_offsets;
  const auto& code = published.code_object;
  require_offset("code.co_filename", layout.code.file, code.filename);
  require_offset("code.co_name", layout.code.name, code.name);
  require_offset("code.co_qualname", layout.code.qualified_name, code.qualname);
  require_offset("code.co_linetable", layout.code.line_table, code.linetable);
  require_offset("code.co_firstlineno", layout.code.first_line, code.firstlineno);
  require_offset("code.co_code_adaptive", layout.code.bytecode, code.co_code_adaptive);
  require_offset("object.ob_type", layout.object.type, published.pyobject.ob_type);
  require_offset("type.tp_flags", layout.type.flags, published.type_object.tp_flags);
  require_offset("dict.ma_keys", layout.dict.keys, published.dict_object.ma_keys);
  require_offset("dict.ma_values", layout.dict.values, published.dict_object.ma_values);
  require_offset("int.lv_tag", layout.integer.digit_count, published.long_object.lv_tag);
  require_offset("int.ob_digit", layout.integer.digits, published.long_object.ob_digit);
  require_offset("bytes.ob_size", layout.object.item_count, published.bytes_object.ob_size);
  require_offset("bytes.ob_sval", layout.bytes.data, published.bytes_object.ob_sval);
  require_offset("str.state", layout.text.state, published.unicode_object.state);
  require_offset("str.length", layout.text.length, published.unicode_object.length);
  require_offset("str.asciiobject_size", layout.text.ascii_header, published.unicode_object.asciiobject_size);
#if PY_MINOR_VERSION >= 15  // publishes these as well
  require_offset("str.compactunicodeobject_size", layout.text.compact_header,
                 published.unicode_object.compactunicodeobject_size);
  require_offset("type.tp_dictoffset", layout.type.dict_offset, published.type_object.tp_dictoffset);
  require_offset("type.ht_cached_keys", layout.type.cached_keys, published.heap_type_object.ht_cached_keys);
#endif
}

}  // namespace gauge::cpython
