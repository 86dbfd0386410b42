// Names what somebody gave us instead of a recording, so that the message helps.
#include <algorithm>
#include <array>

#include "formats/gpf/header.h"

namespace gauge::gpf {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;
  std::string_view name;
};

constexpr std::array kSignatures = {
    Signature{"\x1f\x8b"sv, "gzip data: unpack it first"sv},
    Signature{"\x28\xb5\x2f\xfd"sv, "zstd data without a recording's header"sv},
    Signature{"BZh"sv, "bzip2 data: unpack it first"sv},
    Signature{"\xfd"
              "7zXZ"sv,
              "xz data: unpack it first"sv},
    Signature{"PK\x03\x04"sv, "a zip archive: unpack it first"sv},
    Signature{"\x7f"
              "ELF"sv,
              "an executable or a shared library"sv},
    Signature{"PERFILE2"sv, "a perf.data file of Linux perf"sv},
    Signature{"HCAT"sv, "a binary profile of CPython's profiling.sampling"sv},  // 0x54414348, written little endian
    Signature{"TACH"sv, "a binary profile of CPython's profiling.sampling"sv},  // and big endian
    Signature{"memray"sv, "a memray capture"sv},
    Signature{"MOJ"sv, "an Austin MOJO file"sv},
    Signature{"SQLite format 3"sv, "an SQLite database"sv},
    Signature{"# callgrind format"sv, "a Callgrind profile"sv},
    Signature{"version https://git-lfs"sv, "a Git LFS pointer: fetch the file itself"sv},
};

bool is_printable(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 ? byte != 0x7f : c == '\n' || c == '\r' || c == '\t' || c == '\f';
}

/// marshal writes a dict of tuples, as pstats files are; the highest bit of a type is a flag.
bool is_marshalled_dict(std::string_view bytes) noexcept {
  const auto type = [&](std::size_t i) { return static_cast<char>(bytes[i] & 0x7f); };
  return bytes.size() >= 2 && type(0) == '{' && (type(1) == '(' || type(1) == ')');
}

bool is_pickle(std::string_view bytes) noexcept {
  return bytes.size() >= 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
}

std::string_view describe_text(std::string_view text) noexcept {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "blank text";
  if (text[start] == '{' || text[start] == '[') return "JSON";
  if (text[start] == '<') return "HTML or XML";
  return "text";
}

}  // namespace

std::string_view describe_bytes(std::string_view beginning) noexcept {
  const auto* const known = std::find_if(kSignatures.begin(), kSignatures.end(), [&](const Signature& signature) {
    return beginning.starts_with(signature.bytes);
  });
  if (known != kSignatures.end()) return known->name;
  if (is_marshalled_dict(beginning)) return "a pstats file or other marshalled data";
  if (is_pickle(beginning)) return "a pickle";
  if (std::all_of(beginning.begin(), beginning.end(), [](char c) { return c == '\0'; })) return "nothing but zeros";
  if (std::all_of(beginning.begin(), beginning.end(), is_printable)) return describe_text(beginning);
  return "unknown data";
}

}  // namespace gauge::gpf
