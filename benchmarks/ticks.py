"""How many of the looks asked for are taken, with a core to spare.

Records targets/threads.py, which keeps all its threads to one core, so that the sampler has another one to itself, and
reads from the recording how many ticks came and how many were missed. Beside it stands what the machine allows: how
many of such deadlines a thread keeps that does nothing but wake up. Medians of the rounds, least to most.

    python benchmarks/ticks.py --gauge build/release/bin/gauge [--python PYTHON ...] [--seconds 8] [--rounds 3]
"""

from __future__ import annotations

import argparse
import ctypes
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import TARGETS, machine, recording_info, run, table

RATES = {"100hz": 100, "1khz": 1000, "10khz": 10_000}
THREADS = (1, 16)
DEPTH = 25
WAKING = "a thread that only wakes up"
PR_SET_TIMERSLACK = 29
STEPS_TO_GRID = 16  # as Gauge is drawn back to its grid
ON_ONE_CORE = """
import os, runpy, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def program(python: str, threads: int, seconds: float) -> list[str]:
    return [python, "-c", ON_ONE_CORE, str(TARGETS / "threads.py"), str(threads), str(DEPTH), str(seconds)]


def share_taken(gauge: str, python: str, rate: str, threads: int, seconds: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gpf"
        run([gauge, "record", "-r", rate, "-o", str(path), "--", *program(python, threads, seconds)])
        info = recording_info(gauge, path)
    asked, achieved = (float(str(info[key])) for key in ("rate_asked", "rate_achieved"))
    return achieved / asked


def share_kept(rate: str, seconds: float) -> float:
    """By this thread, which draws its deadlines as Gauge does and skips those that went by."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    interval = 1 / RATES[rate]
    grid = deadline = time.monotonic()
    end = deadline + seconds
    kept = skipped = 0
    while deadline < end:
        time.sleep(max(0.0, deadline - time.monotonic()))
        kept += 1
        grid += interval
        deadline += interval * random.uniform(0.5, 1.5) - (deadline + interval - grid) / STEPS_TO_GRID
        late = int(max(0.0, time.monotonic() - deadline) / interval)
        skipped += late
        grid += late * interval
        deadline += late * interval
    return kept / (kept + skipped)


def share_kept_beside(python: str, rate: str, threads: int, seconds: float) -> float:
    with subprocess.Popen(program(python, threads, seconds + 2)) as process:
        time.sleep(1)  # until all its threads are at work
        share = share_kept(rate, seconds)
        process.kill()
    return share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    cases = [(python, rate, threads) for python in options.python for rate in RATES for threads in THREADS]
    shares: dict[tuple[str, str, int], list[float]] = {case: [] for case in cases}
    for _ in range(options.rounds):
        for case in cases:
            shares[case].append(share_taken(options.gauge, *case, options.seconds))
        for rate, threads in ((rate, threads) for rate in RATES for threads in THREADS):
            kept = share_kept_beside(options.python[0], rate, threads, options.seconds)
            shares.setdefault((WAKING, rate, threads), []).append(kept)
    rows = []
    for (python, rate, threads), found in shares.items():
        low, middle, high = (100 * value for value in (min(found), statistics.median(found), max(found)))
        rows.append([Path(python).name, rate, str(threads), f"{middle:.1f} % ({low:.1f} to {high:.1f})"])
    print(f"{machine()}; {DEPTH} frames, {options.seconds:.0f} s, {options.rounds} rounds\n")
    print(table(["sampled", "rate", "threads", "ticks taken"], rows))


if __name__ == "__main__":
    main()
