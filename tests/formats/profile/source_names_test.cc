#include "formats/profile/source_names.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "formats/profile/profile_builder.h"
#include "tests/support/recording_builder.h"

namespace gauge {
namespace {

/// Files in memory, and what was asked for.
struct Sources {
  [[nodiscard]] SourceReader reader() {
    return [this](const std::string& path) -> std::optional<std::string> {
      asked.push_back(path);
      const auto file = files.find(path);
      return file == files.end() ? std::nullopt : std::optional{file->second};
    };
  }

  std::map<std::string, std::string> files;
  std::vector<std::string> asked;
};

const std::string kClass = "class C:\n  def m(self): pass\n  def n(self): pass\n";

Function function(std::string name, std::string file, std::uint32_t line) {
  Function function{.name = std::move(name), .qualified_name = {}, .module = {}, .file = std::move(file)};
  function.first_line = line;
  return function;
}

gpf::Metadata recorded_in(std::string python_version) {
  gpf::Metadata metadata = test_metadata();
  metadata.python_version = std::move(python_version);
  return metadata;
}

/// The profile of a recording of one sample.
Profile profile_of_stack(std::string_view stack, const gpf::Metadata& metadata, SourceReader reader) {
  std::vector<gpf::Recording> recordings;
  recordings.push_back(
      gpf::Recording::from_bytes(RecordingBuilder{metadata}.sample({.stack = stack}).finish(), "test.gpf"));
  return build_profile(std::move(recordings), std::move(reader));
}

TEST(SourceNames, FunctionIsFoundInItsSource) {
  Sources sources{.files = {{"/app/c.py", kClass}}, .asked = {}};
  SourceNames names{sources.reader()};
  EXPECT_EQ(names.qualified_name(function("m", "/app/c.py", 2), "/"), "C.m");
  EXPECT_EQ(names.bare_names().functions, 0U);
}

TEST(SourceNames, EveryFileIsReadOnce) {
  Sources sources{.files = {{"/app/c.py", kClass}}, .asked = {}};
  SourceNames names{sources.reader()};
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(names.qualified_name(function("m", "/app/c.py", 2), "/"), "C.m");
    EXPECT_EQ(names.qualified_name(function("n", "/app/c.py", 3), "/"), "C.n");
    EXPECT_EQ(names.qualified_name(function("f", "/app/missing.py", 3), "/"), "f");
  }
  EXPECT_EQ(sources.asked, (std::vector<std::string>{"/app/c.py", "/app/missing.py"}));
}

TEST(SourceNames, RelativeFilesStartAtTheWorkingDirectoryOfTheirProcess) {
  Sources sources{.files = {{"/srv/a/lib/c.py", kClass}}, .asked = {}};
  SourceNames names{sources.reader()};
  EXPECT_EQ(names.qualified_name(function("m", "lib/c.py", 2), "/srv/a"), "C.m");
  EXPECT_EQ(names.qualified_name(function("m", "lib/c.py", 2), "/srv/b"), "m");
  EXPECT_EQ(names.qualified_name(function("m", "lib/c.py", 2), ""), "m");
  EXPECT_EQ(sources.asked, (std::vector<std::string>{"/srv/a/lib/c.py", "/srv/b/lib/c.py"}));
}

TEST(SourceNames, WhatKeepsItsBareNameIsCountedOnce) {
  Sources sources{.files = {{"/app/changed.py", "\n" + kClass}, {"/app/one_line.py", "x = lambda: lambda: 0\n"}},
                  .asked = {}};
  SourceNames names{sources.reader()};
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(names.qualified_name(function("m", "/app/changed.py", 2), "/"), "m");
    EXPECT_EQ(names.qualified_name(function("n", "/app/changed.py", 2), "/"), "n");
    EXPECT_EQ(names.qualified_name(function("f", "/app/missing.py", 1), "/"), "f");
    EXPECT_EQ(names.qualified_name(function("<lambda>", "/app/one_line.py", 1), "/"), "<lambda>");
  }
  const BareNames bare = names.bare_names();
  EXPECT_EQ(bare.functions, 4U);
  EXPECT_EQ(bare.files, 3U);
  EXPECT_EQ(bare.file, "/app/changed.py");
}

TEST(SourceNames, CodeOfNoFileIsNeitherLookedForNorCounted) {
  Sources sources;
  SourceNames names{sources.reader()};
  for (const std::string file : {"<string>", "<frozen importlib._bootstrap>", "<attrs generated init a.B>", ""}) {
    EXPECT_EQ(names.qualified_name(function("f", file, 1), "/srv"), "f");
  }
  EXPECT_TRUE(sources.asked.empty());
  EXPECT_EQ(names.bare_names().functions, 0U);
}

TEST(SourceNames, ModuleNeedsNoSource) {
  Sources sources;
  SourceNames names{sources.reader()};
  EXPECT_EQ(names.qualified_name(function("<module>", "/app/c.py", 1), "/"), "<module>");
  EXPECT_TRUE(sources.asked.empty());
  EXPECT_EQ(names.bare_names().functions, 0U);
}

