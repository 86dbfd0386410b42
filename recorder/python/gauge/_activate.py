"""Record this process because GAUGE_RECORD says so. Imported at start-up by gauge-record.pth, and only then.

GAUGE_RECORD is the file, with places as of gauge.Recorder; GAUGE_RATE the samples per second, written as for
`gauge record`: 100, 100hz, 10khz; GAUGE_MAX_OVERHEAD, if set, a share of one core: 1%, 0.5%; GAUGE_ROTATE, if set, when
to go on in another file: 1h, 256MB. Nothing that goes wrong here may change the program: it is told on stderr, once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gauge import Recorder


kept: list[Recorder] = []  # a recorder that nobody holds stops


def activate() -> None:
    """Start recording, and go on in forked children if each of them gets its own file."""
    path = os.environ["GAUGE_RECORD"]
    try:
        import gauge
        from gauge._recording import rotation_of

        rotate = os.environ.get("GAUGE_ROTATE") or None
        rotation_of(rotate, "GAUGE_ROTATE")
        recorder = gauge.Recorder(
            absolute(path),
            rate=rate_of(os.environ.get("GAUGE_RATE", "100")),
            max_overhead=share_of(os.environ.get("GAUGE_MAX_OVERHEAD")),
            rotate=rotate,
        )
    except Exception as problem:
        warn(problem)
        return
    kept.append(recorder)
    start(recorder)
    if "%p" in path:
        os.register_at_fork(after_in_child=lambda: start(recorder))


def absolute(path: str) -> str:
    """The path as it is meant at start-up, wherever a forked child has gone since: daemons change to /."""
    start = os.environ.get(path[2 : path.find("}")], "") if path.startswith("%{") else path
    if start.startswith("/"):
        return path
    return os.path.join(os.getcwd().replace("%", "%%"), path)


def rate_of(text: str) -> float:
    """Samples per second. Raises ValueError."""
    number = text.strip().lower()
    factor = 1.0
    for unit, samples_per_second in (("khz", 1000.0), ("hz", 1.0)):
        if number.endswith(unit):
            number, factor = number[: -len(unit)], samples_per_second
            break
    try:
        return float(number) * factor
    except ValueError:
        advice = "write samples per second, as 100, 100hz or 10khz"
        raise ValueError(f"GAUGE_RATE: {text!r} is not a rate; {advice}") from None


def share_of(text: str | None) -> float | None:
    """Share of one core; None = any. Raises ValueError."""
    if not text:
        return None
    number, sign, rest = text.partition("%")
    try:
        if not sign or rest.strip():
            raise ValueError
        return float(number) / 100
    except ValueError:
        raise ValueError(f"GAUGE_MAX_OVERHEAD: {text!r} is no share of a core; write it as 1% or 0.5%") from None


def start(recorder: Recorder) -> None:
    """Start, or say why not."""
    try:
        recorder.start()
    except Exception as problem:
        warn(problem)


def warn(problem: Exception) -> None:
    """One line; the program runs on."""
    text = str(problem)
    print(text if text.startswith("gauge: ") else f"gauge: {text}", file=sys.stderr)


activate()
