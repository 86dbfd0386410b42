// Compresses what is written on its way to another sink.
#pragma once

#include <memory>
#include <string_view>

#include "formats/base/sink.h"

namespace gauge {

/// One gzip member: some readers pass over all after the first, or refuse the file. Equal bytes in give equal bytes out
/// with one version of zlib, as no time and no name is stored.
class GzipSink final : public Sink {
 public:
  /// @throws std::bad_alloc
  explicit GzipSink(Sink& sink);
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;
  ~GzipSink() override;

  void write(std::string_view bytes) override;
  /// Hands over the rest. Call once, last. @throws Error(io) when the sink does
  void finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauge
