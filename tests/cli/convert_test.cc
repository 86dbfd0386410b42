#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/verbs.h"
#include "tests/support/recording_builder.h"

namespace gauge::cli {
namespace {

using testing::HasSubstr;

/// A recording of CPython 3.10 in the folder of its program.
class ConvertTest : public testing::Test {
 protected:
  ConvertTest() {
    std::string pattern = testing::TempDir() + "convert-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    gpf::Metadata metadata = test_metadata();
    metadata.python_version = "3.10.13";
    metadata.working_directory = folder_;
    write("out.gpf",
          RecordingBuilder{metadata}
              .samples(3, {.stack = "app::Here.m@here.py:2;app::Changed.n@changed.py:2;app::Gone.o@gone.py:2"})
              .finish());
  }
  ~ConvertTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream{folder_ + "/" + name, std::ios::binary} << bytes;
  }

  std::string folder_;
};

TEST_F(ConvertTest, FunctionsOfOldPythonsAreNamedFromTheSourcesThatAreStillThere) {
  write("here.py", "class Here:\n    def m(self): pass\n");
  write("changed.py", "class Changed:\n\n    def n(self): pass\n");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int status = run({"convert", "--to", "collapsed", "-o", "-", folder_ + "/out.gpf"});
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "app.Here.m (here.py:2);app.n (changed.py:2);app.o (gone.py:2) 3\n");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("gauge: 2 functions of changed.py and 1 file more shown by bare name: "));
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace gauge::cli
