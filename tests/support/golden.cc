#include "tests/support/golden.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

namespace gauge {
namespace {

std::filesystem::path path_of(const std::string& name) { return std::filesystem::path{GAUGE_GOLDEN_FOLDER} / name; }

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\t'; });
}

std::string dump(std::string_view bytes) {
  constexpr std::size_t kPerLine = 16;
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += kPerLine) {
    const std::string_view line = bytes.substr(at, kPerLine);
    text += fmt::format("{:06x} ", at);
    for (const char byte : line) text += fmt::format(" {:02x}", static_cast<unsigned char>(byte));
    text += "  ";
    for (const char byte : line) text += byte >= ' ' && byte <= '~' ? byte : '.';
    text += '\n';
  }
  return text;
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    output.append(buffer.data(), count);
  }
  return output;
}

std::string unified_diff(std::string_view expected, std::string_view actual) {
  const std::filesystem::path folder = std::filesystem::path{testing::TempDir()} / fmt::format("golden-{}", getpid());
  const bool as_text = is_text(expected) && is_text(actual);
  write_file(folder / "expected", as_text ? std::string{expected} : dump(expected));
  write_file(folder / "actual", as_text ? std::string{actual} : dump(actual));
  const std::string diff = output_of(fmt::format("cd '{}' && diff -u expected actual", folder.string()));
  std::filesystem::remove_all(folder);
  return diff;
}

bool is_blessing() {
  const char* const bless = std::getenv("GAUGE_BLESS");
  return bless != nullptr && std::string_view{bless} == "1";
}

}  // namespace

std::string golden(const std::string& name) {
  std::ifstream file(path_of(name), std::ios::binary);
  if (!file) ADD_FAILURE() << "tests/golden/" << name << " cannot be read; GAUGE_BLESS=1 writes it";
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_golden(const std::string& name, std::string_view actual) {
  if (is_blessing()) {
    write_file(path_of(name), actual);
    return;
  }
  const std::string expected = golden(name);
  if (expected != actual) {
    ADD_FAILURE() << "output differs from tests/golden/" << name << " (GAUGE_BLESS=1 rewrites it)\n"
                  << unified_diff(expected, actual);
  }
}

}  // namespace gauge
