#include "recorder/open_block_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "formats/gpf/framing.h"
#include "tests/support/temporary_folder.h"

namespace gauge {
namespace {

namespace fs = std::filesystem;

class OpenBlockFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string content() const {
    std::ifstream file{beside_, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("out.gpf");
  std::string beside_ = path_ + ".open";
  std::string header_ = "SKIP\x20" + std::string(3, '\0') + std::string{gpf::magic()} + "rest";
};

TEST_F(OpenBlockFileTest, KeepsVersionsUntilTheBlockIsClosed) {
  OpenBlockFile file{path_, header_};
  EXPECT_EQ(content(), header_);
  file.keep("one");
  file.keep("two");
  EXPECT_EQ(content(), header_ + "onetwo");
  file.forget();
  EXPECT_EQ(content(), header_);
  file.keep("three");
  EXPECT_EQ(content(), header_ + "three");
}

TEST_F(OpenBlockFileTest, IsLeftByWhomNobodyEndsAndGoneAfterTheEnd) {
  {
    OpenBlockFile file{path_, header_};
    file.keep("one");
  }
  EXPECT_EQ(content(), header_ + "one");
  OpenBlockFile next{path_, header_};
  EXPECT_EQ(content(), header_);
  next.remove();
  EXPECT_FALSE(fs::exists(beside_));
  next.keep("ignored");
  next.forget();
  EXPECT_FALSE(fs::exists(beside_));
}

TEST_F(OpenBlockFileTest, LeavesAloneWhatIsNotOurs) {
  std::ofstream{beside_} << "a note of somebody";
  {
    OpenBlockFile file{path_, header_};
    file.keep("one");
    file.remove();
  }
  EXPECT_EQ(content(), "a note of somebody");
}

TEST_F(OpenBlockFileTest, LeavesAloneWhatARunningRecorderKeeps) {
  OpenBlockFile running{path_, header_};
  running.keep("one");
  OpenBlockFile other{path_, header_};
  other.keep("two");
  other.remove();
  EXPECT_EQ(content(), header_ + "one");
}

TEST_F(OpenBlockFileTest, KeepsNothingInAFolderThatIsNotThere) {
  OpenBlockFile file{folder_.path("no/such/out.gpf"), header_};
  file.keep("one");
  file.forget();
  file.remove();
  EXPECT_FALSE(fs::exists(folder_.path("no")));
}

}  // namespace
}  // namespace gauge
