#include "cli/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "formats/base/error.h"

namespace gauge::cli {
namespace {

// All that can be sent to a program on purpose. The others are its own faults, or cannot be caught.
constexpr std::array kRelayed = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1,  SIGUSR2, SIGALRM, SIGTERM,
                                 SIGCONT, SIGTSTP, SIGURG,  SIGWINCH, SIGIO,   SIGPWR};

/// Whether the terminal may have sent it, to the whole foreground group.
bool is_from_terminal(const siginfo_t& info) {
  if (info.si_code != SI_KERNEL) return false;
  switch (info.si_signo) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGTSTP:
    case SIGCONT:
    case SIGWINCH:
      return true;
    default:
      return false;  // SIGALRM of a timer that was set before us: the bare program would have had it
  }
}

sigset_t waited_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (const int signal : kRelayed) sigaddset(&set, signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&set, signal);
  return set;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));  // execve() changes nothing
  result.push_back(nullptr);
  return result;
}

/// Signal state to be restored in the child, which must not see that we wait for signals.
struct SignalState {
  sigset_t mask;
  struct sigaction on_child;
};

SignalState take_over_signals() {
  SignalState before{};
  const sigset_t waited = waited_signals();
  sigprocmask(SIG_BLOCK, &waited, &before.mask);
  // Ignored SIGCHLD, which is inherited, would throw the exit status away.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &standard, &before.on_child);
  return before;
}

/// Only async-signal-safe calls: between fork() and exec. Writes errno to `failure` where it fails.
[[noreturn]] void become(const char* path, char* const* arguments, char* const* environment, const SignalState& signals,
                         pid_t parent, int failure) {
  // kill -9 of what the caller takes for the program must end the program.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  sigaction(SIGCHLD, &signals.on_child, nullptr);
  sigprocmask(SIG_SETMASK, &signals.mask, nullptr);
  execvpe(path, arguments,
          environment);  // the path has a slash: no search, but scripts without "#!" run, as in a shell
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(failure, &error, sizeof error);
  _exit(127);
}

pid_t start(const Command& command, const SignalState& signals) {
  const std::vector<char*> arguments = pointers(command.arguments);
  const std::vector<char*> environment = pointers(command.environment);
  std::array<int, 2> failure{};
  if (pipe2(failure.data(), O_CLOEXEC) != 0)
    throw io_error(command.path, "cannot be started, no pipe", errno, "close descriptors or raise the limit");
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(command.path.c_str(), arguments.data(), environment.data(), signals, parent, failure[1]);
  const int fork_error = errno;
  close(failure[1]);
  if (child < 0) {
    close(failure[0]);
    throw io_error(command.path, "cannot be started", fork_error, "free memory or raise the process limit");
  }
  int exec_error = 0;
  ssize_t count = 0;
  do count = read(failure[0], &exec_error, sizeof exec_error);
  while (count < 0 && errno == EINTR);
  close(failure[0]);
  if (count <= 0) return child;  // closed by a successful exec
  waitpid(child, nullptr, 0);
  throw io_error(command.arguments.front(), "cannot be run", exec_error, "check that it is a program of this machine");
}

/// The state letter of /proc/PID/stat: 'T' = stopped.
bool is_stopped(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  const std::string line{std::istreambuf_iterator<char>{file}, {}};
  const std::size_t name_end = line.rfind(')');  // the name may hold anything
  return name_end != std::string::npos && name_end + 2 < line.size() && line[name_end + 2] == 'T';
}

void relay(const siginfo_t& info, pid_t child) {
  if (is_from_terminal(info)) return;
  // A program that signals its own group has had the signal already; one that signals its parent means a shell.
  if (info.si_code <= 0 && info.si_pid == child) return;
  // A shell that continues a job tells the whole group.
  if (info.si_signo == SIGCONT && !is_stopped(child)) return;
  kill(child, info.si_signo);
}

/// Stops as the child was stopped, until a shell continues us.
void stop_too(int signal) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  struct sigaction before {};
  if (signal != SIGSTOP) sigaction(signal, &standard, &before);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigset_t mask;
  // Raised before it is unblocked: the terminal's own one, if pending, is the same and stops us once.
  raise(signal);
  sigprocmask(SIG_UNBLOCK, &set, &mask);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  if (signal != SIGSTOP) sigaction(signal, &before, nullptr);
}

/// Collects every child that ended, as the first process of a container must.
/// @return the status of `child` if it was among them
std::optional<int> reap(pid_t child) {
  int status = 0;
  pid_t pid = 0;
  while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
    if (pid != child) continue;
    if (!WIFSTOPPED(status)) return status;
    stop_too(WSTOPSIG(status));
  }
  return std::nullopt;
}

}  // namespace

int run_to_the_end(const Command& command) {
  const pid_t child = start(command, take_over_signals());
  const sigset_t waited = waited_signals();
  while (true) {
    siginfo_t info{};
    if (sigwaitinfo(&waited, &info) < 0) continue;  // EINTR: stopped and continued
    if (info.si_signo != SIGCHLD)
      relay(info, child);
    else if (const auto status = reap(child))
      return *status;
  }
}

void end_like(int wait_status) {
  std::fflush(nullptr);
  if (WIFEXITED(wait_status)) _exit(WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0);  // a core pipe ignores the limit
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  kill(getpid(), signal);
  // Still here: process 1 of a container is not killed by its own signals.
  _exit(128 + signal);
}

}  // namespace gauge::cli
