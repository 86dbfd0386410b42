#include "recorder/cpython/kernel_places.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gauge::cpython {
namespace {

using namespace std::chrono_literals;

/// A thread that waits for something to read, until it is destroyed.
class Reader {
 public:
  Reader() {
    if (pipe(ends_.data()) != 0) ends_ = {-1, -1};
    thread_ = std::thread{[this] {
      native_id_ = static_cast<std::uint64_t>(syscall(SYS_gettid));
      char byte = 0;
      while (read(ends_[0], &byte, 1) < 0) continue;
    }};
    while (native_id_ == 0) std::this_thread::yield();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    end();
    for (const int descriptor : ends_) close(descriptor);
  }

  void end() {
    if (!thread_.joinable()) return;
    EXPECT_EQ(write(ends_[1], "", 1), 1);
    thread_.join();
    // The kernel lets us go on a moment before it has taken the thread off its lists.
    const std::string folder = "/proc/self/task/" + std::to_string(native_id_);
    while (access(folder.c_str(), F_OK) == 0) std::this_thread::yield();
  }
  [[nodiscard]] std::uint64_t native_id() const { return native_id_; }
  /// True once the places tell that it waits for its own pipe.
  [[nodiscard]] bool is_told(KernelPlaces& places) const {
    for (int tries = 0; tries < 1000; ++tries) {
      const std::optional<KernelPlace> place = places.of(native_id_);
      if (!place) return false;
      if (!place->is_ready && place->call == SYS_read) {
        return place->first_argument == static_cast<std::uintptr_t>(ends_[0]);
      }
      std::this_thread::sleep_for(1ms);  // it is still on its way
    }
    return false;
  }

 private:
  std::array<int, 2> ends_{};
  std::atomic<std::uint64_t> native_id_ = 0;
  std::thread thread_;
};

std::size_t open_descriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  std::size_t count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

std::uint64_t own_id() { return static_cast<std::uint64_t>(syscall(SYS_gettid)); }

TEST(KernelPlaces, TellsInWhichCallAThreadWaits) {
  KernelPlaces places{DescriptorTable::own};
  const Reader reader;
  EXPECT_TRUE(reader.is_told(places));
  EXPECT_TRUE(reader.is_told(places));  // by the file that is open now
}

TEST(KernelPlaces, TellsThatAThreadExecutes) {
  KernelPlaces places{DescriptorTable::own};
  std::atomic<std::uint64_t> native_id = 0;
  std::atomic<bool> must_end = false;
  std::thread busy{[&] {
    native_id = own_id();
    while (!must_end) continue;
  }};
  while (native_id == 0) std::this_thread::yield();
  for (int i = 0; i < 2; ++i) {
    const std::optional<KernelPlace> place = places.of(native_id);
    EXPECT_TRUE(place && place->is_ready);
  }
  must_end = true;
  busy.join();
}

TEST(KernelPlaces, TellsNothingOfAThreadThatIsGoneOrNeverWas) {
  KernelPlaces places{DescriptorTable::own};
  Reader reader;
  EXPECT_TRUE(reader.is_told(places));
  reader.end();
  EXPECT_FALSE(places.of(reader.native_id()));
  EXPECT_FALSE(places.of(reader.native_id()));
  EXPECT_FALSE(places.of(0));
  EXPECT_FALSE(places.of(UINT64_MAX));
}

TEST(KernelPlaces, KeepsAsManyFilesAsItSaysAndNoneInTheEnd) {
  constexpr std::size_t kThreads = 2 * KernelPlaces::kKept;
  std::vector<std::unique_ptr<Reader>> readers;
  for (std::size_t i = 0; i < kThreads; ++i) readers.push_back(std::make_unique<Reader>());
  const std::size_t before = open_descriptors();
  {
    KernelPlaces places{DescriptorTable::own};
    for (int round = 0; round < 2; ++round) {
      for (const auto& reader : readers) ASSERT_TRUE(reader->is_told(places));
    }
    EXPECT_GT(open_descriptors(), before);
    EXPECT_LE(open_descriptors(), before + KernelPlaces::kKept);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(KernelPlaces, GivesFilesUpWhereThereIsNoRoomForMore) {
  KernelPlaces places{DescriptorTable::own};
  const Reader one;
  const Reader other;
  EXPECT_TRUE(one.is_told(places));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit lower{open_descriptors() - 3, before.rlim_max};  // "." and "..", and the folder itself while it was read
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  const bool is_told = other.is_told(places);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(is_told);
}

TEST(KernelPlaces, OpensNothingInASharedTable) {
  KernelPlaces places{DescriptorTable::shared};
  const std::size_t before = open_descriptors();
  EXPECT_FALSE(places.of(own_id()));
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace gauge::cpython
