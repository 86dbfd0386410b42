#include "cli/trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Optional;

InterpreterFacts cpython(int minor) {
  return {.implementation = "cpython", .major = 3, .minor = minor, .version = "3." + std::to_string(minor) + ".1"};
}

auto reason(const std::string& what, const std::string& remedy) {
  return Optional(AllOf(Field(&Reason::what, HasSubstr(what)), Field(&Reason::remedy, HasSubstr(remedy))));
}

TEST(ReasonOf, PartsAMessageAtItsRemedy) {
  const Reason parted = reason_of("a: is b (c; d); do e");
  EXPECT_EQ(parted.what, "a: is b (c; d)");
  EXPECT_EQ(parted.remedy, "do e");
  EXPECT_EQ(reason_of("no remedy").what, "no remedy");
  EXPECT_EQ(reason_of("no remedy").remedy, "");
}

TEST(MissingRecorder, IsNoneWhereThereIsOne) { EXPECT_EQ(missing_recorder(cpython(12), {11, 12}), std::nullopt); }

TEST(MissingRecorder, SaysWhichVersionsAreRecorded) {
  EXPECT_THAT(missing_recorder(cpython(8), {11, 12, 13}),
              reason("there is no recorder for CPython 3.8", "this gauge records CPython 3.11 to 3.13; run"));
  EXPECT_THAT(missing_recorder(cpython(99), {9, 11, 13}),
              reason("CPython 3.99", "records CPython 3.9, 3.11, 3.13; run"));
}

TEST(MissingRecorder, DoesNotTakePython2For3) {
  InterpreterFacts facts = cpython(12);
  facts.major = 2;
  EXPECT_THAT(missing_recorder(facts, {12}), reason("no recorder for CPython 2.12", "3.12"));
}

TEST(MissingRecorder, TellsAnIncompleteInstallation) {
  EXPECT_THAT(missing_recorder(cpython(12), {11}),
              reason("the recorder for CPython 3.12 is missing from this installation", "python3.12-dev"));
  EXPECT_THAT(missing_recorder(cpython(8), {}), reason("CPython 3.8", "install gauge where"));
}

TEST(MissingRecorder, RefusesOtherBuildsWhateverTheirVersion) {
  InterpreterFacts threaded = cpython(13);
  threaded.is_free_threaded = true;
  EXPECT_THAT(missing_recorder(threaded, {13}), reason("free-threaded", "CPython 3.13"));
  InterpreterFacts pypy = cpython(13);
  pypy.implementation = "pypy";
  EXPECT_THAT(missing_recorder(pypy, {13}), reason("only CPython", "CPython 3.13"));
}

TEST(InstalledRecorders, AreThoseThatCanBeLoaded) {
  const TemporaryFolder folder;
  for (const char* name : {"cpython-3.9", "cpython-3.13", "cpython-3.13t", "cpython-3.x", "pypy-3.10"}) {
    fs::create_directories(folder.path("recorders") + "/" + name);
    put(folder.path("recorders") + "/" + name + "/_recorder.so", "");
  }
  fs::create_directories(folder.path("recorders/cpython-3.12"));  // empty: the build was broken off
  EXPECT_THAT(installed_recorders(folder.path("")), ElementsAre(9, 13));
  EXPECT_THAT(installed_recorders(folder.path("gone")), testing::IsEmpty());
}

}  // namespace
}  // namespace gauge::cli