TEST(SourceNames, OnlyCodeBefore311LacksQualifiedNames) {
  for (const std::string_view version : {"3.9.18", "3.10.0rc1", "3.10", "3.9"}) {
    EXPECT_FALSE(has_qualified_names(version)) << version;
  }
  for (const std::string_view version : {"3.11.0", "3.15.0a1", "4.0.0", "", "3.", "3.x"}) {
    EXPECT_TRUE(has_qualified_names(version)) << version;
  }
}

TEST(SourceNames, ProfileHasTheNamesThatTheSourceTells) {
  Sources sources{.files = {{"/srv/app/c.py", kClass}, {"/srv/app/d.py", "class D:\n  def other(self): pass\n"}},
                  .asked = {}};
  const Profile profile = profile_of_stack("pkg::<module>@c.py:1;pkg::C.m@c.py:2;pkg::D.n@d.py:2;pkg::E.o@e.py:2",
                                           recorded_in("3.10.13"), sources.reader());
  ASSERT_EQ(profile.functions().size(), 4U);
  EXPECT_EQ(profile.functions()[0].qualified_name, "<module>");
  EXPECT_EQ(profile.functions()[1].qualified_name, "C.m");
  EXPECT_EQ(profile.functions()[1].unique_name, "pkg.C.m");
  EXPECT_EQ(profile.functions()[2].qualified_name, "n");  // the file has changed
  EXPECT_EQ(profile.functions()[3].qualified_name, "o");  // the file is not here
  EXPECT_EQ(profile.health().bare_names.functions, 2U);
  EXPECT_EQ(profile.health().bare_names.files, 2U);
}

TEST(SourceNames, NothingIsReadForRecordingsThatHaveQualifiedNames) {
  Sources sources{.files = {{"/srv/app/c.py", kClass}}, .asked = {}};
  const Profile profile = profile_of_stack("X.m@c.py:2", recorded_in("3.11.7"), sources.reader());
  EXPECT_EQ(profile.functions()[0].qualified_name, "X.m");
  EXPECT_TRUE(sources.asked.empty());
  EXPECT_EQ(profile.health().bare_names.functions, 0U);
}

TEST(SourceNames, RecordingsOfOneProgramShareTheFunctionsThatWereNamed) {
  Sources sources{.files = {{"/srv/app/c.py", kClass}}, .asked = {}};
  std::vector<gpf::Recording> recordings;
  for (const std::string name : {"1.gpf", "2.gpf"}) {
    recordings.push_back(gpf::Recording::from_bytes(
        RecordingBuilder{recorded_in("3.9.18")}.sample({.stack = "C.m@c.py:2"}).finish(), name));
  }
  const Profile profile = build_profile(std::move(recordings), sources.reader());
  ASSERT_EQ(profile.functions().size(), 1U);
  EXPECT_EQ(profile.functions()[0].qualified_name, "C.m");
  EXPECT_EQ(sources.asked.size(), 1U);
}

/// A folder with files, for what reads this machine's.
class ReadSource : public testing::Test {
 protected:
  ReadSource() {
    std::string pattern = testing::TempDir() + "source-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~ReadSource() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string written(const std::string& name, const std::string& bytes) const {
    std::ofstream{path(name), std::ios::binary} << bytes;
    return path(name);
  }

  std::string folder_;
};

TEST_F(ReadSource, RegularFileIsReadWhole) {
  const std::string bytes(200'000, 'x');
  EXPECT_EQ(read_source(written("a.py", bytes)), bytes);
  EXPECT_EQ(read_source(written("empty.py", "")), "");
  std::filesystem::create_symlink("a.py", path("link.py"));
  EXPECT_EQ(read_source(path("link.py")), bytes);
}

TEST_F(ReadSource, WhatIsNoRegularFileIsNotRead) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_source(path("pipe")), std::nullopt);  // nobody writes to it: reading would wait for ever
  EXPECT_EQ(read_source("/dev/zero"), std::nullopt);
  EXPECT_EQ(read_source(folder_), std::nullopt);
  EXPECT_EQ(read_source(path("missing.py")), std::nullopt);
  EXPECT_EQ(read_source(written("lib.zip", "PK") + "/pkg/mod.py"), std::nullopt);
}

TEST_F(ReadSource, FileLargerThanSourcesAreIsNotRead) {
  const std::string largest = written("a.py", "x");
  std::filesystem::resize_file(largest, 16 << 20);
  EXPECT_EQ(read_source(largest).value_or("").size(), std::size_t{16} << 20);
  std::filesystem::resize_file(largest, (16 << 20) + 1);
  EXPECT_EQ(read_source(largest), std::nullopt);
}

TEST_F(ReadSource, LoadedProfileIsNamedFromTheFilesOfThisMachine) {
  const std::string source = written("c.py", kClass);
  const std::string recording =
      written("out.gpf", RecordingBuilder{recorded_in("3.9.18")}.sample({.stack = "C.m@" + source + ":2"}).finish());
  EXPECT_EQ(build_profile(gpf::Recording::open_all(recording)).functions()[0].qualified_name, "C.m");
}

}  // namespace
}  // namespace gauge
