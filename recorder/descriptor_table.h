// A descriptor table for the recorder's threads alone.
//
// The kernel gives every thread of a process the same table of open files, unless it asks for its own. With its own one
// the recorder cannot be hurt by a program that closes or reuses every number (daemons do), and the program never sees
// a descriptor that it did not open.
#pragma once

namespace gauge {

enum class DescriptorTable {
  own,  // of the calling thread, and of the threads it creates from now on
  // With the program: this kernel or sandbox gives no other one. The program may close any number of ours and open a
  // file of its own there, which must be neither written nor closed.
  shared,
};

/// Gives the calling thread its own, empty table, with /dev/null on 0, 1 and 2, which no file of ours may become:
/// a library that writes to "stderr" would write into it.
[[nodiscard]] DescriptorTable separate_descriptor_table() noexcept;

}  // namespace gauge
