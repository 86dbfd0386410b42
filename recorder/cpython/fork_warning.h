// Keeps CPython's warning about forks of multi-threaded processes from being about our threads.
//
// Since 3.12 os.fork() counts the threads the kernel knows and warns when there is more than one: "... is
// multi-threaded, use of fork() may lead to deadlocks in the child". With the recorder's two threads, which hold no
// lock that a child could miss, every forking program would be warned. So, while a recording runs, a filter is in
// place for exactly the time of the fork. It is asked as CPython warns, and drops exactly this warning where the
// program has one thread of its own; one that has more is warned as ever.
#pragma once

#include <functional>

namespace gauge::cpython {

/// Registers the fork hooks; nothing to do before 3.12. Call once, with the GIL held.
/// @param own_threads  how many threads of the process are the recorder's, at any moment; runs with the GIL held
/// Sets a Python exception and returns false where Python refuses.
bool filter_fork_warning(std::function<int()> own_threads);

}  // namespace gauge::cpython
