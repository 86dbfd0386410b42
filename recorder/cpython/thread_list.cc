#include "recorder/cpython/thread_list.h"

#include <algorithm>

#include "formats/base/error.h"

namespace gauge::cpython {
namespace {

constexpr std::size_t kRangesPerInterpreter = 5;

}  // namespace

ThreadList::ThreadList(MemoryReader& reader, const GaugeLayout& layout, std::uintptr_t runtime, NativeIds native_ids)
    : reader_(reader),
      layout_(layout),
      runtime_(runtime),
      native_ids_(native_ids),
      snapshot_(reader),
      memory_(kMaxThreads * sizeof(ThreadRecord), -1) {
  if (!memory_) {
    throw Error{ErrorCode::unsupported,
                "address space: the table of threads does not fit (110 MiB of it are reserved, little is ever used); "
                "raise the limit (ulimit -v)"};
  }
  // All zero, as a record begins. Memory of our own: reinterpret_cast is for what the interpreter's may be read as.
  records_ = static_cast<ThreadRecord*>(static_cast<void*>(memory_.data()));  // NOLINT(bugprone-casting-through-void)
}

void ThreadList::refresh() noexcept {
  ++tick_;
  live_count_ = surplus_ = 0;
  copy_known();
  if (!follow_interpreters(interpreters_head_)) {
    // Those known before are still there more often than not; the main interpreter always is.
    for (std::size_t i = 0; i < copy_count_ && interpreter_count_ < kMaxInterpreters; ++i) {
      const auto known = std::span(interpreters_).first(interpreter_count_);
      const auto is_it = [&](const Interpreter& one) { return one.address == copies_[i].address; };
      if (std::none_of(known.begin(), known.end(), is_it)) interpreters_[interpreter_count_++] = copies_[i];
    }
  }
  for (std::size_t i = 0; i < interpreter_count_; ++i) {
    const auto interpreter = static_cast<std::uint16_t>(i);
    const bool is_whole = follow_threads(interpreter, Links::copied) || follow_threads(interpreter, Links::read) ||
                          follow_threads(interpreter, Links::read);
    if (!is_whole) rescue(interpreter);
  }
  drop_unseen();
}

/// Copies what was known at the last tick, in as few calls as it fits in.
void ThreadList::copy_known() noexcept {
  const auto& fields = layout_.interpreter;
  constexpr std::size_t kWord = sizeof(std::uintptr_t);
  const bool has_own_gil = fields.gil != GAUGE_NO_FIELD;
  snapshot_.clear();
  (void)snapshot_.add(runtime_ + layout_.runtime.interpreters_head, kWord);
  for (std::size_t i = 0; i < interpreter_count_; ++i) {
    const std::uintptr_t address = interpreters_[i].address;
    (void)snapshot_.add(address + fields.next, kWord);
    (void)snapshot_.add(address + fields.id, kWord);
    (void)snapshot_.add(address + fields.threads_head, kWord);
    (void)snapshot_.add(address + (has_own_gil ? fields.gil : fields.next), kWord);
    const std::uintptr_t gil = interpreters_[i].gil;
    (void)snapshot_.add(gil != 0 ? gil : address, gil_sight_size(layout_));
  }
  const std::size_t first_state = snapshot_.count();
  std::uint16_t next = 0;
  for (; next < record_end_ && snapshot_.count() < MemoryReader::kMaxRanges; ++next) {
    if (records_[next].is_used) (void)snapshot_.add(records_[next].state.address, layout_.thread.size);
  }
  (void)snapshot_.take();
  interpreters_head_ = snapshot_.is_copied(0) ? load<std::uintptr_t>(snapshot_.copy(0), 0) : 0;
  copy_count_ = 0;
  for (std::size_t i = 0; i < interpreter_count_; ++i) {
    const std::size_t range = 1 + kRangesPerInterpreter * i;
    if (!snapshot_.is_copied(range + kRangesPerInterpreter - 1)) break;
    const auto word = [&](std::size_t n) { return load<std::uintptr_t>(snapshot_.copy(range + n), 0); };
    Interpreter& copy = copies_[copy_count_++];
    copy = {.address = interpreters_[i].address,
            .next = word(0),
            .threads_head = word(2),
            .id = static_cast<std::int64_t>(word(1)),
            .gil = has_own_gil ? word(3) : runtime_ + layout_.runtime.gil};
    if (copy.gil != 0 && copy.gil == interpreters_[i].gil) {
      copy.gil_sight = decode_gil(layout_, snapshot_.copy(range + 4));
    }
  }
  std::size_t range = first_state;
  for (std::uint16_t i = 0; i < next; ++i) {
    if (!records_[i].is_used) continue;
    if (!snapshot_.is_copied(range)) break;
    const ThreadState state = decode_thread_state(layout_, records_[i].state.address, snapshot_.copy(range++));
    copied_[i] = state;
    records_[i].copied = tick_;
  }
}

bool ThreadList::read_interpreter(std::uintptr_t address, Interpreter& out) noexcept {
  const auto& fields = layout_.interpreter;
  out.address = address;
  out.gil = fields.gil == GAUGE_NO_FIELD ? runtime_ + layout_.runtime.gil : 0;
  return reader_.read(address + fields.next, out.next) && reader_.read(address + fields.id, out.id) &&
         reader_.read(address + fields.threads_head, out.threads_head) &&
         (out.gil != 0 || reader_.read(address + fields.gil, out.gil));
}

const Interpreter* ThreadList::copied_interpreter(std::uintptr_t address) const noexcept {
  for (std::size_t i = 0; i < copy_count_; ++i) {
    if (copies_[i].address == address) return &copies_[i];
  }
  return nullptr;
}

/// @return false if the list ends in something that is no interpreter
bool ThreadList::follow_interpreters(std::uintptr_t head) noexcept {
  interpreter_count_ = 0;
  std::uintptr_t address = head;
  while (address != 0 && interpreter_count_ < kMaxInterpreters) {
    Interpreter& interpreter = interpreters_[interpreter_count_];
    if (const Interpreter* copy = copied_interpreter(address)) {
      interpreter = *copy;
    } else if (!read_interpreter(address, interpreter)) {
      return false;
    }
    // Ids count up and the newest comes first: this also ends any cycle.
    if (interpreter.id < 0 || (interpreter_count_ > 0 && interpreters_[interpreter_count_ - 1].id <= interpreter.id)) {
      return false;
    }
    ++interpreter_count_;
    address = interpreter.next;
  }
  return head != 0;
}

bool ThreadList::read_state(std::uintptr_t address, ThreadState& out) noexcept {
  std::array<std::byte, kMaxStateSize> copy;
  if (layout_.thread.size > copy.size() || !reader_.read_bytes(address, copy.data(), layout_.thread.size)) return false;
  out = decode_thread_state(layout_, address, copy.data());
  return true;
}

/// @return false if the list ends in something that is no thread of this interpreter
bool ThreadList::follow_threads(std::uint16_t interpreter, Links links) noexcept {
  const std::uintptr_t owner = interpreters_[interpreter].address;
  std::uintptr_t address = interpreters_[interpreter].threads_head;
  if (links == Links::read && !reader_.read(owner + layout_.interpreter.threads_head, address)) return false;
  for (std::size_t steps = 0; address != 0 && steps < 2 * kMaxThreads; ++steps) {
    const std::uint16_t known = find(address);
    ThreadState state;
    if (links == Links::copied && known != kNoRecord && records_[known].copied == tick_) {
      state = copied_[known];
    } else if (!read_state(address, state)) {
      return false;
    }
    if (state.interpreter != owner || state.unique_id == 0) return false;
    adopt(state, interpreter);
    address = state.next;
  }
  return true;
}

/// Keeps the threads behind a broken link that were known, as far as their copies still are what they were.
void ThreadList::rescue(std::uint16_t interpreter) noexcept {
  for (std::uint16_t i = 0; i < record_end_; ++i) {
    const ThreadRecord& record = records_[i];
    if (!record.is_used || record.seen == tick_ || record.copied != tick_) continue;
    const ThreadState& copy = copied_[i];
    if (copy.interpreter == interpreters_[interpreter].address && copy.unique_id == record.state.unique_id &&
        copy.python_id == record.state.python_id) {
      adopt(copy, interpreter);
    }
  }
}

/// Enters a thread among the live ones, once a tick.
void ThreadList::adopt(ThreadState state, std::uint16_t interpreter) noexcept {
  std::uint16_t index = find(state.address);
  if (layout_.thread.native_id == GAUGE_NO_FIELD) state.native_id = native_id_of(state, index);
  if (index == kNoRecord) {
    index = 0;
    while (index < record_end_ && records_[index].is_used) ++index;
    if (index == kMaxThreads) {
      ++surplus_;
      return;
    }
    record_end_ = std::max<std::uint16_t>(record_end_, static_cast<std::uint16_t>(index + 1));
    begin_record(records_[index], state);
    insert(index);
  }
  ThreadRecord& record = records_[index];
  if (record.seen == tick_) return;
  if (!is_same_thread(record.state, state)) begin_record(record, state);
  record.state = state;
  record.interpreter = interpreter;
  record.seen = tick_;
  live_[live_count_++] = index;
}

/// A thread keeps its id as long as it lives. Until it runs, its state has the pthread_t of the thread that made it.
std::uint64_t ThreadList::native_id_of(const ThreadState& state, std::uint16_t known) noexcept {
  if (known != kNoRecord) {
    const ThreadState& before = records_[known].state;
    const bool is_same = before.unique_id == state.unique_id && before.python_id == state.python_id;
    if (is_same && before.native_id != 0) return before.native_id;
  }
  return native_ids_.of(reader_, state.python_id);
}

/// A thread state's memory is used again for the next thread; its unique id is not.
bool ThreadList::is_same_thread(const ThreadState& before, const ThreadState& now) noexcept {
  return before.unique_id == now.unique_id && before.interpreter == now.interpreter &&
         (before.native_id == now.native_id || before.native_id == 0);
}

/// Not by assignment: that would touch all of a record's memory.
void ThreadList::begin_record(ThreadRecord& record, const ThreadState& state) noexcept {
  record.is_used = true;
  record.state = state;
  record.number = 0;
  record.is_shown = record.has_cpu = record.has_waiting = false;
  record.name_checks = 0;
  record.name_hash = 0;
  record.next_name_check = {};
  record.seen = 0;
  record.guess.forget();
  record.rest = Rest{};
  record.history.forget();
}

void ThreadList::drop_unseen() noexcept {
  bool has_dropped = false;
  for (std::uint16_t i = 0; i < record_end_; ++i) {
    if (!records_[i].is_used || records_[i].seen == tick_) continue;
    records_[i].is_used = false;
    has_dropped = true;
  }
  if (!has_dropped) return;
  while (record_end_ > 0 && !records_[record_end_ - 1].is_used) --record_end_;
  table_.fill(0);
  for (std::uint16_t i = 0; i < record_end_; ++i) {
    if (records_[i].is_used) insert(i);
  }
}

std::uint16_t ThreadList::find(std::uintptr_t address) const noexcept {
  for (std::size_t at = slot_of(address);; at = (at + 1) % kTableSize) {
    if (table_[at] == 0) return kNoRecord;
    const auto index = static_cast<std::uint16_t>(table_[at] - 1);
    if (records_[index].state.address == address) return index;
  }
}

void ThreadList::insert(std::uint16_t index) noexcept {
  std::size_t at = slot_of(records_[index].state.address);
  while (table_[at] != 0) at = (at + 1) % kTableSize;
  table_[at] = static_cast<std::uint16_t>(index + 1);
}

std::size_t ThreadList::slot_of(std::uintptr_t address) noexcept {
  return ((address >> 4) * 0x9E37'79B9'7F4A'7C15 >> 40) % kTableSize;
}

}  // namespace gauge::cpython
