#include "formats/gpf/dictionary.h"

#include <gtest/gtest.h>

namespace gauge::gpf {
namespace {

TEST(Dictionary, EqualContentHasOneIdUntilTooMuchIsKnown) {
  Dictionary dictionary;
  const std::uint32_t name = dictionary.string("name");
  const std::uint32_t function = dictionary.function({.name = name});
  const std::uint32_t frame = dictionary.frame(function, 1, 0);
  const std::uint32_t first = dictionary.stack(0, frame);
  EXPECT_EQ(dictionary.stack(0, frame), first);
  std::uint32_t last = first;
  while (dictionary.stack(0, frame) == first) {  // ends once that is forgotten
    for (int i = 0; i < 1000; ++i, ++last) ASSERT_EQ(dictionary.stack(last, frame), last + 1) << "ids are counted on";
    dictionary.clear_pending();
  }
  EXPECT_GT(dictionary.stack(0, frame), last);
  EXPECT_GT(last * std::size_t{32}, Dictionary::kMaxKnownBytes / 4);  // not before it is worth it
  EXPECT_GT(dictionary.string("name"), name);
  EXPECT_GT(dictionary.function({.name = name}), function);
  EXPECT_GT(dictionary.frame(function, 1, 0), frame);
}

TEST(Dictionary, WhatIsPendingIsNotForgotten) {
  Dictionary dictionary;
  constexpr std::uint32_t kMany = 1'000'000;
  for (std::uint32_t i = 0; i < kMany; ++i) EXPECT_EQ(dictionary.stack(i, 1), i + 1);
  EXPECT_EQ(dictionary.stack(0, 1), 1U);  // the block that defines it is not written yet
  EXPECT_EQ(dictionary.pending().stack_frame.size(), kMany);
}

}  // namespace
}  // namespace gauge::gpf
