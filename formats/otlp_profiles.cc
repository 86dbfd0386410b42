// Writes OpenTelemetry's profiles signal: one ProfilesData message in protobuf.
//
// The signal is in development, and so is this: the fields are those of schemas/opentelemetry, at a pinned version.
// What it demands beyond the schema: entry 0 of each table of the dictionary is the empty message, no entry is there
// twice or unused, and a profile has one kind of weight. Samples are added up by stack and thread, as for pprof.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <protozero/pbf_builder.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/otlp_attributes.h"
#include "formats/profile/text.h"
#include "formats/profile/unique_names.h"
#include "formats/weight.h"
#include "formats/writers.h"

namespace gauge {
namespace {

using protozero::pbf_builder;
using std::chrono::nanoseconds;

// Field numbers of schemas/opentelemetry. The tests decode what is written by them with the official code.
namespace field {
using Tag = protozero::pbf_tag_type;
enum class ProfilesData : Tag { resource_profiles = 1, dictionary = 2 };
enum class Dictionary : Tag {
  mapping_table = 1,
  location_table = 2,
  function_table = 3,
  link_table = 4,
  string_table = 5,
  attribute_table = 6,
  stack_table = 7,
};
enum class ResourceProfiles : Tag { resource = 1, scope_profiles = 2 };
enum class Resource : Tag { attributes = 1 };
enum class ScopeProfiles : Tag { scope = 1, profiles = 2 };
enum class Scope : Tag { name = 1, version = 2, attributes = 3 };
enum class Profile : Tag {
  sample_type = 1,
  samples = 2,
  time_unix_nano = 3,
  duration_nano = 4,
  period_type = 5,
  period = 6,
};
enum class ValueType : Tag { type = 1, unit = 2 };
enum class Sample : Tag { stack = 1, attributes = 2, values = 4 };
enum class Stack : Tag { locations = 1 };
enum class Location : Tag { lines = 3, attributes = 4 };
enum class Line : Tag { function = 1, line = 2, column = 3 };
enum class Function : Tag { name = 1, system_name = 2, filename = 3, start_line = 4 };
enum class KeyValueAndUnit : Tag { key = 1, value = 2 };
enum class KeyValue : Tag { key = 1, value = 2 };
enum class AnyValue : Tag { string_value = 1, bool_value = 2, int_value = 3, array_value = 5 };
enum class ArrayValue : Tag { values = 1 };
}  // namespace field

// --- attributes ---

void write_value(pbf_builder<field::AnyValue>& value, std::string_view text) {
  value.add_string(field::AnyValue::string_value, text.data(), text.size());
}
void write_value(pbf_builder<field::AnyValue>& value, bool truth) {
  value.add_bool(field::AnyValue::bool_value, truth);
}
void write_value(pbf_builder<field::AnyValue>& value, std::int64_t number) {
  value.add_int64(field::AnyValue::int_value, number);
}
void write_value(pbf_builder<field::AnyValue>& value, const std::vector<std::string>& texts) {
  pbf_builder<field::ArrayValue> array{value, field::AnyValue::array_value};
  for (const std::string& text : texts) {
    pbf_builder<field::AnyValue> item{array, field::ArrayValue::values};
    write_value(item, std::string_view{text});
  }
}

/// Writes KeyValue messages into the field of one that is open.
template <typename Field>
class Attributes {
 public:
  Attributes(pbf_builder<Field>& message, Field where) : message_(message), where_(where) {}

  void add(std::string_view key, const char* text) { write(key, std::string_view{text}); }
  void add(std::string_view key, const std::string& text) { write(key, std::string_view{text}); }
  void add(std::string_view key, const std::vector<std::string>& texts) { write(key, texts); }
  void add(std::string_view key, bool truth) { write(key, truth); }
  void add(std::string_view key, std::uint64_t number) { write(key, static_cast<std::int64_t>(number)); }
  void add(std::string_view key, nanoseconds time) { write(key, std::int64_t{time.count()}); }

