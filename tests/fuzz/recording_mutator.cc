// How recordings are mutated: by parts, and inside a block by what it says, so that what comes of it is mostly a block.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/recording_parts.h"

namespace gauge {
namespace {

class Mutator {
 public:
  explicit Mutator(unsigned int seed) : random_(seed) {}

  void mutate(RecordingInput& input) {
    if (below(16) == 0 || input.parts.empty()) {
      input.parts.push_back({});
    } else if (below(8) == 0) {
      rearrange(input.parts);
    } else {
      change(input.parts[below(input.parts.size())]);
    }
  }

 private:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random_); }

  void rearrange(std::vector<Part>& parts) {
    const std::size_t one = below(parts.size());
    const std::size_t other = below(parts.size());
    switch (below(4)) {
      case 0:
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(one));
        break;
      case 1: {
        const Part copy = parts[one];
        parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(other), copy);
        break;
      }
      case 2:
        std::swap(parts[one], parts[other]);
        break;
      default:
        parts[one].kind = static_cast<PartKind>(below(kPartKinds));
    }
  }

  void change(Part& part) {
    if (below(4) != 0 && change_block(part.bytes)) return;
    change_bytes(part.bytes, kMaxPartBytes);
  }

  static void change_bytes(std::string& bytes, std::size_t limit) {
    const std::size_t size = bytes.size();
    bytes.resize(std::max<std::size_t>(limit, size));
    bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size()));
  }

  /// @return false where the bytes are no block
  bool change_block(std::string& bytes) {
    gpf::Block block;
    try {
      block = gpf::decode_block(bytes);
    } catch (const Error&) {
      return false;
    }
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) change(block);
    std::string changed;
    gpf::append_block(block, changed);
    if (changed.size() <= kMaxPartBytes) bytes = std::move(changed);
    return true;
  }

  void change(gpf::Block& block) {
    switch (below(8)) {
      case 0:
        return change_number(block.sequence);
      case 1:
        return change(block.losses.has_value() ? *block.losses : block.losses.emplace());
      case 2:
        return change_end(block);
      case 3:
      case 4:
        return change(block.definitions.has_value() ? *block.definitions : block.definitions.emplace());
      default:
        return change(block.samples.has_value() ? *block.samples : block.samples.emplace());
    }
  }

  void change(gpf::Losses& losses) {
    change_one_of(losses.ticks, losses.missed_ticks, losses.samples, losses.partial_stacks, losses.failed_reads);
  }

  void change_end(gpf::Block& block) {
    if (below(2) == 0) {
      block.end.reset();
    } else {
      change_number(block.end.emplace().monotonic_ns);
    }
    if (below(2) == 0) {
      gpf::ClockAnchor& anchor = block.clock.emplace_back();
      change_one_of(anchor.monotonic_ns, anchor.unix_ns);
    }
  }

  void change(gpf::Definitions& definitions) {
    switch (below(9)) {
      case 0:
        return change_one_of(definitions.first_string, definitions.first_function, definitions.first_frame,
                             definitions.first_stack);
      case 1:
        if (definitions.strings.empty()) definitions.strings.emplace_back();
        return change_bytes(definitions.strings[below(definitions.strings.size())], 200);
      case 2:
        definitions.strings.resize(below(definitions.strings.size() + 2));
        return;
      case 3:
        return change_function(definitions.functions);
      case 4:
        return change_thread(definitions.threads);
      case 5:
        return change_entry(definitions.frame_function, definitions.frame_line);
      case 6:
        return change_rows(definitions.frame_function, definitions.frame_line);
      case 7:
        return change_entry(definitions.stack_parent_back, definitions.stack_frame);
      default:
        return change_rows(definitions.stack_parent_back, definitions.stack_frame);
    }
  }

  void change_function(std::vector<gpf::Function>& functions) {
    if (functions.empty() || below(4) == 0) functions.emplace_back();
    gpf::Function& function = functions[below(functions.size())];
    change_one_of(function.name, function.qualified_name, function.module, function.file, function.first_line);
  }

  void change_thread(std::vector<gpf::Thread>& threads) {
    if (threads.empty() || below(4) == 0) threads.emplace_back();
    gpf::Thread& thread = threads[below(threads.size())];
    change_one_of(thread.id, thread.native_id, thread.name, thread.interpreter);
  }

  void change(gpf::Samples& samples) {
    switch (below(4)) {
      case 0:
        return change_one_of(samples.start, samples.time_unit_ns, samples.cpu_unit_ns, samples.interval_ns);
      case 1:
        return change_rows(samples.time_delta, samples.thread, samples.stack_delta, samples.status, samples.cpu,
                           samples.same_frames);
      default:
        return change_entry(samples.time_delta, samples.thread, samples.stack_delta, samples.status, samples.cpu,
                            samples.same_frames);
    }
  }

  /// Doubles or takes out one row of columns of equal length; those that are all zeros, and absent, stay so.
  template <typename First, typename... Others>
  void change_rows(First& first, Others&... others) {
    const std::size_t row = below(first.size() + 1);
    const bool is_doubled = row == first.size() || below(2) == 0;
    const std::size_t size = first.size();
    const auto change_row = [&](auto& column) {
      if (column.size() != size) return;
      const auto at = column.begin() + static_cast<std::ptrdiff_t>(row);
      if (is_doubled) {
        column.insert(at, row < column.size() ? *at : 0);
      } else {
        column.erase(at);
      }
    };
    (change_row(others), ...);
    change_row(first);
  }

  template <typename... Columns>
  void change_entry(Columns&... columns) {
    std::size_t chosen = below(sizeof...(columns));
    ((chosen-- == 0 && !columns.empty() ? change_number(columns[below(columns.size())]) : void()), ...);
  }

  template <typename... Numbers>
  void change_one_of(Numbers&... numbers) {
    std::size_t chosen = below(sizeof...(numbers));
    ((chosen-- == 0 ? change_number(numbers) : void()), ...);
  }

  template <typename Number>
  void change_number(Number& number) {
    using Limits = std::numeric_limits<Number>;
    const auto noise = static_cast<std::uint64_t>(random_());
    const std::array choices = {Number{0},
                                Number{1},
                                static_cast<Number>(below(8)),
                                Limits::max(),
                                Limits::min(),
                                static_cast<Number>(Limits::max() / 2),
                                static_cast<Number>(static_cast<std::uint64_t>(number) + 1),
                                static_cast<Number>(static_cast<std::uint64_t>(number) - 1),
                                static_cast<Number>(static_cast<std::uint64_t>(number) * 2),
                                static_cast<Number>(std::uint64_t{1} << (noise % 64)),
                                static_cast<Number>(noise)};
    number = choices[below(choices.size())];
  }

  std::mt19937_64 random_;
};

}  // namespace
}  // namespace gauge

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed) {
  const bool is_raw = size > 0 && (data[0] & gauge::RecordingInput::kRawFlag) != 0;
  if (is_raw || seed % 32 == 0) return LLVMFuzzerMutate(data, size, max_size);
  gauge::RecordingInput input = gauge::parse_input(gauge::text_of(data, size));
  gauge::Mutator{seed}.mutate(input);
  const std::string mutated = gauge::serialize(input);
  const std::size_t kept = std::min(mutated.size(), max_size);
  std::memcpy(data, mutated.data(), kept);
  return kept;
}
