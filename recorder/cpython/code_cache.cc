#include "recorder/cpython/code_cache.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "recorder/cpython/code_object.h"
#include "recorder/cpython/gather.h"

namespace gauge::cpython {
namespace {

// The table is a row of sets: an address belongs to one set, and any place in it. No chains, no tombstones, and the
// place to reuse is found among the neighbours.
constexpr std::size_t kWays = 8;
constexpr unsigned kLog2Sets = 10;
constexpr unsigned kLog2SetsWithPieces = kLog2Sets - 1;  // pieces double what an entry takes
static_assert((kWays << kLog2Sets) == CodeCache::kCapacity);

/// After so many unreadable code objects in one resolve() the stack is garbage; the rest is not tried.
constexpr unsigned kMaxFaults = 16;

struct Entry {
  std::uintptr_t code = 0;  // 0 = free
  CodeIdentity identity;
  std::uint32_t id = 0;  // 0 = a shim
  std::uint32_t bytecode_size = 0;
  std::uint32_t local_count = 0;
  gpf::FunctionKind kind = gpf::FunctionKind::plain;
  std::uint64_t confirmed = 0;  // the last resolve() that found it unchanged
  std::uint64_t asked = 0;      // the last resolve() that looked
};

}  // namespace

class CodeCache::Impl {
 public:
  Impl(MemoryReader& reader, const ObjectLayout& layout)
      : reader_(reader),
        layout_(layout),
        code_reader_(reader, layout, kMaxTextBytes, kMaxLineTableBytes),
        log2_sets_(has_versions() ? kLog2Sets : kLog2SetsWithPieces),
        entries_(kWays << log2_sets_),
        pieces_(has_versions() ? 0 : entries_.size()) {}

  void resolve(std::span<CodeRequest> requests, StackVisitor& visitor) noexcept {
    ++round_;
    new_left_ = kMaxNewPerResolve;
    new_bytes_left_ = kMaxNewBytesPerResolve;
    hopeless_ = 0;
    for (CodeRequest& request : requests) clear_answer(request);
    for (std::size_t next = 0; next < requests.size();) next += ask(requests.subspan(next));
    for (CodeRequest& request : requests) {
      if (!answer_if_confirmed(request)) meet(request, visitor);
    }
  }

  [[nodiscard]] std::uint64_t unknown_names() const noexcept { return unknown_names_; }

 private:
  /// One entry being confirmed: its header, and its pieces where there are no versions, are ranges of the same gather.
  struct Question {
    Entry* entry = nullptr;
    std::optional<CodeHeader> header;
    Digest pieces;
  };

  [[nodiscard]] bool has_versions() const noexcept { return layout_.code.version != 0; }
  [[nodiscard]] std::size_t ranges_per_question() const noexcept {
    return has_versions() ? 1 : 1 + std::tuple_size_v<CodePieces>;
  }

  static void clear_answer(CodeRequest& request) noexcept {
    request = {.code = request.code, .function = request.function, .globals = request.globals};
  }

  [[nodiscard]] std::span<Entry, kWays> set_of(std::uintptr_t code) noexcept {
    const std::size_t set = (code * std::uint64_t{0x9e3779b97f4a7c15}) >> (64 - log2_sets_);
    return std::span<Entry, kWays>(entries_.data() + set * kWays, kWays);
  }

  [[nodiscard]] Entry* find(std::uintptr_t code) noexcept {
    for (Entry& entry : set_of(code)) {
      if (entry.code == code && code != 0) return &entry;
    }
    return nullptr;
  }

  /// Confirms the entries of as many requests as one gather holds. @return requests dealt with
  std::size_t ask(std::span<CodeRequest> requests) noexcept {
    std::size_t dealt_with = 0;
    question_count_ = 0;
    range_count_ = 0;
    for (const CodeRequest& request : requests) {
      if (range_count_ + ranges_per_question() > ranges_.size()) break;
      ++dealt_with;
      Entry* entry = find(request.code);
      if (entry == nullptr || entry->asked == round_) continue;
      entry->asked = round_;
      add_question(*entry);
    }
    gather_each(reader_, std::span(ranges_).first(range_count_), kMaxFaults,
                [this](std::size_t i, const std::byte* bytes) { take(i, bytes); });
    return dealt_with;
  }

  void add_question(Entry& entry) noexcept {
    questions_[question_count_++] = {&entry, std::nullopt, {}};
    ranges_[range_count_++] = {entry.code, layout_.code.size};
    if (has_versions()) return;
    for (const MemoryRange& piece : pieces_of(entry)) ranges_[range_count_++] = piece;
  }

  /// Range `i` of the gather has arrived; nullptr = it could not be read.
  void take(std::size_t i, const std::byte* bytes) noexcept {
    Question& question = questions_[i / ranges_per_question()];
    const std::size_t part = i % ranges_per_question();
    if (bytes == nullptr) {
      question.header.reset();
      return;
    }
    if (part == 0) question.header = decode_code_header(layout_, bytes);
    if (part != 0) question.pieces.add({bytes, ranges_[i].size});
    if (part + 1 != ranges_per_question() || !question.header) return;
    const CodeIdentity identity = has_versions() ? CodeIdentity::from_version(*question.header)
                                                 : CodeIdentity::from_content(*question.header, question.pieces);
    if (identity == question.entry->identity) question.entry->confirmed = round_;
  }

  bool answer_if_confirmed(CodeRequest& request) noexcept {
    const Entry* entry = find(request.code);
    if (entry == nullptr || entry->confirmed != round_) return false;
    request.id = entry->id;
    request.is_shim = entry->id == 0;
    request.kind = entry->kind;
    request.local_count = entry->local_count;
    request.bytecode_size = entry->bytecode_size;
    // Where the bytecode is an object, frames count their instructions from its start.
    request.bytecode = layout_.code.bytecode == 0 ? 0 : entry->code + layout_.code.bytecode;
    return true;
  }

  /// Reads, shows and remembers a code object that is not in the table.
  void meet(CodeRequest& request, StackVisitor& visitor) noexcept {
    if (request.code == 0 || request.code == hopeless_ || new_left_ == 0 || new_bytes_left_ == 0) return;
    --new_left_;
    const CodeReader::Result* result = code_reader_.read({request.code, request.function, request.globals});
    if (result == nullptr) {
      ++unknown_names_;
      hopeless_ = request.code;
      return;
    }
    new_bytes_left_ -= std::min(new_bytes_left_, result->bytes);
    if (!result->is_shim && !show(result->sight, visitor)) {
      hopeless_ = request.code;
      return;
    }
    remember(request.code, *result, result->is_shim ? 0 : last_id_);
    answer_if_confirmed(request);
  }

  /// Takes the next id for it if there is room.
  bool show(CodeSight sight, StackVisitor& visitor) noexcept {
    if (last_id_ == std::numeric_limits<std::uint32_t>::max()) return false;
    sight.code = last_id_ + 1;
    if (!visitor.on_code(sight)) return false;
    ++last_id_;
    return true;
  }

  void remember(std::uintptr_t code, const CodeReader::Result& result, std::uint32_t id) noexcept {
    Entry* place = find(code);  // its predecessor at this address is gone
    if (place == nullptr) {
      const auto set = set_of(code);
      place = &*std::min_element(set.begin(), set.end(),
                                 [](const Entry& a, const Entry& b) { return a.confirmed < b.confirmed; });
    }
    *place = {code,   result.identity, id, result.bytecode_size, result.header.local_count, result.header.kind(),
              round_, round_};
    if (!has_versions()) pieces_of(*place) = result.pieces;
  }

  [[nodiscard]] CodePieces& pieces_of(const Entry& entry) noexcept {
    return pieces_[static_cast<std::size_t>(&entry - entries_.data())];
  }

  MemoryReader& reader_;
  const ObjectLayout& layout_;
  CodeReader code_reader_;
  unsigned log2_sets_;
  std::vector<Entry> entries_;
  std::vector<CodePieces> pieces_;  // of the entry with the same index; empty where there are versions

  std::array<MemoryRange, MemoryReader::kMaxRanges> ranges_;
  std::array<Question, MemoryReader::kMaxRanges> questions_;
  std::size_t range_count_ = 0;
  std::size_t question_count_ = 0;

  std::uint64_t round_ = 0;  // number of this resolve()
  std::size_t new_left_ = 0;
  std::size_t new_bytes_left_ = 0;
  std::uintptr_t hopeless_ = 0;  // could not be read or shown in this round: not tried twice for a recursion
  std::uint32_t last_id_ = 0;
  std::uint64_t unknown_names_ = 0;
};

CodeCache::CodeCache(MemoryReader& reader, const ObjectLayout& layout)
    : impl_(std::make_unique<Impl>(reader, layout)) {}

CodeCache::~CodeCache() = default;

void CodeCache::resolve(std::span<CodeRequest> requests, StackVisitor& visitor) noexcept {
  impl_->resolve(requests, visitor);
}

std::uint64_t CodeCache::unknown_names() const noexcept { return impl_->unknown_names(); }

}  // namespace gauge::cpython
