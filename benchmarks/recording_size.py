"""Bytes per sample of a recording, all columns and dictionaries included.

python benchmarks/recording_size.py --gauge build/release/bin/gauge [--python PYTHON]

Each program is recorded twice: as it is, and by an interpreter that keeps no columns of its source lines, which shows
what those of frames cost.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import TARGETS, machine, recording_info, run, table

DEMO = Path(__file__).parent.parent / "demo"
WITHOUT_COLUMNS = {"PYTHONNODEBUGRANGES": "1"}


def record(gauge: str, rate: str, program: Sequence[str], variables: dict[str, str]) -> tuple[int, int]:
    """Samples and bytes of a recording."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gpf"
        run([gauge, "record", "-r", rate, "-o", str(path), "--", *program], env={**os.environ, **variables})
        return int(str(recording_info(gauge, path)["samples"])), path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    programs = {
        "1 busy thread, cpu_bound.py": [TARGETS / "cpu_bound.py", "400"],
        "4 busy threads, depth 25, threads.py": [TARGETS / "threads.py", "4", "25", "10"],
        "16 busy threads, depth 25, threads.py": [TARGETS / "threads.py", "16", "25", "10"],
        "a real program, demo/library_atlas.py": [DEMO / "library_atlas.py"],
    }
    rows = []
    for name, words in programs.items():
        program = [options.python, *map(str, words)]
        for rate in ("100", "1khz", "10khz"):
            samples, size = record(options.gauge, rate, program, {})
            samples_without, size_without = record(options.gauge, rate, program, WITHOUT_COLUMNS)
            without = f"{size_without / samples_without:.2f}"
            rows.append([name, rate, f"{samples:,}", f"{size:,}", f"{size / samples:.2f}", without])
    print(machine() + "\n")
    print(table(["program", "rate", "samples", "bytes", "bytes per sample", "without columns"], rows))


if __name__ == "__main__":
    main()
