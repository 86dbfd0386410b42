#include "recorder/native_thread.h"

#include <fmt/core.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <system_error>

#include "formats/base/error.h"

namespace gauge {
namespace {

/// The kernel's struct sched_attr, in its first version (man 2 sched_setattr). The C library has none before 2.41.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // of ordinary threads, the slice that they ask for (Linux 6.12)
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

constexpr std::uint64_t kSliceNs = 100'000;  // the shortest there is; who asks for less at a time is served earlier

}  // namespace

void NativeThread::start(const char* name, std::function<void()> body) {
  name_ = name;
  body_ = std::move(body);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the new thread inherits it
  const int failure = pthread_create(&thread_, &attributes, &NativeThread::enter, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (failure != 0) {
    throw Error{ErrorCode::unsupported,
                fmt::format("recorder: cannot start a thread ({}); raise the limits on threads and memory",
                            std::generic_category().message(failure))};
  }
  is_started_ = true;
}

void NativeThread::join() {
  if (!is_started_) return;
  pthread_join(thread_, nullptr);
  is_started_ = false;
}

void* NativeThread::enter(void* self) {
  auto* const thread = static_cast<NativeThread*>(self);
  pthread_setname_np(pthread_self(), thread->name_.c_str());
  thread->body_();
  return nullptr;
}

void wake_promptly() noexcept {
  prctl(PR_SET_TIMERSLACK, 1UL);
  // Filters of system calls may kill who asks: "SystemCallFilter=~@resources" of systemd does, and is common.
  if (prctl(PR_GET_SECCOMP) != 0) return;
  SchedulingAttributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 || attributes.policy != SCHED_OTHER) return;
  attributes.runtime_ns = kSliceNs;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace gauge
