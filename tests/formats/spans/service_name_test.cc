#include "formats/spans/service_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gauge {
namespace {

std::string name_of(std::vector<std::string> command) {
  Process process;
  process.command = std::move(command);
  return service_name(process);
}

TEST(ServiceName, AScriptGoesByItsNameWithoutFolderAndSuffix) {
  EXPECT_EQ(name_of({"python3", "dir/prog.py", "--verbose"}), "prog");
  EXPECT_EQ(name_of({"/usr/bin/python3", "/usr/bin/gunicorn", "app:app"}), "gunicorn");
  EXPECT_EQ(name_of({"python3", "tool.pyz"}), "tool");
  EXPECT_EQ(name_of({"python3", "folder/"}), "folder");
  EXPECT_EQ(name_of({"python3", ".py"}), ".py");
}

TEST(ServiceName, AModuleGoesByItsName) {
  EXPECT_EQ(name_of({"python3", "-m", "pkg.tool", "x.py"}), "pkg.tool");
  EXPECT_EQ(name_of({"python3", "-mpkg.tool"}), "pkg.tool");
  EXPECT_EQ(name_of({"python3", "-Im", "pkg.tool"}), "pkg.tool");
}

TEST(ServiceName, OptionsOfTheInterpreterArePassedOver) {
  EXPECT_EQ(name_of({"python3", "-u", "-W", "error", "-Xdev", "-X", "utf8", "prog.py"}), "prog");
  EXPECT_EQ(name_of({"python3", "--check-hash-based-pycs", "always", "prog.py"}), "prog");
}

TEST(ServiceName, AProgramWithoutANameIsPython) {
  EXPECT_EQ(name_of({"python3", "-c", "print()"}), "python");
  EXPECT_EQ(name_of({"python3", "-cprint()", "x"}), "python");
  EXPECT_EQ(name_of({"python3", "-"}), "python");
  EXPECT_EQ(name_of({"python3"}), "python");
  EXPECT_EQ(name_of({"python3", "-m"}), "python");
  EXPECT_EQ(name_of({}), "python");
}

}  // namespace
}  // namespace gauge
