#include "formats/gzip_sink.h"

#include <zlib.h>

#include <cstddef>
#include <limits>
#include <new>
#include <string>

namespace gauge {
namespace {

constexpr int kWindowOfGzip = 15 + 16;  // zlib: 32 KiB, with gzip's header and trailer
// About a third of the time of the default, for a sixth more bytes. Go writes its own profiles so, too.
constexpr int kLevel = Z_BEST_SPEED;
constexpr int kMemoryLevel = 8;  // zlib's default
constexpr std::size_t kBufferBytes = std::size_t{64} << 10;

}  // namespace

class GzipSink::Impl {
 public:
  explicit Impl(Sink& sink) : sink_(sink), buffer_(kBufferBytes, '\0') {
    if (deflateInit2(&stream_, kLevel, Z_DEFLATED, kWindowOfGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc{};
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { deflateEnd(&stream_); }

  void write(std::string_view bytes) {
    constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, kMost);
      compress(part, Z_NO_FLUSH);
      bytes.remove_prefix(part.size());
    }
  }

  void finish() { compress({}, Z_FINISH); }

 private:
  void compress(std::string_view bytes, int flush) {
    stream_.next_in = reinterpret_cast<const Bytef*>(bytes.data());  // NOLINT: zlib's word for char
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());  // NOLINT: likewise
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      deflate(&stream_, flush);  // cannot fail: the state is sound and there is room
      sink_.write(std::string_view{buffer_}.substr(0, buffer_.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }

  Sink& sink_;
  z_stream stream_{};
  std::string buffer_;
};

GzipSink::GzipSink(Sink& sink) : impl_(std::make_unique<Impl>(sink)) {}
GzipSink::~GzipSink() = default;
void GzipSink::write(std::string_view bytes) { impl_->write(bytes); }
void GzipSink::finish() { impl_->finish(); }

}  // namespace gauge
