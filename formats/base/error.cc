#include "formats/base/error.h"

#include <fmt/core.h>

#include <system_error>

namespace gauge {

Error io_error(const std::string& subject, const std::string& action, int error_number, const std::string& advice) {
  // generic_category().message() is thread-safe, strerror() is not.
  return Error{ErrorCode::io,
               fmt::format("{}: {} ({}); {}", subject, action, std::generic_category().message(error_number), advice)};
}

}  // namespace gauge