 private:
  template <typename T>
  void write(std::string_view key, const T& content) {
    pbf_builder<field::KeyValue> attribute{message_, where_};
    attribute.add_string(field::KeyValue::key, key.data(), key.size());
    pbf_builder<field::AnyValue> value{attribute, field::KeyValue::value};
    write_value(value, content);
  }

  pbf_builder<Field>& message_;
  Field where_;
};

// --- the dictionary ---

const std::string kNothing;  // the empty message, and the empty text: entry 0 of every table

/// Numbers in order of first use, from 1 on: 0 is "none" in every table.
template <typename Key>
class Table {
 public:
  std::int32_t number_of(const Key& key) {
    const auto [entry, is_new] = numbers_.try_emplace(key, static_cast<std::int32_t>(keys_.size() + 1));
    if (is_new) keys_.push_back(key);
    return entry->second;
  }
  [[nodiscard]] const std::vector<Key>& keys() const noexcept { return keys_; }

 private:
  std::map<Key, std::int32_t> numbers_;
  std::vector<Key> keys_;
};

/// An attribute of samples or locations.
struct SharedAttribute {
  std::string_view key;
  std::string text;         // or
  std::int64_t number = 0;  // where there is no text

  auto operator<=>(const SharedAttribute&) const = default;
};

class OtlpProfilesWriter {
 public:
  OtlpProfilesWriter(const Profile& profile, Weight shown_first)
      : profile_(profile), thread_labels_(thread_labels(profile)), entries_of_(profile.processes().size()) {
    for (const auto& entry : kWeights) weights_.push_back(entry);
    // Viewers are to show the first profile.
    std::ranges::stable_sort(weights_, {}, [&](const auto& entry) { return entry.first != shown_first; });
    for (const ThreadStack& entry : profile.thread_stacks()) {
      entries_of_[index_of(profile.thread(entry.thread).process)].push_back(&entry);
    }
  }

  std::string message() && {
    for (std::size_t i = 0; i < entries_of_.size(); ++i) write_process(ProcessId{static_cast<std::uint32_t>(i)});
    write_dictionary();
    return std::move(bytes_);
  }

 private:
  void write_process(ProcessId id);
  void write_scope(pbf_builder<field::ScopeProfiles>& profiles);
  void write_profile(pbf_builder<field::ScopeProfiles>& profiles, ProcessId id,
                     const std::pair<Weight, std::string_view>& weight);
  template <typename Field>
  void write_type(pbf_builder<Field>& message, Field where, Weight weight, std::string_view name);
  void write_sample(pbf_builder<field::Profile>& profile, const ThreadStack& entry, std::int64_t amount);
  [[nodiscard]] std::vector<std::int32_t> attributes_of(ThreadId thread);

  void write_dictionary();
  void write_stacks(pbf_builder<field::Dictionary>& dictionary);
  void write_locations(pbf_builder<field::Dictionary>& dictionary);
  void write_functions(pbf_builder<field::Dictionary>& dictionary);
  void write_attributes(pbf_builder<field::Dictionary>& dictionary);
  void write_strings(pbf_builder<field::Dictionary>& dictionary);

  /// 0 for the empty text, which is the table's entry 0.
  std::int32_t text_number(std::string_view text) { return text.empty() ? 0 : texts_.number_of(std::string{text}); }

  // Stand for a frame and its function where a sample has none.
  [[nodiscard]] FrameId no_frame() const { return FrameId{static_cast<std::uint32_t>(profile_.frames().size())}; }
  [[nodiscard]] FunctionId no_function() const {
    return FunctionId{static_cast<std::uint32_t>(profile_.functions().size())};
  }

