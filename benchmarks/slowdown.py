"""How much slower a program runs while it is recorded, from its start to its end.

Pairs of runs, bare and recorded, back to back and in alternating order, so that a drift of the machine hits both; the
figure is the median of the ratios within the pairs. `bare/bare` is the same program against itself: what is not
clearly outside its range is noise.

    python benchmarks/slowdown.py --gauge build/release/bin/gauge [--python PYTHON] [--pairs 20]
        [--kind mixed]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from measure import TARGETS, machine, median_and_range, run, table

RATES = ("100", "1khz", "10khz")


def one_ratio(bare: list[str], other: list[str], bare_first: bool) -> tuple[float, float]:
    """Ratios other/bare of wall and of CPU time."""
    if bare_first:
        base, compared = run(bare), run(other)
    else:
        compared, base = run(other), run(bare)
    return compared.wall / base.wall, compared.cpu / base.cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--kind", default="mixed", help="of work in the program, as targets/fixed_work.py names it")
    parser.add_argument("--rounds", type=int, default=150, help="amount of it")
    options = parser.parse_args()

    program = [options.python, str(TARGETS / "fixed_work.py"), options.kind, str(options.rounds)]
    ratios: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        run(program)  # brings everything into the page cache
        for pair in range(options.pairs):
            for rate in ("bare", *RATES):
                path = Path(folder) / f"{rate}-{pair}.gpf"
                recorded = [options.gauge, "record", "-r", rate, "-o", str(path), "--", *program]
                other = program if rate == "bare" else recorded
                ratios.setdefault(rate, []).append(one_ratio(program, other, bare_first=pair % 2 == 0))

    print(f"{machine()}; {options.pairs} pairs each, {run(program).wall:.1f} s a run\n")
    rows = []
    for rate, pairs in ratios.items():
        cells = [rate + "/bare"]
        for column in (0, 1):
            median, low, high = median_and_range([pair[column] for pair in pairs])
            cells.append(f"{median:.4f} ({low:.3f} to {high:.3f})")
        rows.append(cells)
    print(table(["run", "wall time, median (10th to 90th percentile)", "CPU time of all"], rows))


if __name__ == "__main__":
    main()
