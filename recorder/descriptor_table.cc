#include "recorder/descriptor_table.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace gauge {
namespace {

/// Kernels before 5.9 and older sandboxes know no close_range.
bool unshare_and_close() noexcept {
  if (unshare(CLONE_FILES) != 0) return false;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 65536));
  for (int descriptor = 0; descriptor < end; ++descriptor) close(descriptor);
  return true;
}

}  // namespace

DescriptorTable separate_descriptor_table() noexcept {
  if (syscall(SYS_close_range, 0U, ~0U, CLOSE_RANGE_UNSHARE) != 0 && !unshare_and_close()) {
    return DescriptorTable::shared;
  }
  for (int expected = 0; expected <= 2; ++expected) {
    // A chroot may lack /dev; anything that takes bytes and keeps them from our files will do.
    if (open("/dev/null", O_RDWR) < 0) memfd_create("gauge-null", 0);
  }
  return DescriptorTable::own;
}

}  // namespace gauge
