// The JSON that is in a page of the html format.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace gauge {

/// What a browser takes for the content of the element with the recording.
[[nodiscard]] inline nlohmann::json recording_of_page(std::string_view page) {
  constexpr std::string_view kStart = R"(<script type="application/json" id="recording">)";
  page.remove_prefix(page.find(kStart) + kStart.size());
  return nlohmann::json::parse(page.substr(0, page.find("</script>")));
}

}  // namespace gauge
