#include "cli/interpreters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/temporary_folder.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

/// A machine of our own: a home, a PATH of one folder, and nothing else in the environment.
class FindPythons : public testing::Test {
 protected:
  FindPythons() {
    for (const char* name : {"VIRTUAL_ENV", "PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME"}) unsetenv(name);
    setenv("HOME", folder_.path("home").c_str(), 1);
    setenv("PATH", folder_.path("bin").c_str(), 1);
  }
  ~FindPythons() override { setenv("PATH", path_before_.c_str(), 1); }

  /// @return where it is
  std::string program(const std::string& name) const {
    const std::string path = place(name);
    put(path, "#!/bin/sh\n");
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  std::string link(const std::string& name, const std::string& target) const {
    fs::create_symlink(target, place(name));
    return folder_.path(name);
  }
  std::string place(const std::string& name) const {
    fs::create_directories(fs::path{folder_.path(name)}.parent_path());
    return folder_.path(name);
  }

  TemporaryFolder folder_;
  std::string path_before_ = std::getenv("PATH");
};

TEST_F(FindPythons, IsEmptyWhereThereIsNone) { EXPECT_THAT(find_pythons(), IsEmpty()); }

TEST_F(FindPythons, TakesFromPathWhatIsNamedLikeOne) {
  const std::string plain = program("bin/python3");
  const std::string threaded = program("bin/python3.13t");
  const std::string pypy = program("bin/pypy3.10");
  for (const char* name :
       {"python", "python2.7", "python3-config", "python3.12-config", "python3.x", "python3.", "ipython3"})
    program(std::string{"bin/"} + name);
  put(place("bin/python3.14"), "not executable");
  EXPECT_THAT(find_pythons(), ElementsAre(ElementsAre(pypy), ElementsAre(plain), ElementsAre(threaded)));
}

TEST_F(FindPythons, PutsLinksToOneFileIntoOneGroup) {
  const std::string real = program("bin/python3.12");
  const std::string other = link("bin/python3", "python3.12");
  EXPECT_THAT(find_pythons(), ElementsAre(ElementsAre(other, real)));
}

TEST_F(FindPythons, NamesAFileOnceWhereTwoFoldersAreOne) {
  const std::string real = program("bin/python3");
  const std::string folder = link("sbin", "bin");
  setenv("PATH", (folder + ":" + folder_.path("bin")).c_str(), 1);
  EXPECT_THAT(find_pythons(), ElementsAre(ElementsAre(real)));
}

TEST_F(FindPythons, LooksWherePyenvAndUvInstall) {
  const std::string pyenv = program("home/.pyenv/versions/3.12.1/bin/python3");
  const std::string uv = program("home/.local/share/uv/python/cpython-3.13/bin/python3");
  EXPECT_THAT(find_pythons(), ElementsAre(ElementsAre(pyenv), ElementsAre(uv)));
}

TEST_F(FindPythons, FollowsTheVariablesOfPyenvAndUv) {
  setenv("PYENV_ROOT", folder_.path("pyenv").c_str(), 1);
  setenv("UV_PYTHON_INSTALL_DIR", folder_.path("uv").c_str(), 1);
  program("home/.pyenv/versions/3.12.1/bin/python3");
  const std::string pyenv = program("pyenv/versions/3.12.1/bin/python3");
  const std::string uv = program("uv/cpython-3.13/bin/python3");
  EXPECT_THAT(find_pythons(), ElementsAre(ElementsAre(pyenv), ElementsAre(uv)));
}

TEST_F(FindPythons, PutsTheActiveEnvironmentFirst) {
  const std::string real = program("bin/python3");
  const std::string own = link("project/.venv/bin/python", real);
  setenv("VIRTUAL_ENV", folder_.path("project/.venv").c_str(), 1);
  EXPECT_THAT(find_pythons(), ElementsAre(ElementsAre(own, real)));
}

TEST_F(FindPythons, TakesAnEmptyEntryOfPathForTheWorkingDirectory) {
  const fs::path before = fs::current_path();
  program("here/python3");
  fs::current_path(folder_.path("here"));
  setenv("PATH", ":/nowhere", 1);
  EXPECT_THAT(find_pythons(), ElementsAre(ElementsAre(fs::canonical("python3").string())));
  fs::current_path(before);
}

TEST(ParseFacts, ReadsWhatThePythonSaid) {
  const auto facts = parse_facts("hello from a start-up file\ngauge-python-facts\ncpython\n3 13\n3.13.0\nyes\n/a/b\nc");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->name(), "CPython 3.13.0 free-threaded");
  EXPECT_EQ(facts->minor, 13);
  EXPECT_EQ(facts->executable, "/a/b\nc");  // a path may hold anything
}

TEST(ParseFacts, RefusesWhatIsNoAnswer) {
  for (const char* output :
       {"", "hello\n", "gauge-python-facts", "gauge-python-facts\ncpython\n3 13\n3.13.0\nno\n",
        "gauge-python-facts\ncpython\nthree\n3.13.0\nno\n/a", "gauge-python-facts\ncpython\n3 \n3.13.0\nno\n/a"})
    EXPECT_EQ(parse_facts(output), std::nullopt) << output;
}

TEST(InterpreterFacts, KeepsAnUnknownImplementationsName) {
  EXPECT_EQ((InterpreterFacts{.implementation = "pypy", .version = "3.10.14"}.name()), "PyPy 3.10.14");
  EXPECT_EQ((InterpreterFacts{.implementation = "other", .version = "3.1"}.name()), "other 3.1");
}

}  // namespace
}  // namespace gauge::cli
