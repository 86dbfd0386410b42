// That a browser is started as these commands say is shown by tests/python/test_view.py.
#include "cli/browser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauge::cli {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Browser, AnAddressHasNoByteThatMeansSomethingInIt) {
  EXPECT_EQ(file_address("/tmp/gauge-Ab_1.html"), "file:///tmp/gauge-Ab_1.html");
  EXPECT_EQ(file_address("/a b/100%#?\xc3\xbc.html"), "file:///a%20b/100%25%23%3F%C3%BC.html");
}

TEST(Browser, EachCommandOfTheVariableIsTriedInItsOrder) {
  EXPECT_THAT(browser_commands("firefox:w3m -F %s", false, "file:///x"),
              ElementsAre(ElementsAre("firefox", "file:///x"), ElementsAre("w3m", "-F", "file:///x")));
}

TEST(Browser, AnAddressStandsWhereItIsAskedFor) {
  EXPECT_THAT(browser_commands("open --app=%s --wait &", false, "file:///x"),
              ElementsAre(ElementsAre("open", "--app=file:///x", "--wait")));
}

TEST(Browser, WithoutADisplayOnlyTheVariableCounts) {
  EXPECT_THAT(browser_commands("", false, "file:///x"), IsEmpty());
  EXPECT_THAT(browser_commands("::", false, "file:///x"), IsEmpty());
}

TEST(Browser, OnADisplayTheDesktopIsAskedAfterTheVariable) {
  const auto commands = browser_commands("mine", true, "file:///x");
  EXPECT_EQ(commands.at(0).at(0), "mine");
  EXPECT_EQ(commands.at(1).at(0), "xdg-open");
  EXPECT_THAT(commands, Each(SizeIs(2)));
}

}  // namespace
}  // namespace gauge::cli
