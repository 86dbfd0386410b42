// CodeCache on objects made of plain memory. What it reads of real ones: code_cache_test.py.
#include "recorder/cpython/code_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/recorder/cpython/fake_objects.h"
#include "tests/recorder/cpython/unreliable_reader.h"

namespace gauge::cpython {
namespace {

class Names final : public StackVisitor {
 public:
  bool on_code(const CodeSight& code) noexcept override {
    if (!has_room) return false;
    shown.push_back(std::string(code.module) + ":" + std::string(code.qualified_name) + ":" + std::string(code.file));
    EXPECT_EQ(code.code, shown.size());
    return true;
  }
  bool on_thread(const ThreadSight& /*thread*/) noexcept override { return true; }
  bool on_task(const TaskSight& /*task*/) noexcept override { return true; }
  bool on_sample(const ThreadSample& /*sample*/) noexcept override { return true; }

  std::vector<std::string> shown;  // number i has id i + 1
  bool has_room = true;
};

/// With versions, as from 3.12 on, and without.
class CodeCacheOn : public testing::TestWithParam<bool> {
 protected:
  CodeRequest request_for(std::uintptr_t code, std::string_view module = "mod") {
    CodeRequest request;
    request.code = code;
    request.globals = objects_.globals(objects_.text(module));
    request.function = objects_.function(code, request.globals);
    return request;
  }
  CodeRequest resolve(CodeRequest request) {
    cache_.resolve({&request, 1}, names_);
    return request;
  }

