"""Gauge: a sampling profiler for CPython that does not slow the program down.

    import gauge

    with gauge.record("out.gpf", rate=100):
        work()

Then, in a shell: ``gauge report out.gpf``, ``gauge convert --to speedscope out.gpf``.
"""

from __future__ import annotations

from gauge._recording import Error, Recorder, RecordingExistsError, Stats, __version__, record

__all__ = ["Error", "Recorder", "RecordingExistsError", "Stats", "__version__", "record"]
