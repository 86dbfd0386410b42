"""Forks under load: whether any child hangs, and how many of them are found in recordings of their own.

python benchmarks/forks.py --gauge build/release/bin/gauge [--forks 10000] [--child-ms 0] [--python PYTHON]...

Threads of the parent use malloc all the time, so that forks happen while its locks are held, and while the recorder is
in the middle of anything. With --child-ms 0 nothing is expected of the children but that they end.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from measure import TARGETS, machine, run, table


def recorded_children(gauge: str, folder: Path) -> int:
    """Recordings with at least one sample, besides the parent's."""
    found = -1
    for path in folder.glob("*.gpf"):
        listed = run([gauge, "info", str(path)]).output
        found += not re.search(r"^  samples  none", listed, re.MULTILINE)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--forks", type=int, default=10_000)
    parser.add_argument("--child-ms", type=float, default=0)
    parser.add_argument("--rate", default="10khz")
    parser.add_argument("--python", action="append")
    options = parser.parse_args()
    rows = []
    for python in options.python or [sys.executable]:
        program = [python, "-W", "ignore", str(TARGETS / "forks.py"), str(options.forks), str(options.child_ms)]
        with tempfile.TemporaryDirectory() as folder:
            output = str(Path(folder) / "%p.gpf")
            done = run([options.gauge, "record", "-s", "-r", options.rate, "-o", output, "--", *program])
            counts = re.search(r"good (\d+), bad (\d+), hung (\d+)", done.output)
            if counts is None:
                sys.exit(f"{python}: printed no counts\n{done.output}")
            found = recorded_children(options.gauge, Path(folder)) if options.child_ms else None
        share = "" if found is None else f"{100 * found / options.forks:.1f} %"
        rows.append([Path(python).name, str(options.forks), *counts.groups(), share, f"{done.wall:.0f} s"])
    print(machine() + "\n")
    print(table(["interpreter", "forks", "ended well", "ended badly", "hung", "found", "took"], rows))


if __name__ == "__main__":
    main()
