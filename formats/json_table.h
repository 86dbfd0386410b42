// Tables in JSON that are objects of columns, each an array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/base/json_writer.h"

namespace gauge {

/// A member that is an array: what `write(entry)` writes of each entry.
template <typename Entries, typename Write>
void write_column(JsonWriter& json, std::string_view name, const Entries& entries, Write write) {
  json.key(name);
  json.begin_array();
  for (const auto& entry : entries) write(entry);
  json.end_array();
}

/// A column that is null throughout.
inline void write_nulls(JsonWriter& json, std::string_view name, std::size_t length) {
  json.key(name);
  json.begin_array();
  for (std::size_t i = 0; i < length; ++i) json.null();
  json.end_array();
}

/// A column that is one value throughout.
template <typename Value>
void write_equal(JsonWriter& json, std::string_view name, std::size_t length, Value value) {
  json.key(name);
  json.begin_array();
  for (std::size_t i = 0; i < length; ++i) json.value(value);
  json.end_array();
}

/// A table of `length` rows, with the columns that `fill` writes.
template <typename Fill>
void write_table(JsonWriter& json, std::string_view name, std::size_t length, Fill fill) {
  json.key(name);
  json.begin_object();
  fill();
  json.member("length", std::uint64_t{length});
  json.end_object();
}

}  // namespace gauge
