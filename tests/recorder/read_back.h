// A recording in the words of a test: stacks as "main:11;work:22", with columns where they are known as
// "main:11:5;work:22:9", threads by name.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "formats/gpf/reader.h"
#include "formats/gpf/records.h"

namespace gauge {

class ReadBack {
 public:
  explicit ReadBack(const gpf::Recording& recording) : metadata_(recording.metadata()) {
    report_ = recording.for_each_block([this](const gpf::Block& block) { add(block); });
  }
  static ReadBack of_file(const std::string& path) { return ReadBack{gpf::Recording::open(path)}; }

  [[nodiscard]] const gpf::Metadata& metadata() const { return metadata_; }
  [[nodiscard]] const gpf::ReadReport& report() const { return report_; }
  [[nodiscard]] const std::vector<std::string>& stacks() const { return stacks_; }
  [[nodiscard]] const std::vector<std::string>& thread_names() const { return thread_names_; }
  [[nodiscard]] const std::vector<std::uint32_t>& statuses() const { return statuses_; }
  [[nodiscard]] std::size_t sample_count() const { return stacks_.size(); }
  [[nodiscard]] const gpf::Losses& losses() const { return losses_; }
  [[nodiscard]] const std::vector<gpf::ClockAnchor>& anchors() const { return anchors_; }
  [[nodiscard]] const std::string& end_reason() const { return end_reason_; }

 private:
  void add(const gpf::Block& block) {
    if (block.definitions) add(*block.definitions);
    if (block.samples) add(*block.samples);
    if (block.losses) losses_ = *block.losses;
    anchors_.insert(anchors_.end(), block.clock.begin(), block.clock.end());
    if (block.end) end_reason_ = block.end->reason;
  }

  void add(const gpf::Definitions& definitions) {
    strings_.insert(strings_.end(), definitions.strings.begin(), definitions.strings.end());
    functions_.insert(functions_.end(), definitions.functions.begin(), definitions.functions.end());
    for (std::size_t i = 0; i < definitions.frame_function.size(); ++i) {
      std::string frame = strings_.at(functions_.at(definitions.frame_function[i]).name);
      frame += ":" + std::to_string(definitions.frame_line.at(i));
      const std::uint32_t column = definitions.frame_column.empty() ? 0 : definitions.frame_column[i];
      if (column != 0) frame += ":" + std::to_string(column);
      frames_.push_back(std::move(frame));
    }
    for (std::size_t i = 0; i < definitions.stack_frame.size(); ++i) {
      const std::string& parent = nodes_.at(nodes_.size() - definitions.stack_parent_back[i]);
      nodes_.push_back((parent.empty() ? "" : parent + ";") + frames_.at(definitions.stack_frame[i]));
    }
    for (const gpf::Thread& thread : definitions.threads) threads_[thread.id] = strings_.at(thread.name);
  }

  void add(const gpf::Samples& samples) {
    std::map<std::uint32_t, std::int64_t> last;
    for (std::size_t i = 0; i < samples.time_delta.size(); ++i) {
      const std::uint32_t thread = samples.thread.at(i);
      last[thread] += samples.stack_delta.empty() ? 0 : samples.stack_delta[i];
      stacks_.push_back(nodes_.at(static_cast<std::size_t>(last[thread])));
      thread_names_.push_back(threads_[thread]);
      statuses_.push_back(samples.status.empty() ? 0 : samples.status[i]);
    }
  }

  gpf::Metadata metadata_;
  gpf::ReadReport report_;
  std::vector<std::string> strings_{""};
  std::vector<gpf::Function> functions_{{}};
  std::vector<std::string> frames_{""};
  std::vector<std::string> nodes_{""};
  std::map<std::uint32_t, std::string> threads_;
  std::vector<std::string> stacks_;
  std::vector<std::string> thread_names_;
  std::vector<std::uint32_t> statuses_;
  std::vector<gpf::ClockAnchor> anchors_;
  gpf::Losses losses_;
  std::string end_reason_;
};

}  // namespace gauge
