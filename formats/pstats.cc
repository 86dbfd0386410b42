// Writes Python's profile statistics: a dictionary in marshal's encoding, as cProfile dumps it.
//
//   {(file, line, name): (cc, nc, tt, ct, {caller: (nc, cc, tt, ct)})}
//
// The two counts stand in opposite orders in the two places (Lib/cProfile.py, create_stats). What they count here, and
// why no marker of a sampled profile is written, is explained in docs/formats/pstats.md.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/buffered_output.h"
#include "formats/profile/call_graph.h"
#include "formats/profile/text.h"
#include "formats/profile/unique_names.h"
#include "formats/writers.h"

namespace gauge {
namespace {

/// Encodes objects as Python's marshal module reads them (Python/marshal.c), from version 3.4 on.
class MarshalWriter {
 public:
  using Reference = std::uint32_t;

  explicit MarshalWriter(BufferedOutput& out) : out_(out) {}

  void begin_dictionary() { byte('{'); }
  void end_dictionary() { byte('0'); }  // a null instead of a key
  /// The next `size` objects are its elements.
  void begin_tuple(std::uint8_t size) {
    byte(')');
    byte(static_cast<char>(size));
  }
  /// A tuple that refer() can name from then on.
  Reference begin_shared_tuple(std::uint8_t size) {
    byte(')' | kShared);
    byte(static_cast<char>(size));
    return references_++;
  }
  Reference shared_text(std::string_view text) {
    text_of_kind(text, kShared);
    return references_++;
  }
  void text(std::string_view text) { text_of_kind(text, 0); }
  void refer(Reference reference) {
    byte('r');
    little_endian(reference, 4);
  }

  void integer(std::uint64_t number) {
    if (number <= 0x7FFFFFFF) {
      byte('i');
      little_endian(number, 4);
      return;
    }
    constexpr int kDigitBits = 15;
    const std::size_t digits = (static_cast<std::size_t>(std::bit_width(number)) + kDigitBits - 1) / kDigitBits;
    byte('l');
    little_endian(digits, 4);
    for (; number != 0; number >>= kDigitBits) little_endian(number & 0x7FFF, 2);
  }

  void real(double number) {
    byte('g');
    little_endian(std::bit_cast<std::uint64_t>(number), 8);
  }

 private:
  static constexpr int kShared = 0x80;  // marshal's FLAG_REF: the object gets the next reference number

  void text_of_kind(std::string_view text, int flag) {
    const bool is_ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
    const bool is_short = is_ascii && text.size() < 256;
    byte((is_short ? 'z' : 'u') | flag);
    little_endian(text.size(), is_short ? 1 : 4);
    out_.append(text);
  }
  void byte(int value) {
    const char character = static_cast<char>(value);
    out_.append({&character, 1});
  }
  void little_endian(std::uint64_t number, std::size_t size) {
    std::array<char, 8> bytes{};
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(number >> (8 * i) & 0xFF);
    out_.append({bytes.data(), size});
  }

  BufferedOutput& out_;
  Reference references_ = 0;
};

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

/// The graph's edges by callee, those of one pair added up over the caller's lines.
std::vector<CallEdge> callers_of_all(std::vector<CallEdge> edges) {
  for (CallEdge& edge : edges) edge.line = 0;
  const auto pair = [](const CallEdge& edge) { return std::pair{edge.callee, edge.caller}; };
  std::stable_sort(edges.begin(), edges.end(), [&](const CallEdge& a, const CallEdge& b) { return pair(a) < pair(b); });
  std::vector<CallEdge> sums;
  for (const CallEdge& edge : edges) {
    if (sums.empty() || pair(sums.back()) != pair(edge)) {
      sums.push_back(edge);
    } else {
      sums.back() += edge;
    }
  }
  return sums;
}

class PstatsWriter {
 public:
  PstatsWriter(const Profile& profile, Sink& sink)
      : profile_(profile),
        graph_(fold(profile)),
        callers_(callers_of_all(graph_.edges)),
        out_(sink),
        marshal_(out_),
        keys_(profile.functions().size()) {}

  void write() {
    marshal_.begin_dictionary();
    for (const FunctionId function : functions_by_place(profile_, graph_)) write_function(function);
    write_without_frames();
    marshal_.end_dictionary();
    out_.finish();
  }

 private:
  void write_function(FunctionId function) {
    const CallGraphNode& node = graph_.node(function);
    write_key(function);
    marshal_.begin_tuple(5);
    marshal_.integer(node.inclusive.samples);
    marshal_.integer(node.occurrences);
    marshal_.real(seconds(node.self.wall));
    marshal_.real(seconds(node.inclusive.wall));
    write_callers(function);
  }

  void write_callers(FunctionId callee) {
    marshal_.begin_dictionary();
    const auto [first, last] =
        std::equal_range(callers_.begin(), callers_.end(), CallEdge{.callee = callee},
                         [](const CallEdge& a, const CallEdge& b) { return a.callee < b.callee; });
    for (auto edge = first; edge != last; ++edge) {
      write_key(edge->caller);
      marshal_.begin_tuple(4);
      marshal_.integer(edge->occurrences);
      marshal_.integer(edge->outermost_samples);
      marshal_.real(seconds(edge->self.wall));
      marshal_.real(seconds(edge->inclusive.wall));
    }
    marshal_.end_dictionary();
  }

  // Keys recur as callers; written out each time they would treble the file.
  void write_key(FunctionId id) {
    std::optional<MarshalWriter::Reference>& key = keys_[index_of(id)];
    if (key) return marshal_.refer(*key);
    const Function& function = profile_.function(id);
    key = marshal_.begin_shared_tuple(3);
    write_file(function.file);
    marshal_.integer(function.first_line);
    marshal_.text(function.unique_name);
  }

  void write_file(std::string_view file) {
    if (file.empty()) file = "~";  // pstats' own sign for "no file"
    const auto known = files_.find(file);
    if (known != files_.end()) return marshal_.refer(known->second);
    files_.emplace(file, marshal_.shared_text(one_line(file)));
  }

  // Time without Python frames is part of the total. And pstats refuses an empty dictionary, so a profile without
  // samples gets one row that says so.
  void write_without_frames() {
    Weights weights;
    for (const ThreadCost& thread : graph_.threads) weights += thread.without_frames;
    const bool is_empty = graph_.total.samples == 0;
    if (weights.samples == 0 && !is_empty) return;
    marshal_.begin_tuple(3);
    marshal_.text("~");
    marshal_.integer(0);
    marshal_.text(is_empty ? kNoSamples : kNoFrames);
    marshal_.begin_tuple(5);
    marshal_.integer(weights.samples);
    marshal_.integer(weights.samples);
    marshal_.real(seconds(weights.wall));
    marshal_.real(seconds(weights.wall));
    marshal_.begin_dictionary();
    marshal_.end_dictionary();
  }

  const Profile& profile_;
  CallGraph graph_;
  std::vector<CallEdge> callers_;  // sorted by callee
  BufferedOutput out_;
  MarshalWriter marshal_;
  std::vector<std::optional<MarshalWriter::Reference>> keys_;             // by function
  std::unordered_map<std::string_view, MarshalWriter::Reference> files_;  // texts of the profile
};

}  // namespace

void write_pstats(const Profile& profile, const WriteOptions& /*options*/, Sink& sink) {
  PstatsWriter(profile, sink).write();
}

}  // namespace gauge
