#include "recorder/remembered_sights.h"

#include <string_view>

namespace gauge {

CodeText::CodeText(const CodeSight& code) : first_line_(code.first_line), kind_(code.kind) {
  texts_.reserve(code.name.size() + code.qualified_name.size() + code.module.size() + code.file.size());
  std::size_t index = 0;
  for (const std::string_view text : {code.name, code.qualified_name, code.module}) {
    texts_ += text;
    ends_.at(index++) = static_cast<std::uint32_t>(texts_.size());
  }
  texts_ += code.file;
}

gpf::FunctionText CodeText::view() const noexcept {
  const std::string_view all{texts_};
  return {.name = all.substr(0, ends_[0]),
          .qualified_name = all.substr(ends_[0], ends_[1] - ends_[0]),
          .module = all.substr(ends_[1], ends_[2] - ends_[1]),
          .file = all.substr(ends_[2]),
          .first_line = first_line_,
          .kind = kind_};
}

}  // namespace gauge
