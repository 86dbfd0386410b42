#include "cli/report_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/paint.h"
#include "cli/quantities.h"
#include "cli/text.h"
#include "formats/profile/short_file.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kNarrowTerminal = 70;  // columns below which there is no bar
constexpr std::size_t kWideTerminal = 110;   // columns from which it is twice as long
constexpr std::size_t kMostProcessesShown = 3;
constexpr std::size_t kFiguresWidth = 37;  // columns of a row before its name, without the bar
constexpr double kHotShare = 0.2;
constexpr double kWarmShare = 0.05;

std::string painted_by_heat(const Paint& paint, double share, std::string_view text) {
  if (share >= kHotShare) return paint.bad(text);
  return share >= kWarmShare ? paint.warning(text) : std::string{text};
}

std::string percent(double share) {
  const double value = 100 * share;
  // 99.96 is not 100: a reader takes "100.0 %" for all of it.
  return value > 99.94 && value < 100 ? "99.9%" : fmt::format("{:.1f}%", value);
}

/// "4.21 s", or "-" for nothing, which must not look like little.
std::string time_cell(std::chrono::nanoseconds time) { return time.count() == 0 ? "-" : format_time(time); }

std::string program_of(const Process& process) {
  std::string text;
  for (const std::string& word : process.command) text += (text.empty() ? "" : " ") + printable(word);
  return text.empty() ? printable(process.path) : text;
}

std::string cut(std::string text, const std::optional<std::size_t>& width) {
  if (!width || display_width(text) <= *width) return text;
  while (display_width(text) + 1 > *width) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
    text.pop_back();
  }
  return text + "…";
}

class Table {
 public:
  Table(const Profile& profile, const HotFunctions& hot, const TableStyle& style)
      : profile_(profile), hot_(hot), style_(style), paint_(style.colour) {}

  std::vector<std::string> lines(const std::vector<std::string>& warnings) && {
    add_header();
    for (const std::string& warning : warnings) {
      for (const std::string& line : wrapped("warning: " + warning, style_.width))
        lines_.push_back(paint_.warning(line));
    }
    if (hot_.functions.empty()) return std::move(lines_);
    lines_.emplace_back();
    add_heading();
    const std::size_t count = std::min(style_.limit, hot_.functions.size());
    for (std::size_t index = 0; index < count; ++index) add_row(hot_.functions[index]);
    add_rest(count);
    return std::move(lines_);
  }

 private:
  void add_header() {
    const auto processes = profile_.processes();
    for (std::size_t index = 0; index < std::min(processes.size(), kMostProcessesShown); ++index) {
      const Process& process = processes[index];
      lines_.push_back(paint_.bold(cut(program_of(process), style_.width)));
    }
    if (processes.size() > kMostProcessesShown)
      lines_.push_back(fmt::format("and {} more", format_count(processes.size() - kMostProcessesShown, "process")));
    const std::string facts = fmt::format(
        "Python {}, {} at {}{}, {}, {}", processes.front().python_version, format_count(hot_.total.samples, "sample"),
        processes.front().max_overhead > 0 ? "up to " : "", format_rate(processes.front().interval),
        format_count(profile_.threads().size(), "thread"),
        fmt::format("{} wall, {} CPU over all threads", format_time(hot_.total.wall), format_time(hot_.total.cpu)));
    for (const std::string& line : wrapped(facts, style_.width)) lines_.push_back(paint_.dim(line));
  }

  void add_heading() {
    const std::string bar(bar_width() == 0 ? 0 : bar_width() + 2, ' ');
    const std::string figures =
        fmt::format("{:>6} {}{:>7} {:>9} {:>9}  ", "self", bar, "total", "self wall", "self CPU");
    lines_.push_back(paint_.bold(figures + " function"));
  }

  void add_row(const HotFunction& hot) {
    const double self = hot_.share(hot.self);
    const double total = hot_.share(hot.total);
    std::string line = painted_by_heat(paint_, self, fmt::format("{:>6}", percent(self))) + " ";
    if (bar_width() != 0) line += " " + share_bar(self, total, bar_width(), style_.colour) + " ";
    line += fmt::format("{:>7} {:>9} {:>9}  ", percent(total), time_cell(hot.self.wall), time_cell(hot.self.cpu));
    line += " " + paint_.light(hot.branch) + place(profile_.function(hot.function), display_width(hot.branch));
    lines_.push_back(std::move(line));
  }

  /// Name and, where there is room, file and line.
  /// @param used  columns that something else takes
  std::string place(const Function& function, std::size_t used) const {
    const std::string name = printable(function.unique_name);
    const std::string file = printable(short_file(profile_, function));
    const std::string where = function.file.empty() ? "" : fmt::format("{}:{}", file, function.first_line);
    if (!style_.width) return where.empty() ? name : name + "  " + where;
    const std::size_t room = std::max<std::size_t>(*style_.width - std::min(*style_.width, used_width() + used), 12);
    const std::size_t left = room - std::min(room, display_width(name) + 2);
    constexpr std::size_t kLeastPlace = 8;  // "…x.py:12" still says something
    if (left < kLeastPlace || where.empty()) return last_columns(name, room);
    return name + "  " + paint_.dim(last_columns(where, left));
  }

  void add_rest(std::size_t shown) {
    const std::size_t rest = hot_.functions.size() - shown;
    if (rest == 0) return;
    if (style_.is_tree) {
      lines_.push_back(paint_.dim(
          fmt::format("and {}; --limit {} shows all", format_count(rest, "more call"), hot_.functions.size())));
      return;
    }
    Weights self;
    for (std::size_t index = shown; index < hot_.functions.size(); ++index) self += hot_.functions[index].self;
    lines_.push_back(paint_.dim(fmt::format("{:>6} in {}; --limit {} shows all", percent(hot_.share(self)),
                                            format_count(rest, "more function"), hot_.functions.size())));
  }

  [[nodiscard]] std::size_t bar_width() const {
    if (!style_.width || *style_.width < kNarrowTerminal) return 0;
    return *style_.width >= kWideTerminal ? 20 : 10;
  }
  [[nodiscard]] std::size_t used_width() const { return kFiguresWidth + (bar_width() == 0 ? 0 : bar_width() + 2); }

  const Profile& profile_;
  const HotFunctions& hot_;
  const TableStyle& style_;
  Paint paint_;
  std::vector<std::string> lines_;
};

}  // namespace

std::string share_bar(double self, double total, std::size_t width, bool colour) {
  constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double columns = static_cast<double>(width);
  const auto eighths = static_cast<std::size_t>(std::lround(std::clamp(self, 0.0, 1.0) * columns * 8));
  std::string solid;
  for (std::size_t index = 0; index < eighths / 8; ++index) solid += "█";
  solid += kEighths[eighths % 8];
  const std::size_t solid_columns = (eighths + 7) / 8;
  const auto reach = static_cast<std::size_t>(std::lround(std::clamp(total, 0.0, 1.0) * columns));
  std::string light;
  for (std::size_t index = solid_columns; index < reach; ++index) light += "░";
  const std::string space(width - std::max(solid_columns, reach), ' ');
  const Paint paint{colour};
  return painted_by_heat(paint, self, solid) + paint.light(light) + space;
}

std::vector<std::string> report_table(const Profile& profile, const HotFunctions& hot,
                                      const std::vector<std::string>& warnings, const TableStyle& style) {
  return Table{profile, hot, style}.lines(warnings);
}

}  // namespace gauge::cli
