// Writes JSON to a sink: a thin face on RapidJSON's writer, which owns commas, escapes and UTF-8 checks.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "formats/base/sink.h"

namespace gauge {

/// Values in document order; inside an object, key() before each value. Output is compact and deterministic.
/// Throws Error(io) when the sink does, Error(corrupt) for text that is not UTF-8 and for numbers that JSON has not
/// (infinite, not a number). Not thread-safe.
class JsonWriter {
 public:
  explicit JsonWriter(Sink& sink);
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;
  ~JsonWriter();

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view{text}); }
  void value(std::int64_t number);
  void value(std::uint64_t number);
  void value(std::int32_t number) { value(std::int64_t{number}); }
  void value(std::uint32_t number) { value(std::uint64_t{number}); }
  void value(double number);
  void value(bool truth);
  void null();

  template <typename T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }

  /// Hands everything to the sink. Call once, after the last value.
  void finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauge
