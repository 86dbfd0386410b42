#include "formats/gpf/dictionary.h"

namespace gauge::gpf {
namespace {

constexpr std::size_t kTypicalEntryBytes = 8;
constexpr std::size_t kTypicalNodeBytes = 64;  // of a table, with its share of the buckets

std::uint64_t mix(std::uint64_t state, std::uint64_t value) noexcept {
  // 2^64 / golden ratio: spreads small numbers, as ids are, over the high bits (Knuth, TAOCP 3, 6.4).
  return (state ^ value) * 0x9E3779B97F4A7C15U;
}

std::size_t fold_bits(std::uint64_t mixed) noexcept { return mixed ^ mixed >> 32; }

std::uint64_t pair_key(std::uint32_t first, std::uint32_t second) noexcept {
  return std::uint64_t{first} << 32 | second;
}

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string_view cut_to_fit(std::string_view text) noexcept {
  if (text.size() <= Dictionary::kMaxTextBytes) return text;
  std::size_t length = Dictionary::kMaxTextBytes;
  while (length > 0 && is_continuation(text[length])) --length;
  return text.substr(0, length);
}

}  // namespace

std::size_t Dictionary::FunctionHash::operator()(const Function& function) const noexcept {
  std::uint64_t state = mix(0, pair_key(function.name, function.qualified_name));
  state = mix(state, pair_key(function.module, function.file));
  return fold_bits(mix(state, pair_key(static_cast<std::uint32_t>(function.kind), function.first_line)));
}

std::size_t Dictionary::FrameHash::operator()(const Frame& frame) const noexcept {
  return fold_bits(mix(mix(0, pair_key(frame.function, frame.line)), frame.column));
}

std::size_t Dictionary::PairHash::operator()(std::uint64_t key) const noexcept { return fold_bits(mix(0, key)); }

/// The id of the entry about to be added. A block states the first id of each kind that it defines.
template <typename Map, typename Column>
std::uint32_t Dictionary::next_id(Table<Map>& table, std::uint32_t& first, const Column& column) {
  const std::uint32_t id = ++table.last_id;
  if (column.empty()) first = id;
  pending_bytes_ += kTypicalEntryBytes;
  known_bytes_ += kTypicalNodeBytes;
  return id;
}

std::uint32_t Dictionary::string(std::string_view text) {
  if (text.empty()) return 0;
  text = cut_to_fit(text);
  if (const auto known = strings_.known.find(text); known != strings_.known.end()) return known->second;
  const std::uint32_t id = next_id(strings_, pending_.first_string, pending_.strings);
  strings_.known.emplace(text, id);
  pending_.strings.emplace_back(text);
  pending_bytes_ += text.size();
  known_bytes_ += text.size();
  return id;
}

std::uint32_t Dictionary::function(const Function& function) {
  if (const auto known = functions_.known.find(function); known != functions_.known.end()) return known->second;
  const std::uint32_t id = next_id(functions_, pending_.first_function, pending_.functions);
  functions_.known.emplace(function, id);
  pending_.functions.push_back(function);
  return id;
}

std::uint32_t Dictionary::frame(std::uint32_t function, std::uint32_t line, std::uint32_t column) {
  const Frame frame{function, line, column};
  if (const auto known = frames_.known.find(frame); known != frames_.known.end()) return known->second;
  const std::uint32_t id = next_id(frames_, pending_.first_frame, pending_.frame_function);
  frames_.known.emplace(frame, id);
  pending_.frame_function.push_back(function);
  pending_.frame_line.push_back(line);
  if (column != 0) pending_.frame_column.resize(pending_.frame_line.size() - 1);  // until now all were zeros
  if (column != 0 || !pending_.frame_column.empty()) pending_.frame_column.push_back(column);
  return id;
}

std::uint32_t Dictionary::stack(std::uint32_t parent, std::uint32_t frame) {
  const std::uint64_t key = pair_key(parent, frame);
  if (const auto known = stacks_.known.find(key); known != stacks_.known.end()) return known->second;
  const std::uint32_t id = next_id(stacks_, pending_.first_stack, pending_.stack_frame);
  stacks_.known.emplace(key, id);
  pending_.stack_parent_back.push_back(id - parent);
  pending_.stack_frame.push_back(frame);
  return id;
}

void Dictionary::define_thread(const Thread& thread) {
  pending_.threads.push_back(thread);
  pending_bytes_ += sizeof thread;
}

void Dictionary::define_task(std::uint32_t id, std::uint32_t name, std::uint64_t number, std::uint32_t whole_id) {
  if (pending_.task_name.empty()) pending_.first_task = id;
  pending_.task_name.push_back(name);
  pending_.task_number.push_back(number);
  if (whole_id != 0) pending_.task_whole_id.resize(pending_.task_name.size() - 1);  // until now all were zeros
  if (whole_id != 0 || !pending_.task_whole_id.empty()) pending_.task_whole_id.push_back(whole_id);
  pending_bytes_ += kTypicalEntryBytes;
}

void Dictionary::clear_pending() noexcept {
  pending_.strings.clear();
  pending_.functions.clear();
  pending_.frame_function.clear();
  pending_.frame_line.clear();
  pending_.frame_column.clear();
  pending_.stack_parent_back.clear();
  pending_.stack_frame.clear();
  pending_.threads.clear();
  pending_.task_name.clear();
  pending_.task_number.clear();
  pending_.task_whole_id.clear();
  pending_.first_task = pending_.first_string = pending_.first_function = pending_.first_frame = pending_.first_stack =
      0;
  pending_bytes_ = 0;
  if (known_bytes_ > kMaxKnownBytes) forget_known();
}

/// Gives the memory back: clear() would keep the buckets.
void Dictionary::forget_known() noexcept {
  strings_.known = {};
  functions_.known = {};
  frames_.known = {};
  stacks_.known = {};
  known_bytes_ = 0;
}

}  // namespace gauge::gpf
