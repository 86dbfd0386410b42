"""Recording from inside the program: a thin face on the extension module."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar, cast

try:
    from gauge import _recorder
except ImportError as problem:
    if str(problem).startswith("gauge: "):
        raise
    raise ImportError(
        f"gauge: {sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]} cannot be recorded ({problem}); "
        "reinstall gauge with this interpreter, or run the program with another one",
        name="gauge._recorder",
    ) from problem

__version__ = _recorder.__version__
Error = _recorder.Error
RecordingExistsError = _recorder.RecordingExistsError
Stats = _recorder.Stats

_Function = TypeVar("_Function", bound=Callable[..., Any])
_DEFAULT_RATE = 100.0
_NANOSECONDS = 1_000_000_000

# atexit runs its functions last one first: registered at import, ours comes after most of the program's.
atexit.register(_recorder.stop_at_exit)


class Recorder:
    """Record all threads of this process into a file; one recording at a time in a process.

    path: the file, which must not exist unless ``replace``; start() fills in ``%p`` pid, ``%t`` UTC time, ``%h`` host,
    ``%n`` number of the recording, ``%{NAME}`` environment, ``%%`` percent sign.
    rate: samples per second, 100 if neither it nor ``interval`` is given; interval: seconds between samples; either way
    10 microseconds to an hour. duration: seconds after which the recording ends by itself; None = when stopped.
    max_overhead: share of one core, 0.01 = 1 %, above which samples are taken less often; None = whatever it takes.
    rotate: when to go on in another file: after a time, "1h", with a size, "256MB", or both, "1h,256MB". Each file can
    be read alone, and all together as one. out.gpf is then out-0001.gpf, out-0002.gpf, ...; or ``%r`` is the number.
    Raises ValueError for numbers out of range.

    After os.fork() the parent is recorded on; in the child nothing is, until start() is called there.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        rate: float | None = None,
        interval: float | None = None,
        duration: float | None = None,
        max_overhead: float | None = None,
        replace: bool = False,
        rotate: str | None = None,
    ) -> None:
        rotate_ns, rotate_bytes = rotation_of(rotate, "rotate")
        self._recorder = _recorder.Recorder(
            path,
            interval_ns=_interval_ns(rate, interval),
            duration_ns=_duration_ns(duration),
            max_overhead=_share(max_overhead),
            replace=replace,
            rotate_ns=rotate_ns,
            rotate_bytes=rotate_bytes,
        )

    def start(self) -> None:
        """Begin a recording in a new file. Raises gauge.Error if it cannot be, for example while another one runs."""
        self._recorder.start()

    def pause(self) -> None:
        """Take no samples until resume(). The gap stays a gap in every format."""
        self._recorder.pause()

    def resume(self) -> None:
        """Go on after pause()."""
        self._recorder.resume()

    def flush(self, *, to_disk: bool = False) -> None:
        """Return once all that was sampled so far is in the file, in whole blocks; with ``to_disk``, on the disk.

        The file beside it has all but the last 15 ms or so at any moment: this is for those who copy the file alone.
        Raises gauge.Error if the recording had ended before, on a full disk. Harmless while nothing is recorded.
        """
        self._recorder.flush(to_disk)

    def stop(self) -> None:
        """End the recording and wait until it is on disk. Raises gauge.Error if it had ended before, on a full disk."""
        self._recorder.stop()

    @property
    def path(self) -> str:
        """The file being written, or written last, of a rotated recording its last part; before that the pattern."""
        return self._recorder.path

    @property
    def stats(self) -> Stats:
        """What was sampled and what was missed; of a running recording about a second old."""
        return self._recorder.stats

    def __enter__(self) -> Recorder:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<gauge.Recorder {self.path!r}>"


