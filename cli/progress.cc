#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "cli/terminal.h"

namespace gauge::cli {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kBarColumns = 20;
constexpr std::size_t kStandardWidth = 80;
constexpr auto kBetweenShows = std::chrono::milliseconds{100};
// A guess from less would jump about.
constexpr auto kLeastToGuessFrom = std::chrono::seconds{1};

/// A log is no place for what overwrites itself.
bool is_in_ci() {
  const char* const value = std::getenv("CI");
  return value != nullptr && *value != '\0';
}

std::string bar(double share) {
  const auto solid = static_cast<std::size_t>(share * kBarColumns);
  std::string text;
  for (std::size_t column = 0; column < kBarColumns; ++column) text += column < solid ? "█" : "░";
  return text;
}

/// ", 3 s left"; empty where it is too early to tell.
std::string time_left(double share, nanoseconds spent) {
  if (spent < kLeastToGuessFrom || share <= 0) return {};
  const double seconds = std::chrono::duration<double>{spent}.count() * (1 - share) / share;
  if (seconds >= 90) return fmt::format(", {:.0f} min left", seconds / 60);
  return fmt::format(", {:.0f} s left", std::max(seconds, 1.0));
}

void write_whole(int descriptor, std::string_view text) {
  // What cannot be shown is not worth an error.
  if (write(descriptor, text.data(), text.size()) < 0) return;
}

}  // namespace

Progress::Progress(const ProgressOptions& options)
    : options_(options), is_wanted_(is_terminal(options.descriptor) && !is_in_ci()) {}

void Progress::begin(std::string_view what, std::size_t steps) {
  const std::scoped_lock lock{mutex_};
  what_ = what;
  steps_ = steps;
  done_ = 0;
  begun_ = Clock::now();
  is_at_work_ = true;
  next_show_ = {};
  show_locked(begun_);
}

void Progress::step() {
  const std::scoped_lock lock{mutex_};
  if (!is_wanted_ || !is_at_work_) return;
  const Clock::time_point now = Clock::now();
  if (done_ == steps_) {
    done_ = 0;
    begun_ = now;
  }
  ++done_;
  show_locked(now);
}

void Progress::end() {
  const std::scoped_lock lock{mutex_};
  is_at_work_ = false;
  if (is_shown_) write_whole(options_.descriptor, "\r\x1b[K");
  is_shown_ = false;
}

void Progress::show_locked(Clock::time_point now) {
  if (!is_wanted_ || now < next_show_ || now - born_ < options_.patience) return;
  next_show_ = now + kBetweenShows;
  is_shown_ = true;
  const std::size_t width = terminal_width(options_.descriptor, kStandardWidth);
  write_whole(options_.descriptor, "\r" + progress_line(what_, done_, steps_, now - begun_, width) + "\x1b[K");
}

std::string progress_line(std::string_view what, std::size_t done, std::size_t steps, nanoseconds spent,
                          std::size_t width) {
  const std::string begin = fmt::format("gauge: {}", what);
  std::string line = begin;
  std::size_t columns = begin.size();
  if (steps != 0) {
    const double share = static_cast<double>(std::min(done, steps)) / static_cast<double>(steps);
    const std::string rest = fmt::format("  {:3.0f}%{}", share * 100, time_left(share, spent));
    const bool has_room = begin.size() + 2 + kBarColumns + rest.size() < width;
    line += has_room ? "  " + bar(share) + rest : rest;
    columns += has_room ? 2 + kBarColumns + rest.size() : rest.size();
  }
  if (columns >= width) line = begin.substr(0, width - 1);
  return line;
}

}  // namespace gauge::cli
