// An id, or none, as wide as the id alone.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

namespace gauge {

/// What std::optional<Id> is, in half the memory: tables of a million ids are read at random, once for each sample. And
/// it is copied whole, where an optional is written in two pieces and read again in one, for which a processor waits.
///
/// @tparam Id  an enumeration of 32 bits, whose value 0xFFFFFFFF stands for nothing: no table is that long
template <typename Id>
class MaybeId {
  static_assert(std::is_same_v<std::underlying_type_t<Id>, std::uint32_t>);

 public:
  constexpr MaybeId() = default;
  constexpr MaybeId(std::nullopt_t /*none*/) {}  // NOLINT(google-explicit-constructor): as of std::optional
  constexpr MaybeId(Id id) : id_(id) {}          // NOLINT(google-explicit-constructor): as of std::optional

  [[nodiscard]] constexpr bool has_value() const noexcept { return id_ != kNone; }
  constexpr explicit operator bool() const noexcept { return has_value(); }
  /// The id, which there must be.
  [[nodiscard]] constexpr Id operator*() const noexcept { return id_; }
  constexpr bool operator==(const MaybeId&) const noexcept = default;

 private:
  static constexpr Id kNone{0xFFFFFFFF};

  Id id_ = kNone;
};

}  // namespace gauge
