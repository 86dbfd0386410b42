#include "recorder/recording_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "formats/base/error.h"
#include "tests/support/temporary_folder.h"

namespace gauge {
namespace {

namespace fs = std::filesystem;

class RecordingFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string message_for(const std::string& path, const RecordingFile::Options& options = {}) {
    try {
      RecordingFile file{path, options};
      return "no error";
    } catch (const Error& error) {
      return error.what();
    }
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("out.gpf");
};

TEST_F(RecordingFileTest, WritesUnderItsNameFromTheStart) {
  RecordingFile file{path_, {}};
  file.write("header");
  EXPECT_EQ(contents(path_), "header");
  file.publish();
  file.write(", block");
  EXPECT_EQ(contents(path_), "header, block");
}

TEST_F(RecordingFileTest, NeverTouchesAFileThatExists) {
  put(path_, "precious");
  EXPECT_EQ(message_for(path_), path_ + ": exists already; choose another name, or replace it (-f, replace=True)");
  EXPECT_EQ(contents(path_), "precious");
}

TEST_F(RecordingFileTest, IsNamedAndRemovedInItsFolderWhateverThatIsCalledMeanwhile) {
  fs::create_directory(folder_.path("before"));
  RecordingFile kept{folder_.path("before/kept.gpf"), {.replace = true}};
  RecordingFile discarded{folder_.path("before/discarded.gpf"), {}};
  kept.write("header");
  fs::rename(folder_.path("before"), folder_.path("after"));
  kept.publish();
  discarded.discard();
  EXPECT_EQ(contents(folder_.path("after/kept.gpf")), "header");
  EXPECT_FALSE(fs::exists(folder_.path("after/discarded.gpf")));
}

TEST_F(RecordingFileTest, ReplacesOnlyWhenTheNewOneHasItsHeader) {
  put(path_, "old");
  RecordingFile file{path_, {.replace = true}};
  file.write("new header");
  EXPECT_EQ(contents(path_), "old");
  file.publish();
  EXPECT_EQ(contents(path_), "new header");
  file.write(", block");
  EXPECT_EQ(contents(path_), "new header, block");
  EXPECT_EQ(folder_.count(), 1U);
}

TEST_F(RecordingFileTest, ADiscardedReplacementLeavesTheOldFile) {
  put(path_, "old");
  {
    RecordingFile file{path_, {.replace = true}};
    file.write("new");
    file.discard();
  }
  EXPECT_EQ(contents(path_), "old");
  EXPECT_EQ(folder_.count(), 1U);
}

TEST_F(RecordingFileTest, ADiscardedRecordingLeavesNothing) {
  RecordingFile file{path_, {}};
  file.discard();
  EXPECT_EQ(folder_.count(), 0U);
}

TEST_F(RecordingFileTest, SaysWhatKeepsItFromBeingCreated) {
  const std::string missing = folder_.path("no/such/out.gpf");
  EXPECT_EQ(message_for(missing),
            missing + ": cannot be created (No such file or directory); choose another file or folder");
  put(path_, "");
  EXPECT_EQ(message_for(path_ + "/x.gpf"),
            path_ + "/x.gpf: cannot be created (Not a directory); choose another file or folder");
}

TEST_F(RecordingFileTest, DoesNotReplaceAFolder) {
  fs::create_directory(path_);
  RecordingFile file{path_, {.replace = true}};
  EXPECT_THROW(file.publish(), Error);
  file.discard();
  EXPECT_EQ(folder_.count(), 1U);
}

TEST_F(RecordingFileTest, DevicesAreWrittenStraightAndNeverRemoved) {
  RecordingFile file{"/dev/null", {}};
  file.write("header");
  file.publish();
  file.discard();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(RecordingFileTest, APipeWithoutReaderIsRefusedInsteadOfWaitedFor) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(message_for(path_),
            path_ + ": cannot be opened (No such device or address); choose another file or folder");
}

TEST_F(RecordingFileTest, SaysWhenTheFileWasDeleted) {
  RecordingFile file{path_, {}};
  file.write("header");
  fs::remove(path_);
  EXPECT_THROW(file.write("block"), Error);
}

TEST_F(RecordingFileTest, ARenamedFileIsWrittenOn) {
  RecordingFile file{path_, {}};
  file.write("header");
  fs::rename(path_, folder_.path("moved.gpf"));
  file.write(", block");
  EXPECT_EQ(contents(folder_.path("moved.gpf")), "header, block");
}

TEST_F(RecordingFileTest, NeverWritesIntoAFileThatTookItsNumber) {
  RecordingFile file{path_, {.descriptor_is_shared = true}};
  const std::string other = folder_.path("other.txt");
  put(other, "theirs");
  // The program closes descriptors by number and opens its own, as daemons do. Ours is the highest one in use.
  const int number = dup(0) - 1;
  close(number + 1);
  const int theirs = open(other.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_EQ(dup2(theirs, number), number);
  EXPECT_THROW(file.write("block"), Error);
  EXPECT_EQ(contents(other), "theirs");
  close(theirs);
}

TEST_F(RecordingFileTest, NeverClosesAFileThatTookItsNumber) {
  const int number = dup(0);
  close(number);
  {
    RecordingFile file{path_, {.descriptor_is_shared = true}};
    const int theirs = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(dup2(theirs, number), number);
    close(theirs);
  }
  EXPECT_EQ(close(number), 0);
}

/// The longest file that may be written, while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(RecordingFileTest, RoomForTheEndIsLeftWhenThereIsNoneForABlock) {
  RecordingFile file{path_, {}};
  const FileSizeLimit limit{8192};
  file.write(std::string(5000, 'a'));
  EXPECT_THROW(file.write(std::string(3190, 'b')), Error);  // would leave two bytes
  EXPECT_EQ(contents(path_), std::string(5000, 'a'));
  file.write(std::string(3192, 'e'));
  EXPECT_EQ(contents(path_), std::string(5000, 'a') + std::string(3192, 'e'));
}

TEST_F(RecordingFileTest, WhatWasNotWrittenWholeIsCutOffAgain) {
  RecordingFile file{path_, {}};
  const FileSizeLimit limit{8192};
  file.write(std::string(5000, 'a'));
  EXPECT_THROW(file.write(std::string(5000, 'b')), Error);  // no room for the end
  EXPECT_THROW(file.write(std::string(5000, 'b')), Error);  // tries
  EXPECT_EQ(contents(path_), std::string(5000, 'a'));
  file.write("end");
  EXPECT_EQ(contents(path_), std::string(5000, 'a') + "end");
}

TEST_F(RecordingFileTest, RoomThatWasNotNeededIsGivenBack) {
  const auto used = [this] {
    struct stat status {};
    stat(path_.c_str(), &status);
    return status.st_blocks;
  };
  put(path_, std::string(4096, 'a'));
  const auto needed = used();
  fs::remove(path_);
  {
    RecordingFile file{path_, {}};
    file.write(std::string(4096, 'a'));
    EXPECT_GE(used(), needed);
  }
  EXPECT_EQ(used(), needed);
}

}  // namespace
}  // namespace gauge
