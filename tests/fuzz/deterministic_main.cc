// In libFuzzer's place, for compilers that do not have it and for the ordinary tests: tries every input of a corpus,
// and so many mutations of each, which are the same every time.
//
//   TARGET MUTATIONS FOLDER
//
// The input being tried is in TARGET.input, so that it is there when the target has died.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

// Only some targets have one. NOLINTNEXTLINE(readability-redundant-declaration): this one is weak
[[gnu::weak]] std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                                  unsigned int seed);

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxInputBytes = std::size_t{1} << 16;

std::minstd_rand& generator() {
  static std::minstd_rand random;
  return random;
}

std::size_t below(std::size_t limit) { return generator()() % limit; }

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  if (files.empty()) throw std::runtime_error(folder.string() + ": has no inputs");
  return files;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file that holds the input being tried. Stays open: to write it anew each time would wait for the disk.
class KeptInput {
 public:
  explicit KeptInput(fs::path path)
      : path_(std::move(path)), file_(open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)) {}
  KeptInput(const KeptInput&) = delete;
  KeptInput& operator=(const KeptInput&) = delete;
  ~KeptInput() { close(file_); }

  void keep(const std::string& input) const {
    const bool is_kept = pwrite(file_, input.data(), input.size(), 0) == static_cast<ssize_t>(input.size()) &&
                         ftruncate(file_, static_cast<off_t>(input.size())) == 0;
    if (!is_kept) throw std::runtime_error(path_.string() + ": cannot be written");
  }
  void remove() const { fs::remove(path_); }

 private:
  fs::path path_;
  int file_;
};

void try_input(const std::string& input, const KeptInput& kept) {
  kept.keep(input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string mutate(std::string input) {
  const std::size_t size = input.size();
  input.resize(std::max(kMaxInputBytes, size));
  auto* const bytes = reinterpret_cast<std::uint8_t*>(input.data());
  const bool is_custom = &LLVMFuzzerCustomMutator != nullptr;
  input.resize(is_custom
                   ? LLVMFuzzerCustomMutator(bytes, size, input.size(), static_cast<unsigned int>(below(1U << 31)))
                   : LLVMFuzzerMutate(bytes, size, input.size()));
  return input;
}

/// Mutations build on each other for a while, then start again from the corpus.
void run(const fs::path& folder, int mutations, const KeptInput& kept) {
  constexpr int kLongestChain = 16;
  for (const fs::path& file : files_of(folder)) {
    const std::string original = content_of(file);
    try_input(original, kept);
    std::string mutated = original;
    for (int i = 0; i < mutations; ++i) {
      mutated = mutate(i % kLongestChain == 0 ? original : mutated);
      try_input(mutated, kept);
    }
  }
  kept.remove();
}

}  // namespace

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size) {
  const std::size_t at = below(size + 1);
  switch (below(5)) {
    case 0:  // a byte more
      if (size == max_size) return size;
      std::copy_backward(data + at, data + size, data + size + 1);
      data[at] = static_cast<std::uint8_t>(generator()());
      return size + 1;
    case 1: {  // some bytes less
      const std::size_t end = std::min(size, at + 1 + below(8));
      std::copy(data + end, data + size, data + at);
      return size - (end - at);
    }
    case 2:  // a bit flipped
      if (at < size) data[at] ^= static_cast<std::uint8_t>(1U << below(8));
      return size;
    case 3:  // some bytes of elsewhere
      for (std::size_t i = at, from = below(size + 1); i < size && from < size && i < at + 8; ++i)
        data[i] = data[from++];
      return size;
    default:  // an extreme
      if (at < size) data[at] = below(2) == 0 ? 0 : 0xFF;
      return size;
  }
}

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::runtime_error(std::string{"usage: "} + argv[0] + " MUTATIONS FOLDER");
    run(argv[2], std::stoi(argv[1]), KeptInput{std::string{argv[0]} + ".input"});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz: %s\n", error.what());
    return 1;
  }
}
