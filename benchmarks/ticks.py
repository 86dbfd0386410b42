"""How many of the looks asked for are taken, with a core to spare.

Records targets/threads.py, which keeps all its threads to one core, so that the sampler has another one to itself, and
reads from the recording how many ticks came and how many were missed. Medians of the rounds, least to most.

    python benchmarks/ticks.py --gauge build/release/bin/gauge [--python PYTHON ...] [--seconds 8] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from measure import TARGETS, machine, recording_info, run, table

RATES = ("100hz", "1khz", "10khz")
THREADS = (1, 16)
DEPTH = 25
ON_ONE_CORE = """
import os, runpy, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def share_taken(gauge: str, python: str, rate: str, threads: int, seconds: float) -> float:
    program = [python, "-c", ON_ONE_CORE, str(TARGETS / "threads.py"), str(threads), str(DEPTH), str(seconds)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gpf"
        run([gauge, "record", "-r", rate, "-o", str(path), "--", *program])
        info = recording_info(gauge, path)
    asked, achieved = (float(str(info[key])) for key in ("rate_asked", "rate_achieved"))
    return achieved / asked


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
    rows = []
    for (python, rate, threads), found in shares.items():
        low, middle, high = (100 * value for value in (min(found), statistics.median(found), max(found)))
        rows.append([Path(python).name, rate, str(threads), f"{middle:.1f} % ({low:.1f} to {high:.1f})"])
    print(f"{machine()}; {DEPTH} frames, {options.seconds:.0f} s, {options.rounds} rounds\n")
    print(table(["interpreter", "rate", "threads", "ticks taken"], rows))


if __name__ == "__main__":
    main()
