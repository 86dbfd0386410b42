#include "formats/base/sink.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "formats/base/error.h"

namespace gauge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "gauge-sink-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }

  static std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

 private:
  std::string folder_;
};

/// The error that `action` throws, or a failure.
template <typename Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error{ErrorCode::usage, ""};
}

TEST_F(FileSinkTest, FileAppearsWholeAtCommitAndNotBefore) {
  FileSink sink(path("out"), false);
  sink.write("one ");
  sink.write("two");
  EXPECT_FALSE(std::filesystem::exists(path("out")));
  sink.commit();
  EXPECT_EQ(content(path("out")), "one two");
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(FileSinkTest, WithoutCommitNothingIsLeftBehind) {
  {
    FileSink sink(path("out"), false);
    sink.write(std::string(1 << 20, 'x'));
  }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FileSinkTest, WithoutCommitTheOldFileStays) {
  put(path("out"), "old");
  {
    FileSink sink(path("out"), true);
    sink.write("new");
  }
  EXPECT_EQ(content(path("out")), "old");
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(FileSinkTest, LargeAndSmallWritesKeepTheirOrder) {
  std::string expected;
  FileSink sink(path("out"), false);
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string piece((i % 4 == 3) ? 300'000 : 7 * i, static_cast<char>('a' + i % 26));
    sink.write(piece);
    expected += piece;
  }
  sink.commit();
  EXPECT_TRUE(content(path("out")) == expected);
}

TEST_F(FileSinkTest, ExistingFileIsRefusedAtOnceWithTheOptionThatReplacesIt) {
  put(path("out"), "old");
  const Error error = error_of([&] { FileSink(path("out"), false); });
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_EQ(error.what(), path("out") + ": already exists; overwrite it with -f or choose another name");
  EXPECT_EQ(content(path("out")), "old");
}

TEST_F(FileSinkTest, FileThatAppearedMeanwhileIsNotOverwritten) {
  FileSink sink(path("out"), false);
  sink.write("ours");
  put(path("out"), "theirs");
  EXPECT_EQ(error_of([&] { sink.commit(); }).code(), ErrorCode::usage);
  EXPECT_EQ(content(path("out")), "theirs");
}

TEST_F(FileSinkTest, ReplacedFileKeepsItsPermissions) {
  put(path("out"), "old");
  ASSERT_EQ(::chmod(path("out").c_str(), 0640), 0);
  FileSink sink(path("out"), true);
  sink.write("new");
  sink.commit();
  struct stat status {};
  ASSERT_EQ(::stat(path("out").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  EXPECT_EQ(content(path("out")), "new");
}

TEST_F(FileSinkTest, SymbolicLinkStaysAndItsTargetIsReplaced) {
  put(path("real"), "old");
  std::filesystem::create_symlink("real", path("link"));
  FileSink sink(path("link"), true);
  sink.write("new");
  sink.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(content(path("real")), "new");
}

TEST_F(FileSinkTest, DanglingLinkCountsAsExisting) {
  std::filesystem::create_symlink("nowhere", path("link"));
  EXPECT_EQ(error_of([&] { FileSink(path("link"), false); }).code(), ErrorCode::usage);
}

TEST_F(FileSinkTest, FolderIsRefused) {
  const Error error = error_of([&] { FileSink(path(""), true); });
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_THAT(error.what(), HasSubstr("is a folder"));
}

TEST_F(FileSinkTest, MissingFolderIsNamedWithTheCure) {
  const Error error = error_of([&] { FileSink(path("no/such/out"), false); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_EQ(error.what(), path("no/such/out") +
                              ": cannot be created (No such file or directory); create the folder first or choose "
                              "another place with -o");
}

TEST_F(FileSinkTest, TwoSinksInOneFolderDoNotMeet) {
  FileSink one(path("one"), false);
  FileSink two(path("two"), false);
  one.write("1");
  two.write("2");
  one.commit();
  two.commit();
  EXPECT_EQ(content(path("one")) + content(path("two")), "12");
}

TEST_F(FileSinkTest, NameOfFullLengthWorks) {
  const std::string longest(255, 'n');  // NAME_MAX
  FileSink sink(path(longest), false);
  sink.commit();
  EXPECT_THAT(names(), ElementsAre(longest));
}

TEST_F(FileSinkTest, DeviceIsWrittenStraightThoughItExists) {
  FileSink sink("/dev/null", false);
  sink.write("gone");
  sink.commit();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(FileSinkTest, PipeIsWrittenStraight) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] { received = content(path("pipe")); });
  {
    FileSink sink(path("pipe"), false);
    sink.write(std::string(500'000, 'p'));
    sink.commit();
  }
  reader.join();
  EXPECT_EQ(received.size(), 500'000U);
  EXPECT_THAT(names(), ElementsAre("pipe"));
}

TEST_F(FileSinkTest, FullDiskIsAnErrorWithAdvice) {
  FileSink sink("/dev/full", false);
  sink.write("no room");
  const Error error = error_of([&] { sink.commit(); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_STREQ(error.what(),
               "/dev/full: cannot be written (No space left on device); free some space or choose another place "
               "with -o");
}

TEST_F(FileSinkTest, FileSizeLimitIsAnErrorAndLeavesNothing) {
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  rlimit small = old_limit;
  small.rlim_cur = 100'000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  {
    FileSink sink(path("out"), false);
    EXPECT_EQ(error_of([&] { sink.write(std::string(1 << 20, 'x')); }).code(), ErrorCode::io);
  }
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(names(), IsEmpty());
}

TEST(DescriptorSink, WaitsForASlowReaderOfANonBlockingPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  std::size_t received = 0;
  std::thread reader([&] {
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t count = ::read(ends[0], buffer.data(), buffer.size());
      if (count == 0) return;
      if (count > 0) received += static_cast<std::size_t>(count);
    }
  });
  DescriptorSink sink(ends[1], "pipe");
  sink.write(std::string(1'000'000, 'x'));
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(received, 1'000'000U);
}

TEST(DescriptorSink, ErrorNamesTheSubject) {
  DescriptorSink sink(-1, "standard output");
  const Error error = error_of([&] { sink.write("x"); });
  EXPECT_STREQ(error.what(), "standard output: cannot be written (Bad file descriptor); choose another place with -o");
}

TEST(DescriptorSink, NothingToWriteIsNoError) { DescriptorSink(-1, "closed").write(""); }

}  // namespace
}  // namespace gauge
