#include "formats/stack_identity.h"

#include "formats/profile/id_map.h"

namespace gauge {
namespace {

template <typename Id>
std::uint32_t number_of(Id id) {
  return static_cast<std::uint32_t>(id);
}

}  // namespace

std::vector<std::uint32_t> frame_identities(const Profile& profile, WriteOptions::Frames frames) {
  std::vector<std::uint32_t> identity;
  identity.reserve(profile.frames().size());
  if (frames == WriteOptions::Frames::line) {
    for (const FrameId first : first_frames_of_lines(profile)) identity.push_back(number_of(first));
  } else {
    for (const Frame& frame : profile.frames()) identity.push_back(number_of(frame.function));
  }
  return identity;
}

std::vector<StackId> first_alike(const Profile& profile, std::span<const std::uint32_t> identity) {
  std::vector<StackId> alike(profile.stacks().size(), kEmptyStack);
  const auto caller_and_frame = [&](std::uint32_t stack) {
    const StackNode& node = profile.stacks()[stack];
    return IdPair{number_of(alike[index_of(node.parent)]), identity[index_of(node.frame)]};
  };
  IdMap first_of;
  for (std::uint32_t i = 1; i < alike.size(); ++i) {
    alike[i] = StackId{first_of.find_or_add(caller_and_frame(i), i, caller_and_frame)};
  }
  return alike;
}

std::vector<bool> used_stacks(const Profile& profile) {
  std::vector<bool> is_used(profile.stacks().size());
  is_used[index_of(kEmptyStack)] = true;
  for (const ThreadStack& entry : profile.thread_stacks()) is_used[index_of(entry.stack)] = true;
  for (std::size_t i = is_used.size(); i-- > 1;) {
    if (is_used[i]) is_used[index_of(profile.stacks()[i].parent)] = true;
  }
  return is_used;
}

}  // namespace gauge
