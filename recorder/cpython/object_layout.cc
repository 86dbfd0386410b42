#include "recorder/cpython/object_layout.h"

#define Py_BUILD_CORE 1  // the layout of dict keys is in an internal header
#include <Python.h>
// <stdatomic.h> is no C++20 header; without this the internal headers use the compiler's own atomics, of equal layout.
#undef HAVE_STD_ATOMIC

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>

#include "formats/base/error.h"

namespace gauge::cpython {
namespace {

[[maybe_unused]] void require_offset(const char* field, std::size_t compiled, std::size_t published) {
  if (compiled == published) return;
  throw Error(ErrorCode::unsupported, std::string("this interpreter (") + Py_GetVersion() + "): has " + field +
                                          " at offset " + std::to_string(published) + ", not at " +
                                          std::to_string(compiled) + " as the recorder was built for (CPython " +
                                          PY_VERSION + "); build gauge with this interpreter's headers");
}

}  // namespace
}  // namespace gauge::cpython

#if PY_MINOR_VERSION == 9
#include "recorder/cpython/object_layout_3_9.h"
#elif PY_MINOR_VERSION == 10
#include "recorder/cpython/object_layout_3_10.h"
#elif PY_MINOR_VERSION == 11
#include "recorder/cpython/object_layout_3_11.h"
#elif PY_MINOR_VERSION == 12
#include "recorder/cpython/object_layout_3_12.h"
#elif PY_MINOR_VERSION <= 15  // nothing has moved since 3.13
#include "recorder/cpython/object_layout_3_13.h"
#else
#error "no object layout for this CPython; see docs/adding-a-python.md"
#endif

namespace gauge::cpython {
namespace {

/// The bits of a str's state word that `set` sets: their place is the compiler's choice, so it is asked.
template <typename Set>
std::uint32_t state_bits(Set set) {
  PyASCIIObject text;
  std::memset(&text, 0, sizeof text);
  set(text.state);
  std::uint32_t bits = 0;
  static_assert(sizeof text.state == sizeof bits);
  std::memcpy(&bits, &text.state, sizeof bits);
  return bits;
}

void add_text_fields(ObjectLayout::Text& text) {
  text.length = offsetof(PyASCIIObject, length);
  text.hash = offsetof(PyASCIIObject, hash);
  text.state = offsetof(PyASCIIObject, state);
  text.kind_mask = state_bits([](auto& state) { state.kind = 7; });
  text.kind_shift = static_cast<unsigned>(std::countr_zero(text.kind_mask));
  text.compact_mask = state_bits([](auto& state) { state.compact = 1; });
  text.ascii_mask = state_bits([](auto& state) { state.ascii = 1; });
  text.ascii_header = sizeof(PyASCIIObject);
  text.compact_header = sizeof(PyCompactUnicodeObject);
  text.data = offsetof(PyUnicodeObject, data);
}

std::uintptr_t address_of(const void* object) { return reinterpret_cast<std::uintptr_t>(object); }

TextKey interned_key(const char* text) {
  PyObject* key = PyUnicode_InternFromString(text);  // kept: the key must outlive every reader of the layout
  const Py_hash_t hash = key == nullptr ? -1 : PyObject_Hash(key);
  if (hash == -1) {
    PyErr_Clear();
    throw Error(ErrorCode::unsupported, "this interpreter: has no memory left for a short string; free some");
  }
  return {address_of(key), hash};
}

void add_landmarks(ObjectLayout::Landmarks& landmarks) {
  landmarks.code_type = address_of(&PyCode_Type);
  landmarks.dict_type = address_of(&PyDict_Type);
  landmarks.function_type = address_of(&PyFunction_Type);
  landmarks.int_type = address_of(&PyLong_Type);
  landmarks.bytes_type = address_of(&PyBytes_Type);
  landmarks.text_type = address_of(&PyUnicode_Type);
  landmarks.module_type = address_of(&PyModule_Type);
  landmarks.modules = address_of(PyImport_GetModuleDict());
  landmarks.module_name = interned_key("__name__");
  landmarks.threading = interned_key("threading");
  landmarks.active = interned_key("_active");
  landmarks.thread_name = interned_key("_name");
  landmarks.thread_ident = interned_key("_ident");
  landmarks.asyncio = interned_key("_asyncio");
  landmarks.current_tasks = interned_key("_current_tasks");
}

}  // namespace

ObjectLayout learn_object_layout() {
  ObjectLayout layout;
  layout.minor_version = PY_MINOR_VERSION;
  layout.object.reference_count = offsetof(PyObject, ob_refcnt);
  layout.object.type = offsetof(PyObject, ob_type);
  layout.object.item_count = offsetof(PyVarObject, ob_size);
  layout.bytes.data = offsetof(PyBytesObject, ob_sval);
  layout.function.code = offsetof(PyFunctionObject, func_code);
  layout.function.globals = offsetof(PyFunctionObject, func_globals);
  layout.type.flags = offsetof(PyTypeObject, tp_flags);
  layout.type.dict_offset = offsetof(PyTypeObject, tp_dictoffset);
  layout.dict.keys = offsetof(PyDictObject, ma_keys);
  layout.dict.values = offsetof(PyDictObject, ma_values);
  add_text_fields(layout.text);
  add_version_fields(layout);
  check_published_offsets(layout);
  add_landmarks(layout.landmarks);
  return layout;
}

}  // namespace gauge::cpython
