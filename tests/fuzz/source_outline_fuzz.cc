// Outlines a source file, and asks for every name in it on every line.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "formats/profile/source_outline.h"
#include "tests/fuzz/fuzz_target.h"

namespace gauge {
namespace {

constexpr std::size_t kMaxNames = 32;
constexpr std::uint32_t kMaxLines = 64;

bool is_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
}

std::set<std::string> names_in(std::string_view source) {
  std::set<std::string> names{"", "<module>", "<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"};
  for (std::size_t at = 0; at < source.size() && names.size() < kMaxNames;) {
    const auto* const begin = std::find_if(source.begin() + at, source.end(), is_word);
    const auto* const end = std::find_if_not(begin, source.end(), is_word);
    names.emplace(begin, end);
    at = static_cast<std::size_t>(end - source.begin());
  }
  return names;
}

}  // namespace
}  // namespace gauge

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gauge;
  const std::string_view source = text_of(data, size);
  const SourceOutline outline{source};
  const auto lines =
      std::min<std::uint32_t>(kMaxLines, 2 + static_cast<std::uint32_t>(std::ranges::count(source, '\n')));
  for (const std::string& name : names_in(source)) {
    for (std::uint32_t line = 0; line <= lines; ++line) {
      const auto answer = outline.qualified_name(name, line);
      require(!answer || answer->ends_with(name), "a qualified name ends with the name");
    }
  }
  return 0;
}
