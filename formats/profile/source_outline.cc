#include "formats/profile/source_outline.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "formats/profile/source_scopes.h"
#include "formats/profile/source_text.h"

namespace gauge {
namespace {

constexpr std::uint32_t kModule = 0;             // path of what the names of a module's own functions continue: nothing
constexpr std::uint32_t kUnknown = 0xFFFFFFFF;   // path where the name cannot be told
constexpr std::uint32_t kLongestName = 1 << 12;  // no program has longer ones; bounds what nested lambdas can ask for

constexpr std::string_view kLocals = ".<locals>";

}  // namespace

/// Gives scopes their paths. A parent comes before its children, so one pass does it.
class SourceOutline::Builder {
 public:
  explicit Builder(SourceOutline& outline) : outline_(&outline) {
    outline_->paths_.push_back({});
    outline_->names_.emplace_back();
  }

  void add(const std::vector<SourceScope>& scopes) {
    std::vector<std::uint32_t> paths(scopes.size(), kModule);
    for (std::size_t i = 1; i < scopes.size(); ++i) {
      const SourceScope& scope = scopes[i];
      paths[i] = paths[scope.parent];
      if (scope.kind == ScopeKind::brackets) continue;
      const std::uint32_t name = name_id(scope.name);
      paths[i] = path_id(scope.is_global ? kModule : paths[i], name, scope);
      outline_->places_.push_back({scope.first_line, name, paths[i]});
      const bool has_other_line = scope.other_line != 0 && scope.other_line != scope.first_line;
      if (has_other_line) outline_->places_.push_back({scope.other_line, name, paths[i]});
    }
    sort_places();
  }

 private:
  std::uint32_t name_id(std::string_view name) {
    const auto [entry, is_new] = ids_by_name_.try_emplace(name, static_cast<std::uint32_t>(outline_->names_.size()));
    if (is_new) outline_->names_.emplace_back(name);
    return entry->second;
  }

  std::uint32_t path_id(std::uint32_t parent, std::uint32_t name, const SourceScope& scope) {
    if (parent == kUnknown || !is_kept_as_written(scope.name)) return kUnknown;
    const bool is_function = scope.kind == ScopeKind::function || scope.kind == ScopeKind::lambda;
    const Path& around = outline_->paths_[parent];
    const std::size_t size = around.size + (around.is_function ? kLocals.size() : 0) + 1 + scope.name.size();
    if (size > kLongestName) return kUnknown;
    const auto fresh = static_cast<std::uint32_t>(outline_->paths_.size());
    const auto [entry, is_new] = ids_by_path_.try_emplace({parent, name, is_function}, fresh);
    if (is_new) outline_->paths_.push_back({parent, name, static_cast<std::uint32_t>(size), is_function});
    return entry->second;
  }

  void sort_places() {
    std::vector<Place>& places = outline_->places_;
    const auto key = [&](const Place& place) {
      return std::make_tuple(place.line, std::string_view{outline_->names_[place.name]});
    };
    std::ranges::sort(places, {}, key);
    std::size_t kept = 0;
    for (const Place& place : places) {
      Place* const last = kept == 0 ? nullptr : &places[kept - 1];
      if (last == nullptr || key(*last) != key(place)) {
        places[kept++] = place;
      } else if (last->path != place.path) {
        last->path = kUnknown;
      }
    }
    places.resize(kept);
  }

  SourceOutline* outline_;
  std::unordered_map<std::string_view, std::uint32_t> ids_by_name_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, bool>, std::uint32_t> ids_by_path_;
};

SourceOutline::SourceOutline(std::string_view source) {
  const auto text = plain_source(source);
  if (!text) return;
  const auto scopes = find_scopes(*text);
  if (scopes) Builder{*this}.add(*scopes);
}

std::optional<std::string> SourceOutline::qualified_name(std::string_view name, std::uint32_t first_line) const {
  const auto key = [&](const Place& place) {
    return std::make_tuple(place.line, std::string_view{names_[place.name]});
  };
  const auto wanted = std::make_tuple(first_line, name);
  const auto place = std::ranges::lower_bound(places_, wanted, {}, key);
  if (place == places_.end() || key(*place) != wanted || place->path == kUnknown) return std::nullopt;
  return text_of(place->path);
}

std::string SourceOutline::text_of(std::uint32_t path) const {
  std::vector<std::uint32_t> parts;  // innermost first
  for (; path != kModule; path = paths_[path].parent) parts.push_back(path);
  std::string text;
  while (!parts.empty()) {
    const Path& part = paths_[parts.back()];
    parts.pop_back();
    if (!text.empty()) text += '.';
    text += names_[part.name];
    if (part.is_function && !parts.empty()) text += kLocals;
  }
  return text;
}

}  // namespace gauge
