#include "recorder/cpython/python_text.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/recorder/cpython/fake_objects.h"
#include "tests/recorder/cpython/unreliable_reader.h"

namespace gauge::cpython {
namespace {

using Units = std::vector<std::uint32_t>;

class PythonText : public testing::Test {
 protected:
  TextRequest read(std::uintptr_t address, std::size_t room = 200) {
    TextRequest request;
    request.address = address;
    buffer_.assign(room, '?');
    request.buffer = buffer_;
    read_texts(*reader_, layout_, {&request, 1});
    return request;
  }
  std::string text_of(std::uintptr_t address) {
    const TextRequest request = read(address);
    return request.state == TextState::whole ? std::string(request.text) : "(not whole)";
  }

  static constexpr std::uint32_t kCompact = FakeObjects::kCompact;

  std::unique_ptr<MemoryReader> reader_ = open_memory_reader();
  ObjectLayout layout_ = fake_layout(true);
  FakeObjects objects_{layout_};
  std::vector<char> buffer_;
};

TEST_F(PythonText, CharactersOfEveryWidthBecomeUtf8) {
  // Unicode Standard 3.9, table 3-6: first and last of each length.
  EXPECT_EQ(text_of(objects_.text("plain")), "plain");
  EXPECT_EQ(text_of(objects_.text(Units{0x7f, 0x80, 0xff}, 1, kCompact)), "\x7f\xc2\x80\xc3\xbf");
  EXPECT_EQ(text_of(objects_.text(Units{0x7ff, 0x800, 0xffff}, 2, kCompact)), "\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
  EXPECT_EQ(text_of(objects_.text(Units{0x10000, 0x10ffff}, 4, kCompact)), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

TEST_F(PythonText, SurrogatesAreThreeBytesEachAlsoInPairs) {
  EXPECT_EQ(text_of(objects_.text(Units{0xd83d, 0xde00}, 2, kCompact)), "\xed\xa0\xbd\xed\xb8\x80");
}

TEST_F(PythonText, EmptyTextIsWhole) { EXPECT_EQ(text_of(objects_.text("")), ""); }

TEST_F(PythonText, ZeroCharactersAreKept) {
  EXPECT_EQ(text_of(objects_.text(std::string_view("a\0b", 3))), std::string("a\0b", 3));
}

TEST_F(PythonText, TextLongerThanTheFirstReadComesWhole) {
  const std::string name(10'000, 'n');
  EXPECT_EQ(read(objects_.text(name), 10'000).text, name);
}

TEST_F(PythonText, CutTextEndsAfterAWholeCharacter) {
  const TextRequest request = read(objects_.text(Units{0x540d, 0x524d, 0x540d}, 2, kCompact), 8);
  EXPECT_EQ(request.state, TextState::cut);
  EXPECT_EQ(request.text, "\xe5\x90\x8d\xe5\x89\x8d");
}

TEST_F(PythonText, CharactersBehindAPointerAreFound) {
  const Units characters{0x540d, 0x524d, 0};
  const std::array<std::uint16_t, 3> data{0x540d, 0x524d, 0};
  const std::uintptr_t text = objects_.text(characters, 2, 0);
  objects_.set(text, layout_.text.length, std::uint64_t{2});
  objects_.set(text, layout_.text.data, data.data());
  EXPECT_EQ(text_of(text), "\xe5\x90\x8d\xe5\x89\x8d");
}

TEST_F(PythonText, WideCharactersOfAStringNotMadeReadyAreFound) {
  const std::array<std::uint32_t, 3> data{0x41, 0x1f40d, 0};
  const std::uintptr_t text = objects_.text(Units{0, 0, 0, 0}, 4, 0);
  objects_.set(text, layout_.text.state, std::uint32_t{0});  // kind 0, not compact
  objects_.set(text, layout_.text.length, std::uint64_t{0});
  objects_.set(text, layout_.text.wide, data.data());
  objects_.set(text, layout_.text.wide_length, std::uint64_t{2});
  EXPECT_EQ(text_of(text), "A\xf0\x9f\x90\x8d");
}

TEST_F(PythonText, InstanceOfASubclassIsRead) {
  std::array<std::uint64_t, 3> type{1, 0, std::uint64_t{1} << 28};  // Py_TPFLAGS_UNICODE_SUBCLASS
  const std::uintptr_t text = objects_.text("derived");
  objects_.set(text, layout_.object.type, type.data());
  EXPECT_EQ(text_of(text), "derived");
  type[2] = 0;
  EXPECT_EQ(read(text).state, TextState::unreadable);
}

TEST_F(PythonText, WhatIsNoTextIsUnreadable) {
  const std::uintptr_t freed = objects_.text("freed");
  objects_.set(freed, layout_.object.reference_count, std::uint64_t{0x7fff'0000'0000});  // the allocator's pointer
  const std::uintptr_t kind_three = objects_.text("kind");
  objects_.set(kind_three, layout_.text.state, (std::uint32_t{3} << layout_.text.kind_shift) | kCompact);
  const std::uintptr_t not_ascii = objects_.text("\xe9");
  const std::uintptr_t negative = objects_.text("length");
  objects_.set(negative, layout_.text.length, std::int64_t{-1});
  const std::uintptr_t beyond_unicode = objects_.text(Units{0x110000}, 4, kCompact);
  for (const std::uintptr_t address :
       {freed, kind_three, not_ascii, negative, beyond_unicode, objects_.bytes(5), std::uintptr_t{0}, std::uintptr_t{8},
        std::uintptr_t{1} << 63, ~std::uintptr_t{7}}) {
    EXPECT_EQ(read(address).state, TextState::unreadable) << std::hex << address;
  }
}

TEST_F(PythonText, LengthBeyondMemoryIsUnreadable) {
  const std::uintptr_t text = objects_.text("short");
  objects_.set(text, layout_.text.length, std::uint64_t{1} << 40);
  EXPECT_NE(read(text, std::size_t{1} << 20).state, TextState::whole);
}

TEST_F(PythonText, TextAtTheEndOfMappedMemoryIsRead) {
  constexpr std::size_t kPage = 4096;
  void* pages = mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(munmap(static_cast<std::byte*>(pages) + kPage, kPage), 0);
  const std::uintptr_t source = objects_.text("edge");
  const std::size_t size = layout_.text.ascii_header + 5;
  const std::uintptr_t text = reinterpret_cast<std::uintptr_t>(pages) + kPage - 56;
  ASSERT_LE(size, 56U);
  std::memcpy(reinterpret_cast<void*>(text), reinterpret_cast<const void*>(source), size);
  EXPECT_EQ(text_of(text), "edge");
  munmap(pages, kPage);
}

TEST_F(PythonText, OneUnreadableTextLeavesTheOthersReadable) {
  std::array<char, 90> buffers{};
  std::array<TextRequest, 3> requests;
  for (std::size_t i = 0; i < 3; ++i) requests[i].buffer = std::span(buffers).subspan(i * 30, 30);
  requests[0].address = objects_.text("first");
  requests[1].address = 16;
  requests[2].address = objects_.text("third");
  read_texts(*reader_, layout_, requests);
  EXPECT_EQ(requests[0].text, "first");
  EXPECT_EQ(requests[1].state, TextState::unreadable);
  EXPECT_EQ(requests[2].text, "third");
}

TEST_F(PythonText, ReaderThatLiesHarmsNothing) {
  UnreliableReader liar(7);
  liar.may_lie = true;
  const std::array<std::uintptr_t, 4> texts{objects_.text("one"), objects_.text(Units{0x540d, 0x524d}, 2, kCompact),
                                            objects_.text(Units{0x1f40d}, 4, kCompact),
                                            objects_.text(std::string(3000, 'x'))};
  std::vector<char> room(4 * 1000);
  for (int round = 0; round < 20'000; ++round) {
    std::array<TextRequest, 4> requests;
    for (std::size_t i = 0; i < 4; ++i) {
      requests[i].address = texts[i];
      requests[i].buffer = std::span(room).subspan(i * 1000, 1000);
    }
    read_texts(liar, layout_, requests);
    for (const TextRequest& request : requests) EXPECT_LE(request.text.size(), 1000U);
  }
}

}  // namespace
}  // namespace gauge::cpython
