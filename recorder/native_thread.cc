#include "recorder/native_thread.h"

#include <fmt/core.h>

#include <csignal>
#include <system_error>

#include "formats/base/error.h"

namespace gauge {

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

}  // namespace gauge
