// Copies recordings, and makes whole files of what killed recorders and bad disks leave.
#pragma once

#include <string>
#include <string_view>

#include "formats/base/sink.h"
#include "formats/gpf/reader.h"

namespace gauge::gpf {

/// The reason in the end record that repair() gives to a recording that was cut.
inline constexpr std::string_view kRepairedReason = "cut, repaired";

/// Copies what can be read of a recording: its good blocks as they stand, and the open one kept beside it. What was
/// lost stays lost: a hole in the recording is one in the copy, too. A copy's copy is equal to it.
/// @return  what was read, and so is in the copy
/// @throws Error(io)
ReadReport copy(const Recording& recording, Sink& sink);

/// The same, with an end record where it has none.
/// @return  what was read, and so is in the copy
/// @throws Error(io)
ReadReport repair(const Recording& recording, Sink& sink);

/// Moves the open block that a killed recorder left beside its recording to the end of it, in place of what the end of
/// the file cuts off, or before the end record, where a full disk had room for no more than that; removes a file that
/// has none any more. Does nothing while somebody still records.
/// @return  whether it was moved
/// @throws Error(io)  the recording cannot be written; nothing that could be read is lost
bool take_in_open_block(const std::string& path);

}  // namespace gauge::gpf
