// The dictionaries of a recording being written: what has an id, and what of it the file does not define yet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/gpf/records.h"

namespace gauge::gpf {

/// Gives ids, counted up from 1, to strings, functions, frames and stacks; equal content gets the equal id, as long as
/// it is remembered. Looking up what is known allocates nothing. Not thread-safe.
///
/// A program that makes new code all its life must not make its recorder grow: past kMaxKnownBytes everything is
/// forgotten, and what comes again gets another id. Ids that were given stay good.
class Dictionary {
 public:
  /// 0 for "". A text longer than kMaxTextBytes is cut there, between two characters.
  std::uint32_t string(std::string_view text);
  std::uint32_t function(const Function& function);
  std::uint32_t frame(std::uint32_t function, std::uint32_t line, std::uint32_t column);
  std::uint32_t stack(std::uint32_t parent, std::uint32_t frame);
  /// Every call is written: a thread defined again has a new name.
  void define_thread(const Thread& thread);
  /// Tasks get no ids here: theirs must follow one another.
  void define_task(std::uint32_t id, std::uint32_t name, std::uint64_t number, std::uint32_t whole_id);

  /// What has been given an id since the last clear_pending().
  [[nodiscard]] Definitions& pending() noexcept { return pending_; }
  /// About; 0 if and only if nothing is pending.
  [[nodiscard]] std::size_t pending_bytes() const noexcept { return pending_bytes_; }
  /// Forgets what is pending, once it is in the file, and keeps its memory. Where too much is known, forgets that too.
  void clear_pending() noexcept;

  static constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;
  static constexpr std::size_t kMaxKnownBytes = std::size_t{32} << 20;

 private:
  struct TextHash {
    using is_transparent = void;  // look-ups take views
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  struct FunctionHash {
    std::size_t operator()(const Function& function) const noexcept;
  };
  struct Frame {
    std::uint32_t function = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    bool operator==(const Frame&) const = default;
  };
  struct FrameHash {
    std::size_t operator()(const Frame& frame) const noexcept;
  };
  struct PairHash {
    std::size_t operator()(std::uint64_t key) const noexcept;
  };
  template <typename Map>
  struct Table {
    Map known;
    std::uint32_t last_id = 0;
  };
  template <typename Map, typename Column>
  std::uint32_t next_id(Table<Map>& table, std::uint32_t& first, const Column& column);
  void forget_known() noexcept;

  Table<std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>> strings_;
  Table<std::unordered_map<Function, std::uint32_t, FunctionHash>> functions_;
  Table<std::unordered_map<Frame, std::uint32_t, FrameHash>> frames_;
  Table<std::unordered_map<std::uint64_t, std::uint32_t, PairHash>> stacks_;  // keys are two ids side by side
  std::size_t known_bytes_ = 0;                                               // about
  Definitions pending_;
  std::size_t pending_bytes_ = 0;
};

}  // namespace gauge::gpf
