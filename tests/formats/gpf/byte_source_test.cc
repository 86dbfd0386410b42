#include "formats/gpf/byte_source.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "formats/base/error.h"

namespace gauge::gpf {
namespace {

namespace fs = std::filesystem;

/// A process that may have few descriptors, and a folder of its own.
class FewDescriptors : public ::testing::Test {
 protected:
  FewDescriptors() {
    fs::create_directory(folder_);
    getrlimit(RLIMIT_NOFILE, &before_);
    struct rlimit limit = before_;
    limit.rlim_cur = 40;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~FewDescriptors() override {
    setrlimit(RLIMIT_NOFILE, &before_);
    fs::remove_all(folder_);
  }

  std::string path_of(int number) const { return (folder_ / std::to_string(number)).string(); }
  static std::string read(const ByteSource& source) {
    std::string storage;
    return std::string{source.read(0, 100, storage)};
  }

  fs::path folder_ = fs::temp_directory_path() / ("byte_source_test." + std::to_string(getpid()));
  struct rlimit before_ {};
  std::vector<std::unique_ptr<ByteSource>> sources_;
};

TEST_F(FewDescriptors, AreEnoughForAnyNumberOfFiles) {
  for (int number = 0; number < 200; ++number) {
    std::ofstream{path_of(number)} << "file " << number;
    sources_.push_back(open_file(path_of(number)));
  }
  for (int number = 0; number < 200; ++number)
    EXPECT_EQ(read(*sources_[static_cast<std::size_t>(number)]), "file " + std::to_string(number));
}

TEST_F(FewDescriptors, AFileThatHasTakenTheNameOfAnotherIsNotReadInItsPlace) {
  for (int number = 0; number < 60; ++number) {
    std::ofstream{path_of(number)} << "file";
    sources_.push_back(open_file(path_of(number)));
  }
  std::ofstream{path_of(999)} << "other";
  fs::rename(path_of(999), path_of(59));
  EXPECT_THROW(read(*sources_[59]), Error);
  fs::rename(path_of(58), path_of(0));
  EXPECT_EQ(read(*sources_[0]), "file");  // one of the first, which stay open
}

}  // namespace
}  // namespace gauge::gpf
