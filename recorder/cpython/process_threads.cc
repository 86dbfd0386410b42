#include "recorder/cpython/process_threads.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "recorder/cpython/memory_readers.h"

namespace gauge::cpython {
namespace {

/// It stays, as a zombie, until the others have ended.
bool has_main_thread_ended() noexcept {
  const Descriptor file(open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  std::array<char, 256> bytes;
  const ssize_t length = read(file.number(), bytes.data(), bytes.size());
  if (length <= 0) return false;
  const std::string_view text{bytes.data(), static_cast<std::size_t>(length)};
  const std::size_t name_end = text.rfind(')');  // the name may hold anything
  return name_end != std::string_view::npos && text.substr(name_end).starts_with(") Z");
}

}  // namespace

int thread_count() noexcept {
  struct stat tasks {};
  // A folder has one link for itself, one in its parent and one for each folder in it.
  return stat("/proc/self/task", &tasks) == 0 ? static_cast<int>(tasks.st_nlink) - 2 : 0;
}

bool others_have_ended(int own) noexcept { return thread_count() == own + 1 && has_main_thread_ended(); }

}  // namespace gauge::cpython
