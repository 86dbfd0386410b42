#include "cli/browser.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <thread>
#include <utility>

namespace gauge::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 5> kDesktopBrowsers = {"xdg-open", "x-www-browser", "firefox", "chromium",
                                                              "google-chrome"};
constexpr std::string_view kPlace = "%s";  // of the address in a command
// What hands an address on ends soon, and says whether it could; a browser that lives on has a window by then.
constexpr auto kPatience = 1s;
constexpr auto kPause = 10ms;

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::vector<std::string> words_of(const std::string& command, std::string_view address) {
  std::vector<std::string> words;
  bool has_place = false;
  std::istringstream text{command};
  for (std::string word; text >> word;) {
    if (word == "&") continue;  // "in the background", which all are
    if (const std::size_t place = word.find(kPlace); place != std::string::npos) {
      word.replace(place, kPlace.size(), address);
      has_place = true;
    }
    words.push_back(std::move(word));
  }
  if (!words.empty() && !has_place) words.emplace_back(address);
  return words;
}

/// Starts a program that outlives us: without our terminal, whose Ctrl-C is not for it. @return 0 if it cannot be
pid_t start(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));  // nobody changes them
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments.front(), &actions, &attributes, arguments.data(), environ) != 0) child = 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

/// Whether the program runs on, or has ended well.
bool does_well(pid_t child) {
  for (const auto deadline = std::chrono::steady_clock::now() + kPatience; std::chrono::steady_clock::now() < deadline;
       std::this_thread::sleep_for(kPause)) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (ended < 0 && errno != EINTR) return false;
  }
  return true;
}

}  // namespace

std::string file_address(std::string_view path) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~";
  std::string address = "file://";
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      address += c;
    } else {
      address += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return address;
}

std::vector<std::vector<std::string>> browser_commands(std::string_view variable, bool has_display,
                                                       std::string_view address) {
  std::vector<std::vector<std::string>> commands;
  std::istringstream named{std::string{variable}};
  for (std::string command; std::getline(named, command, ':');) {
    if (std::vector<std::string> words = words_of(command, address); !words.empty()) commands.push_back(words);
  }
  if (!has_display) return commands;
  for (const std::string_view name : kDesktopBrowsers) commands.push_back({std::string{name}, std::string{address}});
  return commands;
}

bool open_in_browser(const std::string& path) {
  const bool has_display = !variable("DISPLAY").empty() || !variable("WAYLAND_DISPLAY").empty();
  const std::string address = file_address(std::filesystem::absolute(path).native());
  return std::ranges::any_of(browser_commands(variable("BROWSER"), has_display, address), [](const auto& command) {
    const pid_t child = start(command);
    return child != 0 && does_well(child);
  });
}

}  // namespace gauge::cli
