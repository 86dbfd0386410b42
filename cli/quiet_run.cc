#include "cli/quiet_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

constexpr std::array kDeferred = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
constexpr std::chrono::milliseconds kPause{10};
constexpr std::size_t kMostKept = std::size_t{64} << 10;

/// One end of a pipe. Never below 3: there the program's own streams are put.
class PipeEnd {
 public:
  PipeEnd() = default;
  explicit PipeEnd(int descriptor) noexcept : descriptor_(descriptor) {}
  PipeEnd(PipeEnd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  PipeEnd& operator=(PipeEnd&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  PipeEnd(const PipeEnd&) = delete;
  PipeEnd& operator=(const PipeEnd&) = delete;
  ~PipeEnd() { reset(); }

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  void reset() noexcept {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_ = -1;
};

struct Pipe {
  PipeEnd reading;
  PipeEnd writing;
};

Pipe make_pipe(const std::string& subject) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw io_error(subject, "cannot be started, no pipe", errno, "close descriptors or raise the limit");
  const auto move_up = [](int descriptor) {
    const PipeEnd low{descriptor};
    return PipeEnd{fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
  };
  return {move_up(ends[0]), move_up(ends[1])};
}

/// What the program writes on one of its streams, as far as it is kept.
class Collector {
 public:
  explicit Collector(PipeEnd end) : end_(std::move(end)) { fcntl(end_.descriptor(), F_SETFL, O_NONBLOCK); }

  [[nodiscard]] pollfd to_poll() const noexcept { return {.fd = end_.descriptor(), .events = POLLIN, .revents = 0}; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::string take() && { return std::move(text_); }

  /// Takes what is there; the rest of a program that writes too much is read and dropped, so that it does not wait.
  void collect() {
    std::array<char, 4096> bytes;
    while (end_.descriptor() >= 0) {
      const ssize_t count = read(end_.descriptor(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) return end_.reset();
      text_.append(bytes.data(), std::min(static_cast<std::size_t>(count), kMostKept - text_.size()));
    }
  }

 private:
  PipeEnd end_;
  std::string text_;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));  // nobody changes them
  result.push_back(nullptr);
  return result;
}

/// Descriptors that become the program's standard streams.
struct Streams {
  int input;
  int output;
  int errors;
};

pid_t spawn(const Command& command, const Streams& streams, const sigset_t& mask) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, streams.input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.errors, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &mask);
  const std::vector<char*> arguments = pointers(command.arguments);
  const std::vector<char*> environment = pointers(command.environment);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, command.path.c_str(), &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw io_error(command.arguments.front(), "cannot be run", error, "check that it is a program of this machine");
  return child;
}

/// A program between its start and its end.
class Running {
 public:
  explicit Running(const Command& command, const sigset_t& mask) : Running(command, mask, Pipes{command.path}) {}

  QuietRun wait(const QuietLimits& limits, const DeferredSignals& signals) && {
    const auto deadline = std::chrono::steady_clock::now() + limits.time;
    QuietRun run;
    while (true) {
      // Asked first: what a program wrote before its end is in the pipes then.
      const bool is_over = has_ended();
      output_.collect();
      errors_.collect();
      if (is_over) break;
      if (signals.are_pending()) run.end = QuietRun::End::interrupted;
      if (std::chrono::steady_clock::now() >= deadline) run.end = QuietRun::End::overdue;
      if (run.end != QuietRun::End::exited) break;
      if (!limits.is_enough || limits.is_enough(output_.text())) input_.reset();
      std::array<pollfd, 2> streams = {output_.to_poll(), errors_.to_poll()};
      poll(streams.data(), streams.size(), static_cast<int>(kPause.count()));
    }
    kill(-child_, SIGKILL);  // not reaped yet, so the number is still that of its session
    while (waitpid(child_, &run.wait_status, 0) < 0 && errno == EINTR) continue;
    run.output = std::move(output_).take();
    run.errors = std::move(errors_).take();
    return run;
  }

 private:
  struct Pipes {
    explicit Pipes(const std::string& subject)
        : input(make_pipe(subject)), output(make_pipe(subject)), errors(make_pipe(subject)) {}
    Pipe input;
    Pipe output;
    Pipe errors;
  };

  Running(const Command& command, const sigset_t& mask, Pipes pipes)
      : input_(std::move(pipes.input.writing)),
        output_(std::move(pipes.output.reading)),
        errors_(std::move(pipes.errors.reading)),
        child_(spawn(command,
                     {.input = pipes.input.reading.descriptor(),
                      .output = pipes.output.writing.descriptor(),
                      .errors = pipes.errors.writing.descriptor()},
                     mask)) {}

  [[nodiscard]] bool has_ended() const noexcept {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child_;
  }

  PipeEnd input_;
  Collector output_;
  Collector errors_;
  pid_t child_;
};

}  // namespace

DeferredSignals::DeferredSignals() noexcept {
  sigemptyset(&deferred_);
  for (const int signal : kDeferred) {
    struct sigaction action {};
    // One that is ignored, as SIGHUP below nohup, ends nothing; blocked, it would seem to be on its way.
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&deferred_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &deferred_, &before_);
  // Ignored SIGCHLD, which is inherited, would throw exit statuses away.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &standard, &on_child_before_);
}

DeferredSignals::~DeferredSignals() {
  sigaction(SIGCHLD, &on_child_before_, nullptr);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool DeferredSignals::are_pending() const noexcept {
  sigset_t pending;
  if (sigpending(&pending) != 0) return false;
  return std::ranges::any_of(kDeferred, [&](int signal) {
    return sigismember(&deferred_, signal) == 1 && sigismember(&pending, signal) == 1;
  });
}

QuietRun run_quietly(const Command& command, const QuietLimits& limits, const DeferredSignals& signals) {
  return Running{command, signals.mask_before()}.wait(limits, signals);
}

std::string wait_status_text(int wait_status) {
  if (WIFEXITED(wait_status)) return fmt::format("exit status {}", WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  const char* name = sigdescr_np(signal);
  return fmt::format("killed by signal {}{}{}", signal, name == nullptr ? "" : ", ", name == nullptr ? "" : name);
}

}  // namespace gauge::cli
