#include <fmt/format.h>

#include <algorithm>

#include "cli/doctor.h"
#include "cli/paint.h"
#include "cli/quantities.h"
#include "cli/text.h"

namespace gauge::cli {
namespace {

constexpr std::size_t kReaderWidth = 16;  // of "process_vm_readv"
constexpr std::size_t kRowIndent = 15;    // of the facts of the machine, behind their names
constexpr std::size_t kReasonIndent = 7;  // below an interpreter's name

class Table {
 public:
  Table(const Diagnosis& diagnosis, const DoctorStyle& style)
      : diagnosis_(diagnosis), style_(style), paint_(style.colour) {}

  std::vector<std::string> lines() && {
    add_interpreters();
    lines_.emplace_back();
    add_machine();
    for (const Problem& problem : diagnosis_.problems) add_problem(problem);
    lines_.emplace_back();
    add_closing();
    return std::move(lines_);
  }

 private:
  void add_interpreters() {
    lines_.push_back(paint_.bold("Interpreters"));
    if (diagnosis_.interpreters.empty())
      add_text(
          "none was found (on PATH, of pyenv or uv, or in an active virtual environment); name one, or install "
          "Python",
          2, 2);
    for (const Interpreter& interpreter : diagnosis_.interpreters) add_interpreter(interpreter);
  }

  void add_interpreter(const Interpreter& interpreter) {
    const std::string mark = interpreter.is_recordable() ? paint_.good("yes") : paint_.bad("no ");
    const std::string name = interpreter.facts ? printable(interpreter.facts->name()) : "?";
    const std::string figures =
        fmt::format("  {}  {:<{}}  {:<{}}  ", mark, name, name_width(), interpreter.reader, reader_width());
    const std::size_t used = 2 + 3 + 2 + name_width() + 2 + reader_width() + 2;
    lines_.push_back(figures + fitting(interpreter.path, used));
    for (const std::string& other : interpreter.names)
      lines_.push_back(std::string(used, ' ') + paint_.dim("also " + fitting(other, used + 5)));
    if (!interpreter.reason) return;
    add_text(printable(interpreter.reason->what), kReasonIndent, kReasonIndent);
    if (!interpreter.reason->remedy.empty())
      add_text("-> " + printable(interpreter.reason->remedy), kReasonIndent, kReasonIndent + 3);
  }

  void add_machine() {
    const MachineFacts& facts = diagnosis_.machine;
    lines_.push_back(paint_.bold("This machine"));
    add_row("kernel", fmt::format("{}, {}", printable(facts.kernel), facts.architecture));
    add_row("memory", readers_text());
    add_row("descriptors", facts.own_descriptors.works() ? "a table of the recorder's own" : "the program's");
    add_row("security", security_text());
    add_row("limits", limits_text());
    add_row("folder", folder_text());
    add_row("CPU", fmt::format("{}, {}", format_count(facts.cores, "core"),
                               facts.cpu_quota ? fmt::format("a quota of {:.3g}", *facts.cpu_quota) : "no quota"));
    add_row("clock", facts.clock_source.empty() ? "unknown" : printable(facts.clock_source));
  }

  [[nodiscard]] std::string readers_text() const {
    const MachineFacts& facts = diagnosis_.machine;
    std::string text;
    const auto add = [&](std::string_view name, const Attempt& attempt) {
      if (attempt.works()) text += fmt::format("{}{}", text.empty() ? "" : ", or else ", name);
    };
    const bool has_descriptors = facts.own_descriptors.works();
    if (has_descriptors) add("memfd", facts.memfd);
    add("process_vm_readv", facts.process_vm_readv);
    if (has_descriptors) add("/proc/self/mem", facts.proc_mem);
    return text.empty() ? "none" : text;
  }

  [[nodiscard]] std::string security_text() const {
    const MachineFacts& facts = diagnosis_.machine;
    std::string text = facts.has_seccomp_filter ? "a seccomp filter" : "no seccomp filter";
    text += facts.security_label.empty() ? ", no security profile"
                                         : fmt::format(", profile {}", printable(facts.security_label));
    return text + (facts.no_new_privileges ? ", no new privileges" : "");
  }

