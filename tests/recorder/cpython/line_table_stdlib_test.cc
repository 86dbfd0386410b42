// Every instruction of the standard library of every CPython found: our line is the one CPython's co_lines() gives, our
// column the one its co_positions() gives.
//
// GAUGE_TEST_PYTHONS, a :-list of interpreters, replaces the search.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "recorder/cpython/line_table.h"

namespace gauge::cpython {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::vector<fs::path> split_paths(const std::string& text) {
  std::vector<fs::path> paths;
  std::istringstream stream(text);
  for (std::string path; std::getline(stream, path, ':');) {
    if (!path.empty()) paths.emplace_back(path);
  }
  return paths;
}

/// What `folder` holds; nothing if there is no such folder.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code absent;
  std::vector<fs::path> result;
  for (const auto& entry : fs::directory_iterator(folder, absent)) result.push_back(entry.path());
  return result;
}

/// CPython 3.9 and later: those of GAUGE_TEST_PYTHONS, else of PATH, of pyenv and of tools/fetch-pythons.sh.
std::set<fs::path> interpreters() {
  std::set<fs::path> found;
  for (const fs::path& path : split_paths(environment("GAUGE_TEST_PYTHONS"))) found.insert(path);
  if (!found.empty()) return found;

  std::vector<fs::path> folders = split_paths(environment("PATH"));
  const std::string pyenv = environment("PYENV_ROOT");
  for (const fs::path& version :
       entries(fs::path(pyenv.empty() ? environment("HOME") + "/.pyenv" : pyenv) / "versions")) {
    folders.push_back(version / "bin");
  }
  const std::string cache = environment("XDG_CACHE_HOME");
  for (const fs::path& fetched :
       entries(fs::path(cache.empty() ? environment("HOME") + "/.cache" : cache) / "gauge/pythons")) {
    folders.push_back(fetched / "usr/bin");
  }
  static const std::regex name("python3\\.(9|1[0-9])");
  for (const fs::path& folder : folders) {
    if (folder.filename() == "shims") continue;  // scripts that choose one of the others
    for (const fs::path& path : entries(folder)) {
      if (std::regex_match(path.filename().string(), name)) found.insert(fs::canonical(path));
    }
  }
  return found;
}

/// Reads what dump_line_tables.py writes.
class Dump {
 public:
  explicit Dump(const fs::path& interpreter)
      : pipe_(popen(("'" + interpreter.string() + "' -I -B -W ignore '" GAUGE_DUMP_LINE_TABLES "'").c_str(), "r"),
              pclose) {}

  bool read(void* out, std::size_t size) { return std::fread(out, 1, size, pipe_.get()) == size; }
  template <typename T>
  T get() {
    T value{};
    EXPECT_TRUE(read(&value, sizeof value)) << "the dump ends in the middle of a record";
    return value;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe_;
};

struct Tally {
  std::uint64_t instructions = 0;
  std::uint64_t wrong = 0;
  std::uint64_t columns = 0;  // that are known
  std::uint64_t wrong_columns = 0;
  std::size_t longest_table = 0;
};

/// Compares columns with what CPython has for each code unit.
void check_columns(Dump& dump, const LineTable& table, std::uint32_t code_bytes, Tally& tally) {
  std::vector<std::int32_t> columns(dump.get<std::uint32_t>());
  ASSERT_TRUE(dump.read(columns.data(), columns.size() * sizeof(std::int32_t)));
  if (!columns.empty()) {
    ASSERT_EQ(columns.size() * 2, code_bytes);
  }
  for (std::uint32_t offset = 0; offset < code_bytes; offset += 2) {
    const SourcePosition position = table.position_of(static_cast<std::int32_t>(offset));
    const bool is_known = !columns.empty() && columns[offset / 2] >= 0 && position.line != 0;
    const auto expected = is_known ? static_cast<std::uint32_t>(columns[offset / 2] + 1) : 0U;
    if (position.column != expected) ++tally.wrong_columns;
    if (is_known) ++tally.columns;
  }
}

/// Compares one code object; the first four bytes of its record have been read as `first_line`.
void check_code(Dump& dump, LineTableKind kind, std::int32_t first_line, Tally& tally) {
  const auto code_bytes = dump.get<std::uint32_t>();
  std::vector<std::byte> table(dump.get<std::uint32_t>());
  ASSERT_TRUE(dump.read(table.data(), table.size()));
  tally.longest_table = std::max(tally.longest_table, table.size());
  const LineTable lines(kind, table, static_cast<std::uint32_t>(first_line));

  struct Range {
    std::uint32_t start, end;
    std::int32_t line;
  };
  std::uint32_t covered = 0;
  for (auto remaining = dump.get<std::uint32_t>(); remaining > 0; --remaining) {
    const auto range = dump.get<Range>();
    EXPECT_EQ(range.start, covered);
    covered = range.end;
    for (std::uint32_t offset = range.start; offset < range.end; offset += 2, ++tally.instructions) {
      const auto expected = range.line < 0 ? 0U : static_cast<std::uint32_t>(range.line);
      if (lines.position_of(static_cast<std::int32_t>(offset)).line != expected) ++tally.wrong;
    }
  }
  EXPECT_EQ(covered, code_bytes);
  check_columns(dump, lines, code_bytes, tally);
}

TEST(LineTableOfTheStandardLibrary, AgreesWithCPythonOnEveryInstruction) {
  const std::set<fs::path> pythons = interpreters();
  if (pythons.empty()) GTEST_SKIP() << "no CPython 3.9 or later on PATH, in pyenv or in GAUGE_TEST_PYTHONS";
  for (const fs::path& python : pythons) {
    SCOPED_TRACE(python);
    Dump dump(python);
    const auto minor = dump.get<std::uint32_t>();
    Tally tally;
    for (std::int32_t first_line = 0; dump.read(&first_line, sizeof first_line);) {
      check_code(dump, line_table_kind(static_cast<int>(minor)), first_line, tally);
    }
    std::printf("%s: %llu code units, %llu wrong; %llu with columns, %llu wrong; longest table %zu bytes\n",
                python.c_str(), static_cast<unsigned long long>(tally.instructions),
                static_cast<unsigned long long>(tally.wrong), static_cast<unsigned long long>(tally.columns),
                static_cast<unsigned long long>(tally.wrong_columns), tally.longest_table);
    EXPECT_EQ(tally.wrong, 0U);
    EXPECT_EQ(tally.wrong_columns, 0U);
    EXPECT_EQ(tally.columns > tally.instructions / 2, minor >= 11);
    EXPECT_GT(tally.instructions, 500'000U) << "the standard library was not found";
    EXPECT_GT(tally.longest_table, 64U << 10);
  }
}

}  // namespace
}  // namespace gauge::cpython
