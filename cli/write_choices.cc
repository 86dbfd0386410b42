#include "cli/write_choices.h"

#include <array>
#include <string_view>
#include <utility>

#include "cli/choice.h"

namespace gauge::cli {
namespace {

using Frames = WriteOptions::Frames;
using Paths = WriteOptions::Paths;
using Timeline = WriteOptions::Timeline;

constexpr std::array<std::pair<Frames, std::string_view>, 2> kFrames = {
    {{Frames::function, "function"}, {Frames::line, "line"}}};
constexpr std::array<std::pair<Paths, std::string_view>, 2> kPaths = {
    {{Paths::below_import_root, "short"}, {Paths::full, "full"}}};
constexpr std::array<std::pair<Timeline, std::string_view>, 3> kTimelines = {
    {{Timeline::automatic, "auto"}, {Timeline::whole, "whole"}, {Timeline::totals, "totals"}}};

}  // namespace

void add_write_choices(CommandLine& line, WriteChoices& choices) {
  line.option("--frames", "WHAT", "what makes two frames the same: function (default),\nor line", choices.frames);
  line.option("--weight", "WHAT", "samples, wall, cpu or gil, for a format that holds one\nweight or shows one first",
              choices.weight);
  line.option("--paths", "WHICH", "files in texts of frames: short (below the import root,\ndefault), or full",
              choices.paths);
  line.option(
      "--timeline", "HOW MUCH",
      "order of time: auto (default; given up within windows\nwhere viewers could not open it), whole, or totals",
      choices.timeline);
}

WriteOptions write_options_of(const WriteChoices& choices) {
  WriteOptions how{.frames = choice<Frames>("--frames", choices.frames, kFrames),
                   .paths = choice<Paths>("--paths", choices.paths, kPaths),
                   .timeline = choice<Timeline>("--timeline", choices.timeline, kTimelines)};
  if (!choices.weight.empty()) how.weight = choice<Weight>("--weight", choices.weight, kWeights);
  return how;
}

}  // namespace gauge::cli
