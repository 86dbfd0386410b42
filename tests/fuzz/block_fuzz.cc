// Decodes one message: a Metadata (first byte odd), or the content of a data frame. What can be decoded means the same
// when it is encoded again.
#include <string>

#include "formats/base/error.h"
#include "formats/gpf/codec.h"
#include "formats/gpf/sample_rows.h"
#include "tests/fuzz/fuzz_target.h"

namespace gauge {
namespace {

void try_metadata(std::string_view bytes) {
  const gpf::Metadata metadata = gpf::decode_metadata(bytes);
  require(gpf::decode_metadata(gpf::encode_metadata(metadata)) == metadata, "metadata survive encoding");
}

void try_block(std::string_view bytes) {
  const gpf::Block block = gpf::decode_block(bytes);
  if (block.samples) gpf::for_each_row(*block.samples, [](const gpf::SampleRow&) {});
  std::string encoded;
  gpf::append_block(block, encoded);
  require(gpf::decode_block(encoded) == block, "a block survives encoding");
  require(encoded.size() <= bytes.size(), "the canonical encoding is the shortest");
}

}  // namespace
}  // namespace gauge

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gauge;
  if (size == 0) return 0;
  const std::string_view bytes = text_of(data, size).substr(1);
  try {
    (data[0] & 1) != 0 ? try_metadata(bytes) : try_block(bytes);
  } catch (const Error&) {
    return 0;  // malformed, in words
  }
  return 0;
}
