#include "formats/profile/text.h"

#include <gtest/gtest.h>

namespace gauge {
namespace {

TEST(ValidUtf8, ValidTextStaysAsItIs) {
  for (const char* text :
       {"", "plain", "größe", "関数", "\xF0\x9F\x90\x8D", "\xED\x9F\xBF", "\xEE\x80\x80", "a\nb;c"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(ValidUtf8, LoneSurrogateIsSpelledOut) {
  EXPECT_EQ(valid_utf8("caf\xED\xB3\xA9.py"), "caf\\udce9.py");  // b"caf\xe9.py" as os.fsdecode gives it
  EXPECT_EQ(valid_utf8("\xED\xA0\x80\xED\xBF\xBF"), "\\ud800\\udfff");
}

TEST(ValidUtf8, OtherBytesAreReplacedOneByOne) {
  EXPECT_EQ(valid_utf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(valid_utf8("\xC3"), "\xEF\xBF\xBD");                  // cut off
  EXPECT_EQ(valid_utf8("\x80"), "\xEF\xBF\xBD");                  // a second byte without a first
  EXPECT_EQ(valid_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");  // "/" overlong
  EXPECT_EQ(valid_utf8("\xE0\x80\xAF").size(), 9U);               // the same in three bytes
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80").size(), 12U);          // beyond U+10FFFF
  EXPECT_EQ(valid_utf8("\xE2\x82"
                       "a"),
            "\xEF\xBF\xBD\xEF\xBF\xBD"
            "a");  // cut off by a letter
}

TEST(OneLine, ControlCharactersAreSpelledOut) {
  EXPECT_EQ(one_line("a\nb\tc\x1b"
                     "d\x7f"),
            "a\\nb\\tc\\x1bd\\x7f");
  EXPECT_EQ(one_line("größe; \\n"), "größe; \\n");
}

}  // namespace
}  // namespace gauge
