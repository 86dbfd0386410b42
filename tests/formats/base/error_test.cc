#include "formats/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace gauge {
namespace {

TEST(Error, IoErrorNamesSubjectCauseAndAdvice) {
  const Error error = io_error("out.gpf", "cannot be created", EACCES, "choose another folder with -o");
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_STREQ(error.what(), "out.gpf: cannot be created (Permission denied); choose another folder with -o");
}

}  // namespace
}  // namespace gauge
