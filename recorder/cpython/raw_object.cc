#include "recorder/cpython/raw_object.h"

#include <algorithm>
#include <array>
#include <bit>

#include "recorder/cpython/gather.h"

namespace gauge::cpython {
namespace {

constexpr std::uint8_t kGeneralKeys = 0;  // DICT_KEYS_GENERAL; unicode and split keys have no hash in their entries
constexpr unsigned kMaxLog2Size = 32;
constexpr unsigned kMaxProbes = 64;  // a table is at most two thirds full, so a walk this long is garbage or an attack
constexpr unsigned kPerturbShift = 5;

/// More than any table has where `size` is no power of two.
unsigned log2_of(std::uint64_t size) noexcept {
  return std::has_single_bit(size) ? static_cast<unsigned>(std::countr_zero(size)) : kMaxLog2Size + 1;
}

/// How wide CPython makes the slots of a table: as its size needs.
unsigned log2_of_slot(unsigned log2_size) noexcept {
  if (log2_size < 8) return 0;
  return log2_size < 16 ? 1 : 2;
}

/// The hash table of a dict: slots that hold the number of an entry, then the entries.
class KeyTable {
 public:
  struct Entry {
    std::uintptr_t key = 0;
    std::uintptr_t value = 0;  // of a dict that is not split
    std::int64_t hash = -1;    // only general tables have it
    std::uint64_t number = 0;
  };

  KeyTable(MemoryReader& reader, const ObjectLayout& layout, std::uintptr_t keys) noexcept
      : reader_(reader), layout_(layout) {
    std::array<std::byte, 64> head{};
    const auto& fields = layout.keys;
    if (fields.index > head.size() || !reader.read_bytes(keys, head.data(), fields.index)) return;
    const bool has_size = fields.size != 0;
    const unsigned log2_size = has_size ? log2_of(value_at<std::uint64_t>(head.data(), fields.size))
                                        : value_at<std::uint8_t>(head.data(), fields.log2_size);
    const unsigned log2_bytes =
        has_size ? log2_size + log2_of_slot(log2_size) : value_at<std::uint8_t>(head.data(), fields.log2_index_bytes);
    if (log2_size > kMaxLog2Size || log2_bytes < log2_size || log2_bytes > log2_size + 3) return;
    is_general_ = has_size || value_at<std::uint8_t>(head.data(), fields.kind) == kGeneralKeys;
    slots_ = keys + fields.index;
    slot_bytes_ = 1U << (log2_bytes - log2_size);
    mask_ = (std::uint64_t{1} << log2_size) - 1;
    entry_count_ = value_at<std::uint64_t>(head.data(), fields.entry_count);
    entries_ = slots_ + (std::uintptr_t{1} << log2_bytes);
    is_usable_ = true;
  }

  /// CPython's probing order (lookdict in Objects/dictobject.c).
  template <typename Key>
  std::optional<Entry> find(const Key& key, std::int64_t hash) const noexcept {
    if (!is_usable_) return std::nullopt;
    auto perturb = static_cast<std::uint64_t>(hash);
    std::uint64_t slot = perturb & mask_;
    for (unsigned probe = 0; probe < kMaxProbes; ++probe) {
      const std::int64_t number = entry_number(slot);
      if (number == kEmpty) return std::nullopt;
      if (number >= 0) {
        const auto entry = entry_at(static_cast<std::uint64_t>(number));
        if (!entry) return std::nullopt;
        if (matches(*entry, key)) return entry;
      }
      perturb >>= kPerturbShift;
      slot = (slot * 5 + perturb + 1) & mask_;
    }
    return std::nullopt;
  }

  /// See RawObjects::values().
  std::size_t values(std::span<std::uintptr_t> out) const noexcept {
    if (!is_usable_) return 0;
    constexpr std::size_t kMaxWords = 3 * RawObjects::kMaxValues;
    std::array<std::uintptr_t, kMaxWords> words{};
    const std::size_t entry_words = is_general_ ? 3 : 2;
    const std::size_t taken = std::min({entry_count_, mask_ + 1, std::uint64_t{RawObjects::kMaxValues}});
    const std::uintptr_t first = entries_ + (entry_count_ - taken) * entry_words * sizeof words[0];
    if (!reader_.read_bytes(first, words.data(), taken * entry_words * sizeof words[0])) return 0;
    std::size_t count = 0;
    for (std::size_t entry = taken; entry-- > 0 && count < out.size();) {
      const std::uintptr_t value = words[entry * entry_words + entry_words - 1];
      if (value != 0) out[count++] = value;  // what was deleted leaves its entry
    }
    return count;
  }

