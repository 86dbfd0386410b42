// Files of expected output. GAUGE_BLESS=1 in the environment writes them anew; then look at what git says has changed.
#pragma once

#include <string>
#include <string_view>

namespace gauge {

/// The content of tests/golden/`name`. Fails the test, with "" as content, where it cannot be read.
[[nodiscard]] std::string golden(const std::string& name);

/// Fails the test, with a unified diff, unless `actual` is the content of tests/golden/`name`.
/// Of bytes that are no text the diff is of their hexadecimal dump.
void expect_golden(const std::string& name, std::string_view actual);

}  // namespace gauge