  std::unique_ptr<MemoryReader> reader_ = open_memory_reader();
  ObjectLayout layout_ = fake_layout(GetParam());
  FakeObjects objects_{layout_};
  Names names_;
  CodeCache cache_{*reader_, layout_};
};

INSTANTIATE_TEST_SUITE_P(Versions, CodeCacheOn, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "WithVersions" : "WithoutVersions"; });

TEST_P(CodeCacheOn, ShowsCodeOnceAndAnswersWithItsFacts) {
  const std::uintptr_t code = objects_.code("f", "a.py", 1);
  for (int round = 0; round < 2; ++round) {
    const CodeRequest answer = resolve(request_for(code));
    EXPECT_EQ(answer.id, 1U);
    EXPECT_EQ(answer.bytecode, code + kFakeCodeBytes);
    EXPECT_EQ(answer.bytecode_size, 14U);  // 7 code units
    EXPECT_EQ(answer.local_count, 2U);
    EXPECT_FALSE(answer.is_shim);
  }
  EXPECT_EQ(names_.shown, std::vector<std::string>{"mod:f:a.py"});
}

TEST_P(CodeCacheOn, NewCodeAtAnOldAddressGetsANewId) {
  const std::uintptr_t code = objects_.code("old", "a.py", 1);
  EXPECT_EQ(resolve(request_for(code)).id, 1U);
  // Everything is where it was; the characters are others.
  const std::uintptr_t name = objects_.get<std::uintptr_t>(code, layout_.code.qualified_name);
  objects_.set(name, layout_.text.ascii_header, 'n');
  if (GetParam()) objects_.set(code, layout_.code.version, std::uint32_t{2});
  EXPECT_EQ(resolve(request_for(code)).id, 2U);
  EXPECT_EQ(names_.shown, (std::vector<std::string>{"mod:old:a.py", "mod:nld:a.py"}));
}

TEST_P(CodeCacheOn, FreedCodeHasNoId) {
  const std::uintptr_t code = objects_.code("f", "a.py", 1);
  const CodeRequest request = request_for(code);
  EXPECT_EQ(resolve(request).id, 1U);
  objects_.set(code, layout_.object.reference_count, std::uint64_t{0});
  EXPECT_EQ(resolve(request).id, 0U);
  EXPECT_EQ(cache_.unknown_names(), 1U);
}

TEST_P(CodeCacheOn, CodeThatMayStillBeInTheMakingIsNotBelieved) {
  const std::uintptr_t code = objects_.code("f", "a.py", 1);
  CodeRequest request = request_for(code);
  request.function = 0;
  objects_.set(code, layout_.object.reference_count, std::uint64_t{1});  // its maker's
  EXPECT_EQ(resolve(request).id, 0U);
  EXPECT_TRUE(names_.shown.empty());
  objects_.set(code, layout_.object.reference_count, std::uint64_t{2});
  EXPECT_EQ(resolve(request).id, 1U);
}

TEST_P(CodeCacheOn, FlagsBesideTheReferenceCountAreNotCounted) {
  constexpr std::uint64_t kFlags = std::uint64_t{5} << 48;  // of immortal and of static objects, from 3.14 on
  const std::uintptr_t code = objects_.code("f", "a.py", 1);
  CodeRequest request = request_for(code);
  request.function = 0;
  objects_.set(code, layout_.object.reference_count, kFlags | 1);  // its maker's
  EXPECT_EQ(resolve(request).id, 0U);
  objects_.set(code, layout_.object.reference_count, kFlags | 2);
  EXPECT_EQ(resolve(request).id, 1U);
}

TEST_P(CodeCacheOn, ShimIsToldWhateverItsFrameHasForGlobals) {
  const std::uintptr_t code = objects_.code("__init__", "__init__", 1);
  objects_.set(code, layout_.code.first_line, std::uint32_t{0});
  const CodeRequest answer = resolve({.code = code, .globals = 8});
  EXPECT_TRUE(answer.is_shim);
  EXPECT_TRUE(names_.shown.empty());
}

TEST_P(CodeCacheOn, FreedGlobalsAreNotRead) {
  const std::uintptr_t code = objects_.code("f", "a.py", 1);
  const CodeRequest request = request_for(code);
  objects_.set(request.globals, layout_.object.reference_count, std::uint64_t{0});
  EXPECT_EQ(resolve(request).id, 0U);
  EXPECT_TRUE(names_.shown.empty());
}

TEST_P(CodeCacheOn, GlobalsThatAreNoDictGiveNoModule) {
  CodeRequest request = request_for(objects_.code("f", "a.py", 1));
  request.globals = objects_.bytes(100);
  EXPECT_EQ(resolve(request).id, 1U);
  EXPECT_EQ(names_.shown.at(0), ":f:a.py");
}

TEST_P(CodeCacheOn, RefusedCodeKeepsItsIdForTheNextTime) {
  const CodeRequest request = request_for(objects_.code("f", "a.py", 1));
  names_.has_room = false;
  EXPECT_EQ(resolve(request).id, 0U);
  names_.has_room = true;
  EXPECT_EQ(resolve(request).id, 1U);
  EXPECT_EQ(cache_.unknown_names(), 0U);
}

TEST_P(CodeCacheOn, UnreadableAddressesAmongGoodOnesCostOnlyThemselves) {
  const CodeRequest good = request_for(objects_.code("f", "a.py", 1));
  std::vector<CodeRequest> requests{good, {.code = 64}, good, {.code = ~std::uintptr_t{15}}, good, {}};
  for (int round = 0; round < 2; ++round) {
    cache_.resolve(requests, names_);
    for (std::size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(requests[i].id, i % 2 == 0 && i < 5 ? 1U : 0U) << i;
  }
}

TEST_P(CodeCacheOn, MoreRequestsThanOneReadHoldsAreAllAnswered) {
  std::vector<CodeRequest> requests;
  for (std::uint32_t i = 0; i < 200; ++i) requests.push_back(request_for(objects_.code("f", "a.py", i + 1)));
  constexpr std::size_t kRepeats = 8;
  std::vector<CodeRequest> all;
  for (std::size_t i = 0; i < kRepeats; ++i) all.insert(all.end(), requests.begin(), requests.end());
  for (int round = 0; round < 2; ++round) {
    cache_.resolve(all, names_);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].id, i % 200 + 1);
  }
  EXPECT_EQ(names_.shown.size(), 200U);
}

TEST_P(CodeCacheOn, CodeWithoutAVersionIsToldApartByWhatIsLeft) {
  const std::uintptr_t code = objects_.code("f", "a.py", 0);  // CPython has run out of versions
  const CodeRequest request = request_for(code);
  EXPECT_EQ(resolve(request).id, 1U);
  EXPECT_EQ(resolve(request).id, 1U);
  objects_.set(code, layout_.code.first_line, std::uint32_t{4});
  EXPECT_EQ(resolve(request).id, 2U);
}

TEST_P(CodeCacheOn, ReaderThatLiesHarmsNothing) {
  UnreliableReader liar(11);
  CodeCache cache(liar, layout_);
  std::vector<CodeRequest> requests;
  for (std::uint32_t i = 0; i < 40; ++i) requests.push_back(request_for(objects_.code("f", "a.py", i + 1)));
  liar.may_lie = true;
  for (int round = 0; round < 1000; ++round) cache.resolve(requests, names_);
  liar.may_lie = false;
  cache.resolve(requests, names_);
  for (const CodeRequest& request : requests) EXPECT_NE(request.id, 0U);
}

}  // namespace
}  // namespace gauge::cpython
