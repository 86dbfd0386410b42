// The one exception type of Gauge's cold paths (open, read, convert, record set-up).
//
// Messages read `subject: what happened (facts); what to do`: lower case, one line, no full stop. They are thrown where
// the facts are and caught in three places only: the command line's main, the Python translator, the stream thread.
#pragma once

#include <stdexcept>
#include <string>

namespace gauge {

enum class ErrorCode {
  usage,        // the caller asked for something that makes no sense
  io,           // the operating system refused
  corrupt,      // the bytes are not what they should be
  unsupported,  // right, but not by this version or on this machine
  collector,    // a trace collector refused or could not be reached
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// "out.gpf: cannot be created (Permission denied); <advice>": subject, action and errno in one line.
[[nodiscard]] Error io_error(const std::string& subject, const std::string& action, int error_number,
                             const std::string& advice);

}  // namespace gauge
