// Reads the recordings of a file, whatever its bytes are, repairs and merges them: what is repaired holds the same, and
// is whole; what is merged can be merged again.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/base/error.h"
#include "formats/base/sink.h"
#include "formats/gpf/reader.h"
#include "formats/gpf/repair.h"
#include "formats/gpf/sample_rows.h"
#include "formats/gpf/unite.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/recording_parts.h"

namespace gauge {
namespace {

gpf::ReadReport read(const gpf::Recording& recording) {
  std::uint64_t blocks = 0;
  std::uint64_t samples = 0;
  const gpf::ReadReport report = recording.for_each_block([&](const gpf::Block& block) {
    ++blocks;
    if (block.samples) gpf::for_each_row(*block.samples, [&](const gpf::SampleRow&) { ++samples; });
  });
  require(report.blocks == blocks, "the report counts the blocks that were delivered");
  require(report.samples == samples, "the report counts the samples that were delivered");
  return report;
}

/// Every block is good or damaged, and damage lies in the file.
void check(const gpf::Recording& recording, const gpf::ReadReport& report) {
  std::set<std::uint64_t> damaged;
  for (const gpf::Damage& damage : report.damage) {
    require(damage.offset >= report.file_offset, "damage does not lie before the recording");
    require(damage.offset + damage.bytes <= report.file_offset + report.file_bytes, "damage lies in the recording");
    if (damage.block) damaged.insert(*damage.block);
  }
  for (std::size_t i = 0; i < recording.block_count(); ++i) {
    const bool is_good = recording.block(i).has_value();
    require(is_good != recording.damage(i).has_value(), "a block is good or damaged");
    require(is_good || damaged.contains(i), "a damaged block is told of");
  }
  require(report.blocks + damaged.size() == recording.block_count(), "a block is delivered or told of");
}

void check_repaired(const gpf::Recording& recording, const gpf::ReadReport& report) {
  StringSink sink;
  gpf::repair(recording, sink);
  const gpf::Recording copy = gpf::Recording::from_bytes(sink.text(), "repaired");
  const gpf::ReadReport repaired = read(copy);
  require(copy.metadata() == recording.metadata(), "repair keeps the metadata");
  require(repaired.samples == report.samples, "repair keeps every sample");
  require(!repaired.truncated && repaired.dropped_bytes == 0, "what is repaired has an end");
  for (const gpf::Damage& damage : repaired.damage) require(damage.bytes == 0, "what is repaired has holes, no damage");
}

std::string merged(const std::vector<std::string>& files) {
  std::vector<gpf::Recording> recordings;
  for (const std::string& bytes : files)
    std::ranges::move(gpf::Recording::all_from_bytes(bytes, "fuzz"), std::back_inserter(recordings));
  StringSink sink;
  for (const gpf::Recording& recording : gpf::unite(std::move(recordings))) gpf::copy(recording, sink);
  return sink.text();
}

}  // namespace
}  // namespace gauge

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gauge;
  try {
    const std::string bytes = recording_of(text_of(data, size));
    for (const gpf::Recording& recording : gpf::Recording::all_from_bytes(bytes, "fuzz")) {
      const gpf::ReadReport report = read(recording);
      check(recording, report);
      check_repaired(recording, report);
    }
    const std::string once = merged({bytes});
    require(merged({once}) == once, "what is merged stays as it is");
    require(merged({bytes, once}) == once, "what is there twice counts once");
  } catch (const Error&) {
    return 0;  // not a recording, in words
  }
  return 0;
}
