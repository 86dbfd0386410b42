#include "formats/thread_order.h"

#include <algorithm>
#include <utility>

namespace gauge {
namespace {

/// Lower is listed earlier. The main thread may have been given another name; its kernel id is the pid all the same.
int rank(const Profile& profile, const Thread& thread) {
  if (thread.name == "MainThread") return 0;
  return thread.native_id == profile.process(thread.process).pid ? 1 : 2;
}

}  // namespace

std::vector<ThreadId> threads_in_order(const Profile& profile) {
  std::vector<ThreadId> threads;
  for (const ThreadStack& entry : profile.thread_stacks()) {
    if (threads.empty() || threads.back() != entry.thread) threads.push_back(entry.thread);
  }
  std::ranges::stable_sort(threads, {}, [&](ThreadId id) {
    const Thread& thread = profile.thread(id);
    return std::pair{thread.process, rank(profile, thread)};
  });
  return threads;
}

}  // namespace gauge