 private:
  static constexpr std::int64_t kEmpty = -1;

  [[nodiscard]] std::int64_t entry_number(std::uint64_t slot) const noexcept {
    std::uint64_t bits = 0;
    if (!reader_.read_bytes(slots_ + slot * slot_bytes_, &bits, slot_bytes_)) return kEmpty;
    const unsigned unused = 64 - 8 * slot_bytes_;
    return static_cast<std::int64_t>(bits << unused) >> unused;  // little endian, sign extended
  }

  [[nodiscard]] std::optional<Entry> entry_at(std::uint64_t number) const noexcept {
    Entry entry;
    entry.number = number;
    std::array<std::uint64_t, 3> words{};
    const std::size_t count = is_general_ ? 3 : 2;
    if (!reader_.read_bytes(entries_ + number * count * sizeof words[0], words.data(), count * sizeof words[0])) {
      return std::nullopt;
    }
    if (is_general_) entry.hash = static_cast<std::int64_t>(words[0]);
    entry.key = words[count - 2];
    entry.value = words[count - 1];
    return entry;
  }

  [[nodiscard]] bool matches(const Entry& entry, const TextKey& key) const noexcept {
    if (entry.key == key.address) return true;
    std::int64_t hash = entry.hash;
    if (!is_general_ && !reader_.read(entry.key + layout_.text.hash, hash)) return false;
    return entry.key != 0 && hash == key.hash;
  }
  /// Ints below 2^61 - 1 are their own hash.
  [[nodiscard]] bool matches(const Entry& entry, std::uint64_t key) const noexcept {
    return is_general_ && entry.key != 0 && entry.hash == static_cast<std::int64_t>(key);
  }

