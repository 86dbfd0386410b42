#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;

/// A folder with a few files, which is the working directory meanwhile, and PATH with its bin/ first.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    std::string pattern = testing::TempDir() + "program-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    fs::current_path(folder_);
    write("bin/python3", "#!/bin/sh\n", true);
    write("bin/python3.99", "#!/bin/sh\n", true);
    write("bin/tool", "#!/usr/bin/env python3\n", true);
    write("bin/binary",
          "\x7f"
          "ELF...libc...",
          true);
    write("bin/embedder",
          "\x7f"
          "ELF...libpython3.so...",
          true);
    path_ = std::getenv("PATH");
    setenv("PATH", (folder_ + "/bin:" + path_).c_str(), 1);
    unsetenv("GAUGE_PYTHON");
  }
  ~ProgramTest() override {
    setenv("PATH", path_.c_str(), 1);
    unsetenv("GAUGE_PYTHON");
    fs::current_path("/");
    fs::remove_all(folder_);
  }

  static void write(const std::string& path, const std::string& text, bool is_executable = false) {
    if (path.find('/') != std::string::npos) fs::create_directories(fs::path{path}.parent_path());
    std::ofstream{path} << text;
    if (is_executable) fs::permissions(path, fs::perms::owner_all);
  }

  std::string folder_;
  std::string path_;
};

auto complains(const std::string& what, const std::string& remedy) {
  return Throws<Error>(Property(&Error::what, AllOf(HasSubstr(what), HasSubstr(remedy))));
}

TEST_F(ProgramTest, RunsAProgramAsGivenAfterTheMark) {
  const Program program = find_program({"--", "python3", "-v", "app.py", "-x"});
  EXPECT_EQ(program.path, folder_ + "/bin/python3");
  EXPECT_THAT(program.arguments, ElementsAre("python3", "-v", "app.py", "-x"));
  EXPECT_EQ(program.label, "app");
}

TEST_F(ProgramTest, RunsAScriptWithPython3) {
  write("my app.py", "");
  const Program program = find_program({"my app.py", "-x"});
  EXPECT_EQ(program.path, folder_ + "/bin/python3");
  EXPECT_THAT(program.arguments, ElementsAre("python3", "my app.py", "-x"));
  EXPECT_EQ(program.label, "my-app");
}

TEST_F(ProgramTest, RunsAFolderWithAMainWithPython3) {
  write("app/__main__.py", "");
  EXPECT_THAT(find_program({"app", "1"}).arguments, ElementsAre("python3", "app", "1"));
}

TEST_F(ProgramTest, RunsModulesAndCodeWithPython3) {
  const Program module = find_program({"-m", "http.server", "--bind", "::1"});
  EXPECT_THAT(module.arguments, ElementsAre("python3", "-m", "http.server", "--bind", "::1"));
  EXPECT_EQ(module.label, "http.server");
  const Program code = find_program({"-c", "print(1)", "-x"});
  EXPECT_THAT(code.arguments, ElementsAre("python3", "-c", "print(1)", "-x"));
  EXPECT_EQ(code.label, "python");
}

TEST_F(ProgramTest, TakesTheInterpreterThatTheEnvironmentNames) {
  setenv("GAUGE_PYTHON", "python3.99", 1);
  EXPECT_EQ(find_program({"-c", "1"}).path, folder_ + "/bin/python3.99");
  setenv("GAUGE_PYTHON", "python9", 1);
  EXPECT_THAT([] { (void)find_program({"-c", "1"}); }, complains("python9: no such interpreter", "GAUGE_PYTHON"));
}

TEST_F(ProgramTest, NeedsAProgram) {
  EXPECT_THAT([] { (void)find_program({}); }, complains("no program given", "gauge record"));
  EXPECT_THAT([] { (void)find_program({"--"}); }, complains("no program given", "gauge record"));
  EXPECT_THAT([] { (void)find_program({"-m"}); }, complains("-m: needs a value", "MODULE"));
}

TEST_F(ProgramTest, SaysWhyAProgramCannotRun) {
  write("plain.txt", "");
  write("script.py", "");
  EXPECT_THAT([] { (void)find_program({"--", "no-such-thing"}); }, complains("not found on PATH", "spelling"));
  EXPECT_THAT([] { (void)find_program({"--", "./gone"}); }, complains("./gone: no such program", "path"));
  EXPECT_THAT([] { (void)find_program({"gone.py"}); }, complains("gone.py: no such script", "path"));
  EXPECT_THAT([] { (void)find_program({"--", "./bin"}); }, complains("./bin: is a folder", "name a program"));
  EXPECT_THAT([] { (void)find_program({"--", "./plain.txt"}); }, complains("is not executable", "chmod"));
  EXPECT_THAT([] { (void)find_program({"--", "./script.py"}); }, complains("is not executable", "leave out '--'"));
}

TEST_F(ProgramTest, LabelsAreSafeInFileNames) {
  EXPECT_EQ(find_program({"--", "python3", "/srv/my app (1).py"}).label, "my-app--1-");
  EXPECT_EQ(find_program({"--", "python3", ".hidden.py"}).label, "hidden");
  EXPECT_EQ(find_program({"--", "python3", "größe.py"}).label, "größe");
  EXPECT_EQ(find_program({"--", "python3", "-X", "dev", "-m", "a.b"}).label, "a.b");
  EXPECT_EQ(find_program({"--", "python3"}).label, "python");
  EXPECT_EQ(find_program({"--", "tool"}).label, "tool");
}

TEST_F(ProgramTest, RefusesABinaryThatCannotLeadToPython) {
  EXPECT_THAT(
      [] {
        refuse_unless_python_is_likely(find_program({"--", "binary", "-l", "100"}));
      },
      complains("binary: is not a Python program", "-s"));
}

TEST_F(ProgramTest, LetsEveryWayToPythonPass) {
  for (const Arguments& words :
       {Arguments{"--", "python3", "x.py"}, Arguments{"--", "tool"}, Arguments{"--", "embedder"},
        Arguments{"--", "binary", "10", "python3", "x.py"}, Arguments{"--", "binary", "-c", "cd /; exec run"},
        Arguments{"--", "binary", "tool"}, Arguments{"--", "binary", "run.py"}}) {
    EXPECT_NO_THROW(refuse_unless_python_is_likely(find_program(words))) << testing::PrintToString(words);
  }
}

TEST_F(ProgramTest, TakesALinkToPythonForPython) {
  write("bin/pypy3",
        "\x7f"
        "ELF",
        true);
  fs::create_symlink(folder_ + "/bin/pypy3", "bin/interpreter");
  EXPECT_NO_THROW(refuse_unless_python_is_likely(find_program({"--", "interpreter", "x"})));
}

TEST_F(ProgramTest, SeesOptionsThatKeepTheRecorderOut) {
  const auto option = [](Arguments words) {
    words.insert(words.begin(), {"--", "python3"});
    return isolation_option(find_program(words));
  };
  EXPECT_EQ(option({"-I", "x.py"}), "-I");
  EXPECT_EQ(option({"-bE", "x.py"}), "-E");
  EXPECT_EQ(option({"-W", "error", "-S", "x.py"}), "-S");
  EXPECT_EQ(option({"-WIgnore", "x.py", "-I"}), "");
  EXPECT_EQ(option({"-c", "print()", "-I"}), "");
  EXPECT_EQ(option({"x.py", "-E"}), "");
}

}  // namespace
}  // namespace gauge::cli
