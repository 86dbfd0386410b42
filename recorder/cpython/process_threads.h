// The threads of this process, as the kernel counts them: those that Python knows nothing of, too.
#pragma once

namespace gauge::cpython {

/// How many there are; a main thread that has ended before the others counts. 0 = cannot be told. Opens no descriptor.
[[nodiscard]] int thread_count() noexcept;

/// Whether all threads have ended but `own`, at least one: without those, the process would have ended with the last.
[[nodiscard]] bool others_have_ended(int own) noexcept;

}  // namespace gauge::cpython