class record:  # noqa: N801 - reads as a verb: `with gauge.record(...)`, `@gauge.record(...)`
    """Record a block, or every call of a function. Parameters as of Recorder.

    As a decorator it makes one recording per call; a call from within the function, or at the same time from another
    thread, belongs to the recording that is running. With more than one call, have ``%n`` in the path, or ``replace``.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        rate: float | None = None,
        interval: float | None = None,
        duration: float | None = None,
        max_overhead: float | None = None,
        replace: bool = False,
        rotate: str | None = None,
    ) -> None:
        self._recorder = Recorder(
            path,
            rate=rate,
            interval=interval,
            duration=duration,
            max_overhead=max_overhead,
            replace=replace,
            rotate=rotate,
        )
        self._lock = threading.Lock()
        self._calls = 0

    def __enter__(self) -> Recorder:
        with self._lock:
            if self._calls == 0:
                self._recorder.start()
            self._calls += 1
        return self._recorder

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._calls -= 1
            if self._calls == 0:
                self._recorder.stop()

    def __call__(self, function: _Function) -> _Function:
        import inspect  # takes longer to import than all the rest: only for those who need it

        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{function.__qualname__}: is a generator; use `with gauge.record(...)` where it is consumed"
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def recorded_coroutine(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return cast(_Function, recorded_coroutine)

        @functools.wraps(function)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return cast(_Function, recorded)


def _interval_ns(rate: float | None, interval: float | None) -> int:
    if rate is not None and interval is not None:
        raise ValueError("rate, interval: both are given; choose one")
    if interval is None:
        rate = _DEFAULT_RATE if rate is None else rate
        if not 0 < rate < float("inf"):
            raise ValueError(f"rate: {rate} samples per second is no rate; choose 1/3600 to 100000")
        interval = 1 / rate
    if not 10e-6 <= interval <= 3600:
        raise ValueError(f"interval: {interval:g} s is out of range; choose 0.00001 (100 kHz) to 3600")
    return round(interval * _NANOSECONDS)


def _share(max_overhead: float | None) -> float:
    if max_overhead is None:
        return 0.0
    if not 0 < max_overhead <= 1:
        raise ValueError(f"max_overhead: {max_overhead} is no share of a core; choose more than 0, up to 1, or None")
    return max_overhead


def _duration_ns(duration: float | None) -> int:
    if duration is None:
        return 0
    if not 0 < duration < 1e9:
        raise ValueError(f"duration: {duration} s is out of range; choose a positive time, or None")
    return max(1, round(duration * _NANOSECONDS))


_TIME_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "sec": 10**9, "m": 60 * 10**9}
_TIME_UNITS.update({"min": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9})
_PART_TIMES_NS = (10**9, 10 * 365 * 86400 * 10**9)
_PART_SIZES = (2**16, 10**15)
_SIZE_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def rotation_of(text: str | None, subject: str) -> tuple[int, int]:
    """Time in nanoseconds and size in bytes of "1h,256MB"; 0 = not said. As `gauge record` reads it.

    Raises ValueError.
    """
    time_ns = size = 0
    for word in [] if text is None else [part.strip() for part in text.split(",")]:
        number, unit = _quantity(word)
        if unit == "M":
            raise ValueError(f"{subject}: {word!r} may be minutes or megabytes; write min or MB")
        if unit.lower() in _TIME_UNITS:
            if time_ns:
                raise ValueError(f"{subject}: {word!r} is a second time; give one time, one size, or one of each")
            time_ns = round(number * _TIME_UNITS[unit.lower()])
            if not _PART_TIMES_NS[0] <= time_ns <= _PART_TIMES_NS[1]:
                raise ValueError(f"{subject}: {word!r} is out of range for a part; write 1s to ten years, as 1h")
        elif unit.lower() in _SIZE_UNITS:
            if size:
                raise ValueError(f"{subject}: {word!r} is a second size; give one time, one size, or one of each")
            size = round(number * _SIZE_UNITS[unit.lower()])
            if not _PART_SIZES[0] <= size <= _PART_SIZES[1]:
                raise ValueError(f"{subject}: {word!r} is out of range for a part; write 64KiB or more, as 256MB")
        else:
            advice = "write when a part ends, as 1h, 256MB or 1h,256MB"
            raise ValueError(f"{subject}: {word!r} is neither a time nor a size; {advice}")
    return time_ns, size


def _quantity(word: str) -> tuple[float, str]:
    """The number and its unit; a unit that no limit has where it is none."""
    digits = len(word) - len(word.lstrip("-.0123456789"))
    try:
        return float(word[:digits]), word[digits:].strip()
    except ValueError:
        return 0.0, ""
