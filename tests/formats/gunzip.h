// The content of gzip bytes, for tests of what we compress.
#pragma once

#include <string>
#include <string_view>

namespace gauge {

/// @throws std::invalid_argument unless the bytes are one whole gzip member and nothing else
[[nodiscard]] std::string gunzip(std::string_view bytes);

}  // namespace gauge