  const Profile& profile_;
  std::vector<std::string> thread_labels_;                   // by ThreadId
  std::vector<std::vector<const ThreadStack*>> entries_of_;  // by ProcessId
  std::vector<std::pair<Weight, std::string_view>> weights_;
  Table<StackId> stacks_;
  Table<FrameId> locations_;
  Table<FunctionId> functions_;
  Table<SharedAttribute> attributes_;
  Table<std::string> texts_;
  std::string bytes_;
  pbf_builder<field::ProfilesData> message_{bytes_};
};

void OtlpProfilesWriter::write_process(ProcessId id) {
  pbf_builder<field::ResourceProfiles> resource_profiles{message_, field::ProfilesData::resource_profiles};
  {
    pbf_builder<field::Resource> resource{resource_profiles, field::ResourceProfiles::resource};
    Attributes attributes{resource, field::Resource::attributes};
    add_resource_attributes(profile_.process(id), attributes);
  }
  pbf_builder<field::ScopeProfiles> profiles{resource_profiles, field::ResourceProfiles::scope_profiles};
  write_scope(profiles);
  for (const auto& weight : weights_) write_profile(profiles, id, weight);
}

void OtlpProfilesWriter::write_scope(pbf_builder<field::ScopeProfiles>& profiles) {
  constexpr std::string_view kVersion = GAUGE_VERSION;
  pbf_builder<field::Scope> scope{profiles, field::ScopeProfiles::scope};
  scope.add_string(field::Scope::name, "gauge");
  scope.add_string(field::Scope::version, kVersion.data(), kVersion.size());
  Attributes attributes{scope, field::Scope::attributes};
  add_scope_attributes(profile_.health(), attributes);
}

/// All samples of a process by one weight, where they weigh anything by it.
void OtlpProfilesWriter::write_profile(pbf_builder<field::ScopeProfiles>& profiles, ProcessId id,
                                       const std::pair<Weight, std::string_view>& weight) {
  const Process& process = profile_.process(id);
  const auto amount_in = [&](const ThreadStack* entry) { return amount_of(entry->weights, weight.first); };
  const std::vector<const ThreadStack*>& entries = entries_of_[index_of(id)];
  if (std::ranges::none_of(entries, [&](const ThreadStack* entry) { return amount_in(entry) != 0; })) return;
  pbf_builder<field::Profile> profile{profiles, field::ScopeProfiles::profiles};
  write_type(profile, field::Profile::sample_type, weight.first, weight.second);
  for (const ThreadStack* entry : entries) {
    if (amount_in(entry) != 0) write_sample(profile, *entry, amount_in(entry));
  }
  const nanoseconds duration = std::max(process.last_sample_time - process.start_time, nanoseconds::zero());
  const nanoseconds start = std::max(process.start_unix_time, nanoseconds::zero());
  profile.add_fixed64(field::Profile::time_unix_nano, static_cast<std::uint64_t>(start.count()));
  profile.add_uint64(field::Profile::duration_nano, static_cast<std::uint64_t>(duration.count()));
  write_type(profile, field::Profile::period_type, Weight::wall, "wall");
  profile.add_int64(field::Profile::period, process.interval.count());
}

template <typename Field>
void OtlpProfilesWriter::write_type(pbf_builder<Field>& message, Field where, Weight weight, std::string_view name) {
  pbf_builder<field::ValueType> type{message, where};
  type.add_int32(field::ValueType::type, text_number(name));
  type.add_int32(field::ValueType::unit, text_number(weight == Weight::samples ? "count" : "nanoseconds"));
}

void OtlpProfilesWriter::write_sample(pbf_builder<field::Profile>& profile, const ThreadStack& entry,
                                      std::int64_t amount) {
  pbf_builder<field::Sample> sample{profile, field::Profile::samples};
  sample.add_int32(field::Sample::stack, stacks_.number_of(entry.stack));
  const std::vector<std::int32_t> attributes = attributes_of(entry.thread);
  sample.add_packed_int32(field::Sample::attributes, attributes.begin(), attributes.end());
  sample.add_packed_int64(field::Sample::values, &amount, &amount + 1);
}

std::vector<std::int32_t> OtlpProfilesWriter::attributes_of(ThreadId thread) {
  std::vector<std::int32_t> numbers;
  // Unique by itself, so that samples of two threads stay two where a number has been given twice.
  numbers.push_back(attributes_.number_of({.key = "thread.name", .text = thread_labels_[index_of(thread)]}));
  const auto native_id = static_cast<std::int64_t>(profile_.thread(thread).native_id);
  if (native_id != 0) numbers.push_back(attributes_.number_of({.key = "thread.id", .text = {}, .number = native_id}));
  return numbers;
}

/// Each table may add to those after it: the texts come last.
void OtlpProfilesWriter::write_dictionary() {
  pbf_builder<field::Dictionary> dictionary{message_, field::ProfilesData::dictionary};
  dictionary.add_message(field::Dictionary::mapping_table, kNothing);
  dictionary.add_message(field::Dictionary::link_table, kNothing);
  write_stacks(dictionary);
  write_locations(dictionary);
  write_functions(dictionary);
  write_attributes(dictionary);
  write_strings(dictionary);
}

void OtlpProfilesWriter::write_stacks(pbf_builder<field::Dictionary>& dictionary) {
  dictionary.add_message(field::Dictionary::stack_table, kNothing);
  for (StackId id : stacks_.keys()) {
    std::vector<std::int32_t> path;  // innermost first
    if (id == kEmptyStack) path.push_back(locations_.number_of(no_frame()));
    for (; id != kEmptyStack; id = profile_.stack(id).parent) {
      path.push_back(locations_.number_of(profile_.stack(id).frame));
    }
    pbf_builder<field::Stack> stack{dictionary, field::Dictionary::stack_table};
    stack.add_packed_int32(field::Stack::locations, path.begin(), path.end());
  }
}

void OtlpProfilesWriter::write_locations(pbf_builder<field::Dictionary>& dictionary) {
  dictionary.add_message(field::Dictionary::location_table, kNothing);
  for (const FrameId id : locations_.keys()) {
    pbf_builder<field::Location> location{dictionary, field::Dictionary::location_table};
    const Frame frame = id == no_frame() ? Frame{.function = no_function()} : profile_.frame(id);
    {
      pbf_builder<field::Line> line{location, field::Location::lines};
      line.add_int32(field::Line::function, functions_.number_of(frame.function));
      if (frame.line != 0) line.add_int64(field::Line::line, frame.line);
      if (frame.column != 0) line.add_int64(field::Line::column, frame.column);
    }
    if (id == no_frame()) continue;
    const std::int32_t type = attributes_.number_of({.key = "profile.frame.type", .text = "cpython"});
    location.add_packed_int32(field::Location::attributes, &type, &type + 1);
  }
}

void OtlpProfilesWriter::write_functions(pbf_builder<field::Dictionary>& dictionary) {
  dictionary.add_message(field::Dictionary::function_table, kNothing);
  for (const FunctionId id : functions_.keys()) {
    pbf_builder<field::Function> function{dictionary, field::Dictionary::function_table};
    if (id == no_function()) {
      function.add_int32(field::Function::name, text_number(kNoFrames));
      continue;
    }
    const Function& facts = profile_.function(id);
    function.add_int32(field::Function::name, text_number(facts.unique_name));
    function.add_int32(field::Function::filename, text_number(one_line(facts.file)));
    function.add_int64(field::Function::start_line, facts.first_line);
  }
}

void OtlpProfilesWriter::write_attributes(pbf_builder<field::Dictionary>& dictionary) {
  dictionary.add_message(field::Dictionary::attribute_table, kNothing);
  for (const SharedAttribute& entry : attributes_.keys()) {
    pbf_builder<field::KeyValueAndUnit> attribute{dictionary, field::Dictionary::attribute_table};
    attribute.add_int32(field::KeyValueAndUnit::key, text_number(entry.key));
    pbf_builder<field::AnyValue> value{attribute, field::KeyValueAndUnit::value};
    if (entry.text.empty()) {
      write_value(value, entry.number);
    } else {
      write_value(value, std::string_view{entry.text});
    }
  }
}

void OtlpProfilesWriter::write_strings(pbf_builder<field::Dictionary>& dictionary) {
  dictionary.add_string(field::Dictionary::string_table, kNothing);
  for (const std::string& text : texts_.keys()) {
    dictionary.add_string(field::Dictionary::string_table, text.data(), text.size());
  }
}

}  // namespace

void write_otlp_profiles(const Profile& profile, const WriteOptions& options, Sink& sink) {
  sink.write(OtlpProfilesWriter{profile, options.weight.value_or(Weight::samples)}.message());
}

}  // namespace gauge
