// Pieces of JSON as text, for writers that put most of a document together themselves: what JsonWriter escapes and
// checks, without its cost for every number.
#pragma once

#include <string>
#include <string_view>

#include "formats/base/json_writer.h"
#include "formats/base/sink.h"

namespace gauge {

/// What `fill(JsonWriter&)` writes: one value.
template <typename Fill>
[[nodiscard]] std::string json_text_of(Fill fill) {
  StringSink sink;
  JsonWriter json{sink};
  fill(json);
  json.finish();
  return sink.text();
}

/// The text as a JSON string, with its quotes.
[[nodiscard]] inline std::string json_text(std::string_view text) {
  return json_text_of([text](JsonWriter& json) { json.value(text); });
}

/// An object or array without its braces or brackets, to be put beside others.
[[nodiscard]] inline std::string without_brackets(const std::string& json) { return json.substr(1, json.size() - 2); }

}  // namespace gauge
