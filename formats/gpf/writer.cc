#include "formats/gpf/writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "formats/gpf/codec.h"
#include "formats/gpf/dictionary.h"
#include "formats/gpf/frame_writer.h"
#include "formats/gpf/framing.h"

namespace gauge::gpf {
namespace {

/// Definitions of about so many bytes close the block: a burst of them must not make it too large for readers.
constexpr std::size_t kMaxDefinitionBytes = std::size_t{1} << 20;

}  // namespace

class Writer::Impl {
 public:
  Impl(Sink& sink, const Metadata& metadata, const WriterOptions& options)
      : sink_(sink), options_(options), columns_(metadata.interval_ns) {
    options_.max_block_samples = std::clamp<std::uint32_t>(options.max_block_samples, 1, kMaxBlockSamples);
    header_ = frames_.header(metadata);
    write(header_);
  }

  /// For a definition to come.
  Dictionary& dictionary() {
    if (dictionary_.pending_bytes() >= kMaxDefinitionBytes) flush();
    return dictionary_;
  }

  void append(const SampleRecord& sample) {
    if (is_full(sample.time)) flush();
    if (columns_.size() == 0) first_time_ = sample.time;
    columns_.append(sample);
    ++losses_.samples;
  }

  void set_interval_ns(std::uint64_t interval_ns) {
    if (interval_ns == columns_.interval_ns()) return;
    if (columns_.size() != 0) flush();
    columns_.set_interval_ns(interval_ns);
  }

  void set_losses(const Losses& losses) {
    const std::uint64_t samples = losses_.samples;
    losses_ = losses;
    losses_.samples = samples;
    are_losses_new_ = true;
  }

  void add_clock(const ClockAnchor& anchor) { block_.clock.push_back(anchor); }

  void flush() {
    const bool holds_something =
        columns_.size() != 0 || dictionary_.pending_bytes() != 0 || !block_.clock.empty() || are_losses_new_;
    if (holds_something) write_block();
  }

  void finish(const End& end) {
    has_failed_ = false;  // what has no room for a block may have it for a few bytes
    block_.end = end;
    write_block();
  }

  std::string_view open_block() {
    if (columns_.size() == 0 && dictionary_.pending_bytes() == 0) return {};
    encode_block();
    return frames_.wrap(encoded_);
  }

  std::size_t open_bytes() {
    encode_block();
    return frames_.compress(encoded_, column_boundaries(encoded_)).size();
  }

  [[nodiscard]] std::chrono::nanoseconds cpu_rest(std::uint32_t thread) const { return columns_.cpu_rest(thread); }
  [[nodiscard]] std::string_view header() const noexcept { return header_; }
  [[nodiscard]] std::uint64_t blocks() const noexcept { return block_.sequence; }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return bytes_written_; }
  [[nodiscard]] std::uint64_t samples() const noexcept { return losses_.samples; }

 private:
  [[nodiscard]] bool is_full(std::chrono::nanoseconds now) const noexcept {
    if (columns_.size() == 0) return false;
    return columns_.size() >= options_.max_block_samples || now - first_time_ >= options_.max_block_time;
  }

  void write_block() {
    columns_.drop_zero_columns();
    encode_block();
    begin_block();  // before the write: what a full disk refused must not come again with the next block
    write(frames_.compress(encoded_, column_boundaries(encoded_)));
  }

  /// Lends definitions and samples to the block for the time of encoding, so that their memory serves every block.
  void encode_block() {
    if (dictionary_.pending_bytes() != 0) block_.definitions = std::move(dictionary_.pending());
    if (columns_.size() != 0) block_.samples = std::move(columns_.samples());
    block_.losses = losses_;
    encoded_.clear();
    append_block(block_, encoded_);
    if (block_.definitions) dictionary_.pending() = std::move(*block_.definitions);
    if (block_.samples) columns_.samples() = std::move(*block_.samples);
    block_.definitions.reset();
    block_.samples.reset();
  }

  void begin_block() {
    dictionary_.clear_pending();
    columns_.clear();
    are_losses_new_ = false;
    block_ = Block{.sequence = block_.sequence + 1};
  }

  void write(std::string_view bytes) {
    if (has_failed_) return;
    has_failed_ = true;  // unless the sink takes the bytes
    sink_.write(bytes);
    has_failed_ = false;
    bytes_written_ += bytes.size();
  }

  Sink& sink_;
  WriterOptions options_;
  std::string header_;
  FrameWriter frames_;
  Dictionary dictionary_;
  SampleColumns columns_;
  std::chrono::nanoseconds first_time_{};  // of the open block
  Losses losses_;
  bool are_losses_new_ = false;
  Block block_;  // the open one, but for definitions and samples
  std::string encoded_;
  std::uint64_t bytes_written_ = 0;
  bool has_failed_ = false;
};

Writer::Writer(Sink& sink, const Metadata& metadata, const WriterOptions& options)
    : impl_(std::make_unique<Impl>(sink, metadata, options)) {}
Writer::~Writer() = default;

std::uint32_t Writer::string(std::string_view text) { return impl_->dictionary().string(text); }

std::uint32_t Writer::function(const FunctionText& text) {
  const Function function{.name = string(text.name),
                          .qualified_name = string(text.qualified_name),
                          .module = string(text.module),
                          .file = string(text.file),
                          .first_line = text.first_line,
                          .kind = text.kind};
  return impl_->dictionary().function(function);
}

std::uint32_t Writer::frame(std::uint32_t function, std::uint32_t line, std::uint32_t column) {
  return impl_->dictionary().frame(function, line, column);
}

std::uint32_t Writer::stack(std::uint32_t parent, std::uint32_t frame) {
  return impl_->dictionary().stack(parent, frame);
}

void Writer::define_thread(const ThreadText& thread) {
  const std::uint32_t name_id = string(thread.name);
  impl_->dictionary().define_thread({.id = thread.id,
                                     .native_id = thread.native_id,
                                     .python_id = thread.python_id,
                                     .name = name_id,
                                     .interpreter = thread.interpreter,
                                     .whole_id = thread.whole_id});
}

void Writer::define_task(std::uint32_t id, std::string_view name, std::uint64_t number, std::uint32_t whole_id) {
  const std::uint32_t name_id = string(name);
  impl_->dictionary().define_task(id, name_id, number, whole_id);
}

void Writer::append(const SampleRecord& sample) { impl_->append(sample); }

void Writer::set_interval(std::chrono::nanoseconds interval) {
  impl_->set_interval_ns(static_cast<std::uint64_t>(std::max(interval, std::chrono::nanoseconds{0}).count()));
}

void Writer::set_losses(const Losses& losses) { impl_->set_losses(losses); }
void Writer::add_clock(const ClockAnchor& anchor) { impl_->add_clock(anchor); }
void Writer::flush() { impl_->flush(); }
void Writer::finish(const End& end) { impl_->finish(end); }
std::string_view Writer::open_block() { return impl_->open_block(); }
std::size_t Writer::open_bytes() { return impl_->open_bytes(); }
std::chrono::nanoseconds Writer::cpu_rest(std::uint32_t thread) const { return impl_->cpu_rest(thread); }
std::string_view Writer::header() const noexcept { return impl_->header(); }
std::uint64_t Writer::blocks() const noexcept { return impl_->blocks(); }
std::uint64_t Writer::bytes_written() const noexcept { return impl_->bytes_written(); }
std::uint64_t Writer::samples() const noexcept { return impl_->samples(); }

}  // namespace gauge::gpf
