"""How much slower a thread runs while it is sampled, without start-up and without the noise between processes.

One process does the same piece of work again and again, and the recorder is paused for every other piece
(targets/alternating.py). Each quadruple of pieces gives one ratio of sampled to paused; with hundreds of them the
median is known far better than from runs of whole processes (slowdown.py), on a machine that drifts. `paused/paused`
is the same without any sampling: what is inside its range is noise.

    python benchmarks/interference.py --modules build/release/stage/python [--python PYTHON] [--quadruples 400]
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

RATES = (0.0, 100.0, 1_000.0, 10_000.0)
TURNS = 10  # into which the quadruples of a rate are cut, so that all rates see the same weather


def median_and_error(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, and the ends of its 95 % confidence interval by order statistics (binomial, normal approximation)."""
    ordered = sorted(values)
    half = 0.98 * math.sqrt(len(ordered))
    low = max(0, math.floor(len(ordered) / 2 - half))
    high = min(len(ordered) - 1, math.ceil(len(ordered) / 2 + half) - 1)
    return statistics.median(ordered), ordered[low], ordered[high]


def measured(options: argparse.Namespace, rate: float) -> list[list[float]]:
    """One turn of quadruples: see targets/alternating.py."""
    modules = {**os.environ, "PYTHONPATH": str(options.modules)}
    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(Path(folder) / "x.gpf"), str(rate), str(options.quadruples // TURNS), str(options.rounds)]
        result = json.loads(run([options.python, str(TARGETS / "alternating.py"), *arguments], env=modules).output)
    if (result["samples"] > 0) != (rate > 0):
        sys.exit(f"{result['samples']} samples at {rate:g} Hz: what was to be measured did not happen")
    return list(result["quadruples"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", required=True, type=Path, help="folder with the package gauge")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--quadruples", type=int, default=400, help="of each rate")
    parser.add_argument("--rounds", type=int, default=3, help="of work in a piece")
    options = parser.parse_args()

    quadruples: dict[float, list[list[float]]] = {rate: [] for rate in RATES}
    for _ in range(TURNS):
        for rate in RATES:
            quadruples[rate] += measured(options, rate)

    piece = statistics.median(wall / 2 for wall, *_ in quadruples[0.0])
    print(f"{machine()}; {options.quadruples} quadruples of pieces of {1000 * piece:.0f} ms at each rate\n")
    rows = []
    for rate, values in quadruples.items():
        cells = [f"{rate:g} Hz/paused" if rate else "paused/paused"]
        for paused, sampled in ((0, 1), (2, 3)):
            middle, low, high = median_and_error([entry[sampled] / entry[paused] for entry in values])
            cells.append(f"{middle:.4f} ({low:.4f} to {high:.4f})")
        rows.append(cells)
    print(table(["piece", "wall time, median ratio (95 % interval of it)", "CPU time of the thread"], rows))


if __name__ == "__main__":
    main()
