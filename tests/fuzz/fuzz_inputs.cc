// gauge-fuzz-inputs: turns a recording into inputs of the fuzz targets, without what it says of the machine it is from.
//
//   gauge-fuzz-inputs RECORDING CORPUS NAME     writes CORPUS/{recording,profile,block}/NAME*
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "formats/gpf/codec.h"
#include "formats/gpf/reader.h"
#include "tests/fuzz/recording_parts.h"
#include "tests/support/recording_builder.h"

namespace gauge {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kProfileFlags = 2 + 4 + 16;  // of profile_fuzz.cc: two of it, by line, below threads

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// What decides how it is read stays.
gpf::Metadata anonymous(const gpf::Metadata& recorded) {
  gpf::Metadata metadata = test_metadata();
  metadata.python_version = recorded.python_version;
  metadata.interval_ns = recorded.interval_ns;
  metadata.start_monotonic_ns = recorded.start_monotonic_ns;
  return metadata;
}

gpf::Block anonymous(gpf::Block block) {
  if (!block.definitions) return block;
  for (std::string& text : block.definitions->strings) {
    if (text.starts_with('/')) text = "/srv/app" + text.substr(text.rfind('/'));
  }
  return block;
}

std::string content_of(const gpf::Block& block) {
  std::string content;
  gpf::append_block(anonymous(block), content);
  if (content.size() > kMaxPartBytes) throw std::runtime_error("a block is too long for an input; record for less");
  return content;
}

void write_inputs(const std::string& path, const fs::path& corpus, const std::string& name) {
  const gpf::Recording recording = gpf::Recording::open(path);
  RecordingInput input;
  input.parts.push_back({PartKind::block, gpf::encode_metadata(anonymous(recording.metadata()))});
  write(corpus / "block" / (name + "-metadata"), '\1' + input.parts[0].bytes);
  recording.for_each_block([&](const gpf::Block& block) {
    input.parts.push_back({PartKind::block, content_of(block)});
    write(corpus / "block" / fmt::format("{}-{}", name, block.sequence), '\0' + input.parts.back().bytes);
  });
  write(corpus / "recording" / (name + "-parts"), serialize(input));
  write(corpus / "recording" / (name + "-file"),
        static_cast<char>(RecordingInput::kRawFlag) + recording_of(serialize(input)));
  write(corpus / "profile" / name, serialize(input));
  input.flags = kProfileFlags;
  write(corpus / "profile" / (name + "-twice"), serialize(input));
}

}  // namespace
}  // namespace gauge

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::runtime_error("usage: gauge-fuzz-inputs RECORDING CORPUS NAME");
    gauge::write_inputs(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gauge-fuzz-inputs: {}\n", error.what());
    return 1;
  }
}
