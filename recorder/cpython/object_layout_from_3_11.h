// What CPython has had alike since 3.11. Included by the headers of those versions.
#pragma once

#include <internal/pycore_dict.h>
#include <internal/pycore_moduleobject.h>
#include <internal/pycore_runtime.h>

namespace gauge::cpython {

inline void add_code_fields(ObjectLayout::Code& code) {
  code.size = offsetof(PyCodeObject, co_code_adaptive);
  code.flags = offsetof(PyCodeObject, co_flags);
  code.first_line = offsetof(PyCodeObject, co_firstlineno);
  code.local_count = offsetof(PyCodeObject, co_nlocalsplus);
  code.name = offsetof(PyCodeObject, co_name);
  code.qualified_name = offsetof(PyCodeObject, co_qualname);
  code.file = offsetof(PyCodeObject, co_filename);
  code.line_table = offsetof(PyCodeObject, co_linetable);
  code.bytecode = offsetof(PyCodeObject, co_code_adaptive);
  code.constants = offsetof(PyCodeObject, co_consts);
  code.names = offsetof(PyCodeObject, co_names);
  code.local_names = offsetof(PyCodeObject, co_localsplusnames);
  code.exception_table = offsetof(PyCodeObject, co_exceptiontable);
}

inline void add_container_fields(ObjectLayout& layout) {
  layout.module.dict = offsetof(PyModuleObject, md_dict);
  layout.keys.log2_size = offsetof(struct _dictkeysobject, dk_log2_size);
  layout.keys.log2_index_bytes = offsetof(struct _dictkeysobject, dk_log2_index_bytes);
  layout.keys.kind = offsetof(struct _dictkeysobject, dk_kind);
  layout.keys.entry_count = offsetof(struct _dictkeysobject, dk_nentries);
  layout.keys.index = offsetof(struct _dictkeysobject, dk_indices);
  layout.keys.first_value = offsetof(struct _dictvalues, values);
  layout.type.cached_keys = offsetof(PyHeapTypeObject, ht_cached_keys);
  layout.instance.dict = -3 * static_cast<std::ptrdiff_t>(sizeof(PyObject*));  // MANAGED_DICT_OFFSET, not free-threaded
  layout.instance.managed_flag = Py_TPFLAGS_MANAGED_DICT;
}

}  // namespace gauge::cpython
