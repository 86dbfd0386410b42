"""How much slower programs run while they are sampled, without start-up and without the noise between processes.

One process does the same piece of work again and again, and the recorder is paused for every other piece
(targets/alternating.py). Each quadruple of pieces gives one ratio of sampled to paused; with hundreds of them the
median is known far better than from runs of whole processes (slowdown.py), on a machine that drifts. `paused/paused`
is the same without any sampling: what is inside its range is noise. There are five kinds of work
(targets/fixed_work.py), one of them of many threads that get memory and give it back all the time.

    python benchmarks/interference.py --modules build/release/stage/python [--python PYTHON] [--quadruples 200]
        [--kinds mixed calls c_code tasks page_faults]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import TARGETS, machine, run, table

KINDS = ("mixed", "calls", "c_code", "tasks", "page_faults")
RATES = (0.0, 100.0, 1_000.0, 10_000.0)
TURNS = 10  # into which the quadruples of a rate are cut, so that all rates see the same weather


def median_and_error(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, and the ends of its 95 % confidence interval by order statistics (binomial, normal approximation)."""
    ordered = sorted(values)
    half = 0.98 * math.sqrt(len(ordered))
    low = max(0, math.floor(len(ordered) / 2 - half))
    high = min(len(ordered) - 1, math.ceil(len(ordered) / 2 + half) - 1)
    return statistics.median(ordered), ordered[low], ordered[high]


def measured(options: argparse.Namespace, kind: str, rate: float) -> list[list[float]]:
    """One turn of quadruples: see targets/alternating.py."""
    modules = {**os.environ, "PYTHONPATH": str(options.modules)}
    with tempfile.TemporaryDirectory() as folder:
        of_work = [str(options.quadruples // TURNS), kind, str(options.rounds)]
        arguments = [str(TARGETS / "alternating.py"), str(Path(folder) / "x.gpf"), str(rate), *of_work]
        result = json.loads(run([options.python, *arguments], env=modules).output)
    if (result["samples"] > 0) != (rate > 0):
        sys.exit(f"{result['samples']} samples at {rate:g} Hz: what was to be measured did not happen")
    return list(result["quadruples"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", required=True, type=Path, help="folder with the package gauge")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--quadruples", type=int, default=200, help="of each kind and rate")
    parser.add_argument("--rounds", type=int, default=2, help="of work in a piece")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    options = parser.parse_args()

    cases = [(kind, rate) for kind in options.kinds for rate in RATES]
    quadruples: dict[tuple[str, float], list[list[float]]] = {case: [] for case in cases}
    for _ in range(TURNS):
        for case in cases:
            quadruples[case] += measured(options, *case)

    rows = []
    for (kind, rate), values in quadruples.items():
        piece = statistics.median(paused / 2 for paused, *_ in values)
        cells = [f"{kind}, {1000 * piece:.0f} ms", f"{rate:g} Hz/paused" if rate else "paused/paused"]
        for paused, sampled in ((0, 1), (2, 3)):
            middle, low, high = median_and_error([entry[sampled] / entry[paused] for entry in values])
            cells.append(f"{middle:.4f} ({low:.4f} to {high:.4f})")
        rows.append(cells)
    print(f"{machine()}; {options.quadruples} quadruples of each kind and rate; medians (95 % intervals of them)\n")
    print(table(["work, a piece", "compared", "wall time", "CPU time of its threads"], rows))


if __name__ == "__main__":
    main()
