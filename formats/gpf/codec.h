// Turns the structs of records.h into the messages of schemas/gauge.proto and back, without the protobuf runtime.
//
// Encoding is canonical: fields in the order of their numbers, zeros left out; equal structs give equal bytes.
// encode_* is linked into the recorder, decode_* is not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gpf/records.h"

namespace gauge::gpf {

/// The Metadata message.
[[nodiscard]] std::string encode_metadata(const Metadata& metadata);

/// Appends what one data frame holds: field 1 of Recording with the Block message in it.
void append_block(const Block& block, std::string& out);

/// Where in such a content the columns of samples begin, and where the last one ends; ascending. Contents of other
/// kinds have none. Compression gains from codes of their own for each column (FrameWriter::compress).
/// @param content  made by append_block()
[[nodiscard]] std::vector<std::size_t> column_boundaries(std::string_view content);

/// @throws Error(corrupt)  not a Metadata message; the text says what is wrong, without a subject
[[nodiscard]] Metadata decode_metadata(std::string_view bytes);

/// Decodes the content of one data frame. Fields that this version does not know are skipped.
/// @throws Error(corrupt)  not exactly one Block, or a block of impossible shape (see shape_error()); the text says
///                         what is wrong, without a subject
[[nodiscard]] Block decode_block(std::string_view content);

/// What makes the block useless whatever ids mean: columns of different length, ids or sums that leave their type.
/// @return  empty for a well-formed block
[[nodiscard]] std::string_view shape_error(const Block& block) noexcept;

}  // namespace gauge::gpf
