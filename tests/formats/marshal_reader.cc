#include "tests/formats/marshal_reader.h"

#include <bit>
#include <cstddef>
#include <optional>
#include <stdexcept>

namespace gauge {
namespace {

class MarshalReader {
 public:
  explicit MarshalReader(std::string_view bytes) : rest_(bytes) {}

  MarshalValue read_all() {
    MarshalValue value = read().value();
    if (!rest_.empty()) throw std::runtime_error("marshal: bytes after the object");
    return value;
  }

 private:
  // Empty for the null that ends a dictionary.
  std::optional<MarshalValue> read() {
    const auto code = static_cast<unsigned>(number(1));
    const std::size_t reference = shared_.size();
    const bool is_shared = (code & 0x80U) != 0;
    if (is_shared) shared_.emplace_back();  // its number is taken before its elements take theirs
    MarshalValue value;
    value.kind = static_cast<char>(code & 0x7FU);
    if (value.kind == '0') return std::nullopt;
    if (value.kind == 'r') return shared_.at(number(4));
    read_content(value);
    if (is_shared) shared_[reference] = value;
    return value;
  }

  void read_content(MarshalValue& value) {
    switch (value.kind) {
      case 'i':
        value.integer = number(4);
        break;
      case 'l':
        value.integer = long_integer();
        break;
      case 'g':
        value.real = std::bit_cast<double>(number(8));
        break;
      case 'z':
        value.text = take(number(1));
        break;
      case 'u':
        value.text = take(number(4));
        break;
      case ')':
        for (std::uint64_t left = number(1); left > 0; --left) value.elements.push_back(read().value());
        break;
      case '{':
        while (std::optional<MarshalValue> key = read()) value.entries.push_back({*key, read().value()});
        break;
      default:
        throw std::runtime_error(std::string("marshal: unknown type '") + value.kind + "'");
    }
  }

  std::uint64_t long_integer() {
    std::uint64_t value = 0;
    const std::uint64_t digits = number(4);
    for (std::uint64_t i = 0; i < digits; ++i) value |= number(2) << (15 * i);
    return value;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    const std::string bytes = take(size);
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }
  std::string take(std::size_t size) {
    if (size > rest_.size()) throw std::runtime_error("marshal: the bytes end inside an object");
    std::string bytes{rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest_;
  std::vector<MarshalValue> shared_;
};

}  // namespace

MarshalValue read_marshal(std::string_view bytes) { return MarshalReader(bytes).read_all(); }

}  // namespace gauge
