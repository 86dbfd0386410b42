#include "cli/settings.h"

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
using testing::HasSubstr;
using testing::Property;
using testing::Throws;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = testing::TempDir() + "settings-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    fs::create_directories(folder_ + "/a/b");
    fs::current_path(folder_ + "/a/b");
  }
  ~SettingsTest() override {
    for (const char* variable : {"GAUGE_RATE", "GAUGE_INTERVAL", "GAUGE_STRICT"}) unsetenv(variable);
    fs::current_path("/");
    fs::remove_all(folder_);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream{folder_ + "/" + name} << text; }

  std::string folder_;
};

auto complains(const std::string& what, const std::string& remedy) {
  return Throws<Error>(Property(&Error::what, AllOf(HasSubstr(what), HasSubstr(remedy))));
}

TEST_F(SettingsTest, ReadsTheNearestFile) {
  write("pyproject.toml", "[tool.gauge]\nrate = 50\n");
  write("a/gauge.toml", "rate = \"1khz\"\n");
  const Settings settings = Settings::load();
  EXPECT_EQ(settings.find("rate")->value, "1khz");
  EXPECT_THAT(settings.find("rate")->source, HasSubstr("/a/gauge.toml: rate"));
}

TEST_F(SettingsTest, PassesOverAProjectFileThatDoesNotMentionGauge) {
  write("pyproject.toml", "[tool.gauge]\nrate = 50\n");
  write("a/pyproject.toml", "[tool.ruff]\nline-length = 100\n");
  EXPECT_EQ(Settings::load().find("rate")->value, "50");
}

TEST_F(SettingsTest, TheEnvironmentIsStronger) {
  write("gauge.toml", "interval = \"5ms\"\nstrict = true\n");
  setenv("GAUGE_RATE", "200", 1);
  setenv("GAUGE_STRICT", "0", 1);
  const Settings settings = Settings::load();
  const auto choice = settings.either("rate", "interval");
  ASSERT_TRUE(choice);
  EXPECT_FALSE(choice->is_second);
  EXPECT_EQ(choice->setting.value, "200");
  EXPECT_FALSE(settings.flag("strict"));
}

TEST_F(SettingsTest, RefusesTwoThatSayTheSame) {
  write("gauge.toml", "interval = \"5ms\"\nrate = 100\n");
  const Settings settings = Settings::load();
  EXPECT_THAT([&] { (void)settings.either("rate", "interval"); }, complains("says the same as", "set one"));
}

TEST_F(SettingsTest, SaysWhatIsWrongInAFile) {
  write("gauge.toml", "rat = 100\n");
  EXPECT_THAT([] { (void)Settings::load(); }, complains("rat: no such setting", "did you mean rate?"));
  write("gauge.toml", "rate = [1]\n");
  EXPECT_THAT([] { (void)Settings::load(); }, complains("rate: is neither text", "one value"));
  write("gauge.toml", "rate = \n");
  EXPECT_THAT([] { (void)Settings::load(); }, complains("is not TOML (line 1", "correct it"));
}

TEST_F(SettingsTest, RefusesAFlagThatIsNeitherYesNorNo) {
  setenv("GAUGE_STRICT", "maybe", 1);
  EXPECT_THAT([] { (void)Settings::load().flag("strict"); }, complains("GAUGE_STRICT: 'maybe'", "1 or 0"));
}

}  // namespace
}  // namespace gauge::cli
