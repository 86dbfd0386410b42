#include "recorder/cpython/memory_reader.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <thread>

#include "recorder/cpython/memory_readers.h"

namespace gauge::cpython {
namespace {

constexpr std::size_t kPage = 4096;

std::uintptr_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

/// `pages` pages of which byte i is i % 251; removed at the end.
class Pages {
 public:
  explicit Pages(std::size_t pages) : size_(pages * kPage) {
    data_ = static_cast<std::byte*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t i = 0; i < size_; ++i) data_[i] = static_cast<std::byte>(i % 251);
  }
  ~Pages() { munmap(data_, size_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  std::byte* data() { return data_; }
  std::uintptr_t address() const { return address_of(data_); }

 private:
  std::byte* data_;
  std::size_t size_;
};

struct Kind {
  const char* name;
  std::unique_ptr<FallibleReader> (*make)();
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class AnyMemoryReader : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    reader = GetParam().make();
    ASSERT_FALSE(reader->is_refused());
  }
  bool reads_unreadable_pages() const { return reader->name() == "proc_mem"; }
  void expect_window(std::size_t at, const std::byte* expected, std::size_t size) {
    EXPECT_EQ(std::memcmp(reader->window() + at, expected, size), 0);
  }

  std::unique_ptr<FallibleReader> reader;
};

INSTANTIATE_TEST_SUITE_P(
    Kinds, AnyMemoryReader,
    testing::Values(Kind{"memfd", [] { return std::unique_ptr<FallibleReader>(new MemfdReader); }},
                    Kind{"process_vm_readv", [] { return std::unique_ptr<FallibleReader>(new ProcessVmReader); }},
                    Kind{"proc_mem", [] { return std::unique_ptr<FallibleReader>(new ProcMemReader); }}),
    [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(AnyMemoryReader, IsNamedAsInTheRecording) { EXPECT_EQ(reader->name(), GetParam().name); }

TEST_P(AnyMemoryReader, ProvesItself) { EXPECT_TRUE(works(*reader)); }

TEST_P(AnyMemoryReader, GathersRangesOneAfterTheOther) {
  Pages pages(3);
  const std::array<MemoryRange, 3> ranges{
      {{pages.address() + 5000, 300}, {pages.address(), 7}, {pages.address() + kPage - 2, 4}}};
  ASSERT_EQ(reader->gather(ranges), 311u);
  expect_window(0, pages.data() + 5000, 300);
  expect_window(300, pages.data(), 7);
  expect_window(307, pages.data() + kPage - 2, 4);
}

TEST_P(AnyMemoryReader, GathersNothingFromNoRangesAndEmptyOnes) {
  EXPECT_EQ(reader->gather({}), 0u);
  Pages pages(1);
  const std::array<MemoryRange, 2> ranges{{{pages.address(), 0}, {pages.address() + 1, 2}}};
  ASSERT_EQ(reader->gather(ranges), 2u);
  expect_window(0, pages.data() + 1, 2);
}

TEST_P(AnyMemoryReader, StopsBeforeAnUnmappedRange) {
  Pages pages(3);
  munmap(pages.data() + kPage, kPage);
  const std::array<MemoryRange, 3> ranges{
      {{pages.address(), 64}, {pages.address() + kPage, 64}, {pages.address() + 2 * kPage, 64}}};
  EXPECT_EQ(reader->gather(ranges), 64u);
  expect_window(0, pages.data(), 64);
  EXPECT_EQ(reader->gather(std::span(ranges).subspan(1)), 0u);
  std::uint64_t value = 0;
  EXPECT_FALSE(reader->read(pages.address() + kPage, value));
  EXPECT_FALSE(reader->is_refused());
}

TEST_P(AnyMemoryReader, BringsAHalfMappedRangeUpToTheHole) {
  Pages pages(2);
  munmap(pages.data() + kPage, kPage);
  const MemoryRange range{pages.address() + kPage - 100, 300};
  EXPECT_EQ(reader->gather({&range, 1}), 100u);
  expect_window(0, pages.data() + kPage - 100, 100);
  std::array<std::byte, 300> out{};
  EXPECT_FALSE(reader->read_bytes(range.address, out.data(), out.size()));
}

TEST_P(AnyMemoryReader, TakesAPageWithoutReadPermissionAsUnreadable) {
  Pages pages(1);
  mprotect(pages.data(), kPage, PROT_NONE);
  const MemoryRange range{pages.address(), 8};
  EXPECT_EQ(reader->gather({&range, 1}), reads_unreadable_pages() ? 8u : 0u);
  EXPECT_FALSE(reader->is_refused());
}

TEST_P(AnyMemoryReader, KeepsWhatComesBeforeAnAddressThatCannotExist) {
  Pages pages(1);
  // The kernel half, a non-canonical address, null, the last byte there is, and a size that wraps around.
  const std::array<MemoryRange, 5> impossible{{{0xFFFF'8000'0000'0000, 8},
                                               {0x1234'5678'9ABC'DEF0, 8},
                                               {0, 8},
                                               {~std::uintptr_t{0}, 1},
                                               {pages.address() + 8, ~std::size_t{0}}}};
  for (const MemoryRange& bad : impossible) {
    const std::array<MemoryRange, 3> ranges{{{pages.address(), 16}, {bad}, {pages.address(), 16}}};
    EXPECT_EQ(reader->gather(ranges), 16u) << std::hex << bad.address;
    std::byte out{};
    if (bad.size == 8) {
      EXPECT_FALSE(reader->read_bytes(bad.address, &out, 1)) << std::hex << bad.address;
    }
  }
  EXPECT_FALSE(reader->is_refused());
}

TEST_P(AnyMemoryReader, CutsOffMoreRangesThanItTakes) {
  Pages pages(1);
  const std::vector<MemoryRange> ranges(MemoryReader::kMaxRanges + 1, MemoryRange{pages.address(), 2});
  EXPECT_EQ(reader->gather(ranges), 2 * MemoryReader::kMaxRanges);
}

TEST_P(AnyMemoryReader, CutsOffMoreBytesThanTheWindowHolds) {
  const std::size_t size = MemoryReader::kWindowBytes + kPage;
  Pages pages(size / kPage);
  const std::array<MemoryRange, 2> ranges{{{pages.address(), 10}, {pages.address(), size}}};
  EXPECT_EQ(reader->gather(ranges), MemoryReader::kWindowBytes);
  expect_window(10, pages.data(), MemoryReader::kWindowBytes - 10);
}

TEST_P(AnyMemoryReader, ReadsSingleValuesWithoutTouchingTheWindow) {
  Pages pages(40);
  const MemoryRange range{pages.address(), 100};
  ASSERT_EQ(reader->gather({&range, 1}), 100u);
  std::vector<std::byte> out(40 * kPage);
  ASSERT_TRUE(reader->read_bytes(pages.address(), out.data(), out.size()));
  EXPECT_EQ(std::memcmp(out.data(), pages.data(), out.size()), 0);
  expect_window(0, pages.data(), 100);
}

TEST_P(AnyMemoryReader, SurvivesPagesTornDownMeanwhile) {
  std::atomic<bool> is_done = false;
  void* const place = mmap(nullptr, 16 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::thread tearer([&] {
    while (!is_done) {
      static_cast<void>(
          mmap(place, 16 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
      std::memset(place, 7, 16 * kPage);
      munmap(static_cast<std::byte*>(place) + 8 * kPage, 8 * kPage);
      mprotect(place, 8 * kPage, PROT_NONE);
    }
  });
  std::vector<MemoryRange> ranges;
  for (std::size_t i = 0; i < 16; ++i) ranges.push_back({address_of(place) + i * kPage + 100, 300});
  for (int i = 0; i < 20000; ++i) EXPECT_LE(reader->gather(ranges), 16u * 300u);
  is_done = true;
  tearer.join();
  EXPECT_FALSE(reader->is_refused());
  munmap(place, 16 * kPage);
}

TEST_P(AnyMemoryReader, LeavesUnusedWindowPagesUntouched) {
  const auto resident_kib = [] {
    std::ifstream status("/proc/self/status");
    std::string word;
    long total = 0;
    while (status >> word) {
      if (word != "RssAnon:" && word != "RssShmem:") continue;
      long kib = 0;
      status >> kib;
      total += kib;
    }
    return total;
  };
  Pages pages(1);
  const MemoryRange range{pages.address(), 64};
  const long before = resident_kib();
  const auto fresh = GetParam().make();
  ASSERT_EQ(fresh->gather({&range, 1}), 64u);
  EXPECT_LE(resident_kib() - before, 128);
}

/// Runs `body` in a forked child, whose limits are its own. @return the child's exit status, or 128 + signal
int in_child(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool limit_file_size(rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

TEST(OpenMemoryReader, PrefersTheMemfd) { EXPECT_EQ(open_memory_reader()->name(), "memfd"); }

TEST(OpenMemoryReader, NeedsNoDescriptorInASharedTable) {
  EXPECT_EQ(open_memory_reader(DescriptorTable::shared)->name(), "process_vm_readv");
}

TEST(OpenMemoryReader, FallsBackWhereFilesMayNotGrow) {
  EXPECT_EQ(in_child([] { return limit_file_size(kPage) && open_memory_reader()->name() == "process_vm_readv"; }), 0);
}

TEST(OpenMemoryReader, MovesOnWhenTheFileSizeLimitComesLater) {
  const auto scenario = [] {
    Pages pages(4);
    const auto reader = open_memory_reader();
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);  // as in every thread of the recorder
    if (reader->name() != "memfd" || !limit_file_size(100)) return false;
    const MemoryRange range{pages.address(), 4 * kPage};
    return reader->gather({&range, 1}) == 4 * kPage && reader->name() == "process_vm_readv" &&
           std::memcmp(reader->window(), pages.data(), 4 * kPage) == 0;
  };
  EXPECT_EQ(in_child(scenario), 0);
}

TEST(OpenMemoryReader, DoesNotTakeABadAddressForARefusal) {
  const auto reader = open_memory_reader();
  const MemoryRange bad{16, 8};
  EXPECT_EQ(reader->gather({&bad, 1}), 0u);
  EXPECT_EQ(reader->name(), "memfd");
}

}  // namespace
}  // namespace gauge::cpython