  [[nodiscard]] std::string limits_text() const {
    const MachineFacts& facts = diagnosis_.machine;
    std::vector<std::string> parts;
    if (facts.address_space) parts.push_back(format_bytes(*facts.address_space) + " of address space");
    if (facts.file_size) parts.push_back("files of " + format_bytes(*facts.file_size));
    if (facts.open_files) parts.push_back(format_count(*facts.open_files, "open file"));
    return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
  }

  [[nodiscard]] std::string folder_text() const {
    const MachineFacts& facts = diagnosis_.machine;
    const std::string state = facts.folder_error == 0 ? "" : "not writable, ";
    return fmt::format("{}, {}{} free", printable(shortened(facts.folder)), state, format_bytes(facts.free_bytes));
  }

  void add_row(std::string_view name, const std::string& text) {
    const std::vector<std::string> rows = wrapped(text, text_width(kRowIndent), 0);
    for (const std::string& row : rows)
      lines_.push_back(fmt::format("  {:<13}{}", &row == &rows.front() ? name : "", row));
  }

  void add_problem(const Problem& problem) {
    lines_.emplace_back();
    const std::string head = fmt::format("{} {}", problem.subject, problem.what);
    const std::string mark = problem.is_harmless ? paint_.dim("-") : paint_.warning("!");
    const std::vector<std::string> rows = wrapped(head, text_width(4), 0);
    for (const std::string& row : rows)
      lines_.push_back(fmt::format("{} {}", &row == &rows.front() ? "  " + mark : "   ", row));
    add_text("lost: " + problem.effect, 4, 10);
    add_text("-> " + problem.remedy, 4, 7);
  }

  void add_closing() {
    const auto& all = diagnosis_.interpreters;
    const auto good = static_cast<std::size_t>(std::ranges::count_if(all, &Interpreter::is_recordable));
    const std::string text = fmt::format("{} of {} can be recorded.", good, format_count(all.size(), "interpreter"));
    lines_.push_back(diagnosis_.is_good() ? paint_.good(text) : paint_.bad(text));
    add_text(
        "A Python that is started with -I, -E or -S keeps gauge record out. Where gauge is installed in its "
        "environment, GAUGE_RECORD=out-%p.gpf records it in spite of -I and -E.",
        0, 0);
  }

  /// Wrapped, the first line indented by `first` columns, the others by `others`.
  void add_text(const std::string& text, std::size_t first, std::size_t others) {
    const std::vector<std::string> rows = wrapped(text, text_width(others), 0);
    for (const std::string& row : rows)
      lines_.push_back(std::string(&row == &rows.front() ? first : others, ' ') + row);
  }

  [[nodiscard]] std::optional<std::size_t> text_width(std::size_t indent) const {
    if (!style_.width) return std::nullopt;
    return *style_.width - std::min(*style_.width, indent);
  }

  /// The end of a path, as far as there is room behind `used` columns.
  [[nodiscard]] std::string fitting(const std::string& path, std::size_t used) const {
    const std::string text = printable(shortened(path));
    if (!style_.width) return text;
    constexpr std::size_t kLeast = 20;
    return last_columns(text, std::max(*style_.width - std::min(*style_.width, used), kLeast));
  }

  [[nodiscard]] std::string shortened(const std::string& path) const {
    const bool is_below = !style_.home.empty() && path.starts_with(style_.home + "/");
    return is_below ? "~" + path.substr(style_.home.size()) : path;
  }

  [[nodiscard]] std::size_t name_width() const {
    std::size_t width = 0;
    for (const Interpreter& interpreter : diagnosis_.interpreters)
      width = std::max(width, interpreter.facts ? printable(interpreter.facts->name()).size() : 1);
    return width;
  }

  [[nodiscard]] std::size_t reader_width() const {
    std::size_t width = 0;
    for (const Interpreter& interpreter : diagnosis_.interpreters) width = std::max(width, interpreter.reader.size());
    return std::min(width, kReaderWidth);
  }

  const Diagnosis& diagnosis_;
  const DoctorStyle& style_;
  Paint paint_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> doctor_table(const Diagnosis& diagnosis, const DoctorStyle& style) {
  return Table{diagnosis, style}.lines();
}

}  // namespace gauge::cli
