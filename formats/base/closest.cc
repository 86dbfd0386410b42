#include "formats/base/closest.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace gauge {
namespace {

constexpr std::size_t kLongest = 64;

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// Edits that turn `a` into `b`, by rows of the usual table (optimal string alignment).
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, other});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view closest(std::string_view typed, std::span<const std::string_view> words) {
  if (typed.empty() || typed.size() > kLongest) return {};
  const std::string wanted = lower(typed);
  std::size_t fewest = wanted.size() < 4 ? 2 : 3;  // the first count of edits that is too many
  std::string_view nearest;
  for (const std::string_view word : words) {
    if (word.size() > kLongest) continue;
    const bool begins = wanted.size() >= 2 && lower(word).starts_with(wanted);
    const std::size_t count = begins ? 0 : edits(wanted, lower(word));
    if (count >= fewest) continue;
    fewest = count;
    nearest = word;
  }
  return nearest;
}

}  // namespace gauge