  MemoryReader& reader_;
  const ObjectLayout& layout_;
  bool is_usable_ = false;
  bool is_general_ = false;
  std::uintptr_t slots_ = 0;
  unsigned slot_bytes_ = 1;
  std::uint64_t mask_ = 0;
  std::uint64_t entry_count_ = 0;  // deleted ones included
  std::uintptr_t entries_ = 0;
};

std::int64_t hash_of(const TextKey& key) { return key.hash; }
std::int64_t hash_of(std::uint64_t key) { return static_cast<std::int64_t>(key); }

}  // namespace

std::uintptr_t RawObjects::word(std::uintptr_t address) const noexcept {
  std::uintptr_t value = 0;
  return reader_.read(address, value) ? value : 0;
}

std::uintptr_t RawObjects::type_of(std::uintptr_t object) const noexcept {
  std::array<std::byte, 32> head{};
  const std::size_t size = layout_.object.type + sizeof(std::uintptr_t);
  if (object == 0 || size > head.size() || !reader_.read_bytes(object, head.data(), size)) return 0;
  const bool is_live = is_alive(value_at<std::uint64_t>(head.data(), layout_.object.reference_count));
  return is_live ? value_at<std::uintptr_t>(head.data(), layout_.object.type) : 0;
}

bool RawObjects::has_type(std::uintptr_t object, std::uintptr_t type) const noexcept {
  return type != 0 && type_of(object) == type;
}

template <typename Key>
std::uintptr_t RawObjects::find_in_dict(std::uintptr_t dict, const Key& key) const noexcept {
  if (dict == 0) return 0;
  const std::uintptr_t keys = word(dict + layout_.dict.keys);
  const std::uintptr_t values = word(dict + layout_.dict.values);
  if (keys == 0) return 0;
  const auto entry = KeyTable(reader_, layout_, keys).find(key, hash_of(key));
  if (!entry) return 0;
  if (values == 0) return entry->value;
  return word(values + layout_.keys.first_value + entry->number * sizeof(std::uintptr_t));
}

std::size_t RawObjects::values(std::uintptr_t dict, std::span<std::uintptr_t> out) const noexcept {
  if (!has_type(dict, layout_.landmarks.dict_type) || word(dict + layout_.dict.values) != 0) return 0;
  const std::uintptr_t keys = word(dict + layout_.dict.keys);
  return keys == 0 ? 0 : KeyTable(reader_, layout_, keys).values(out);
}

std::uintptr_t RawObjects::find(std::uintptr_t dict, const TextKey& key) const noexcept {
  return find_in_dict(dict, key);
}

std::uintptr_t RawObjects::find(std::uintptr_t dict, std::uint64_t key) const noexcept {
  return find_in_dict(dict, key);
}

std::uintptr_t RawObjects::find_in_values(std::uintptr_t keys, std::uintptr_t values,
                                          const TextKey& key) const noexcept {
  const auto entry = KeyTable(reader_, layout_, keys).find(key, key.hash);
  return entry ? word(values + layout_.keys.first_value + entry->number * sizeof(std::uintptr_t)) : 0;
}

std::uintptr_t RawObjects::find_attribute(std::uintptr_t object, const TextKey& key) const noexcept {
  const auto& instance = layout_.instance;
  const std::uintptr_t type = word(object + layout_.object.type);
  const std::uint64_t flags = type == 0 ? 0 : word(type + layout_.type.flags);
  if ((flags & instance.managed_flag) == 0) {
    const std::uintptr_t offset = type == 0 ? 0 : word(type + layout_.type.dict_offset);
    constexpr std::uintptr_t kMaxOffset = 1 << 16;  // negative ones, of ints and tuples with attributes, are beyond
    return offset == 0 || offset > kMaxOffset ? 0 : find(word(object + offset), key);
  }
  const auto before_object = [object](std::ptrdiff_t offset) { return object + static_cast<std::uintptr_t>(offset); };
  const std::uintptr_t shared_keys = word(type + layout_.type.cached_keys);
  const std::uintptr_t dict = word(before_object(instance.dict));
  switch (instance.attributes) {
    case InstanceAttributes::values_pointer:
      if (const std::uintptr_t values = word(before_object(instance.values)); values != 0) {
        return find_in_values(shared_keys, values, key);
      }
      break;
    case InstanceAttributes::tagged_pointer:
      if ((dict & 1) != 0) return find_in_values(shared_keys, dict + 1, key);
      break;
    case InstanceAttributes::values_in_object:
      if (dict == 0 && (flags & instance.inline_flag) != 0) {
        const std::uintptr_t values = object + instance.inline_values;
        std::uint8_t is_valid = 0;
        if (!reader_.read(values + instance.is_valid, is_valid) || is_valid != 1) return 0;
        return find_in_values(shared_keys, values, key);
      }
      break;
    case InstanceAttributes::dict_only:
      break;
  }
  return find(dict, key);
}

std::uintptr_t RawObjects::module_dict(std::uintptr_t module) const noexcept {
  if (!has_type(module, layout_.landmarks.module_type)) return 0;
  const std::uintptr_t dict = word(module + layout_.module.dict);
  return has_type(dict, layout_.landmarks.dict_type) ? dict : 0;
}

std::optional<std::uint64_t> RawObjects::integer(std::uintptr_t object) const noexcept {
  constexpr unsigned kDigitBits = 30;
  constexpr std::uint64_t kMaxDigits = 3;
  if (!has_type(object, layout_.landmarks.int_type)) return std::nullopt;
  const std::uint64_t size = word(object + layout_.integer.digit_count);
  const std::uint64_t count = size >> layout_.integer.digit_count_shift;
  const bool is_negative = layout_.integer.digit_count_shift != 0 && (size & 3) == 2;
  std::array<std::uint32_t, kMaxDigits> digits{};
  if (is_negative || count > kMaxDigits) return std::nullopt;  // the count of negative ones of 3.11 is beyond
  if (count != 0 && !reader_.read_bytes(object + layout_.integer.digits, digits.data(), count * sizeof digits[0])) {
    return std::nullopt;
  }
  if (digits[2] >= 16) return std::nullopt;  // 2^64 and more
  return digits[0] | std::uint64_t{digits[1]} << kDigitBits | std::uint64_t{digits[2]} << (2 * kDigitBits);
}

}  // namespace gauge::cpython
