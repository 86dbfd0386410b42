"""Bytes per sample of a recording, all columns and dictionaries included.

python benchmarks/recording_size.py --gauge build/release/bin/gauge [--python PYTHON] [--tachyon python3.15]

Each program is recorded twice: as it is, and by an interpreter that keeps no columns of its source lines, which shows
what those of frames cost. With CPython 3.15 at hand, its own sampler and Gauge record one program of four threads, all
busy, on that interpreter, for so long that each takes more than a million samples.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import TARGETS, machine, recorded_by_tachyon, recording_info, run, table

DEMO = Path(__file__).parent.parent / "demo"
WITHOUT_COLUMNS = {"PYTHONNODEBUGRANGES": "1"}


def record(gauge: str, rate: str, program: Sequence[str], variables: dict[str, str]) -> tuple[int, int]:
    """Samples and bytes of a recording."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gpf"
        run([gauge, "record", "-r", rate, "-o", str(path), "--", *program], env={**os.environ, **variables})
        return int(str(recording_info(gauge, path)["samples"])), path.stat().st_size


def beside_tachyon(gauge: str, python: str) -> list[list[str]]:
    """The same program, recorded by both in turns."""
    program = [str(TARGETS / "read_library.py"), "4", "40"]
    rows = []
    for rate in ("1khz", "10khz"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.bin"
            taken = recorded_by_tachyon(python, rate, program, path), path.stat().st_size
        both = {"Gauge": record(gauge, rate, [python, *program], {}), "CPython 3.15, `--binary`": taken}
        for name, (samples, size) in both.items():
            rows.append([name, rate, f"{samples:,}", f"{size:,}", f"{size / samples:.2f}"])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--tachyon", help="CPython 3.15, for its sampler")
    options = parser.parse_args()
    programs = {
        "1 busy thread, fixed_work.py": [TARGETS / "fixed_work.py", "mixed", "400"],
        "4 busy threads, depth 25, threads.py": [TARGETS / "threads.py", "4", "25", "10"],
        "16 busy threads, depth 25, threads.py": [TARGETS / "threads.py", "16", "25", "10"],
        "4 busy threads, a real program, read_library.py": [TARGETS / "read_library.py", "4", "40"],
        "5 threads, a real program, demo/library_atlas.py": [DEMO / "library_atlas.py"],
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
    if options.tachyon:
        print("\nread_library.py, 4 threads, 40 s, CPython 3.15:\n")
        header = ["recorder", "rate", "samples", "bytes", "bytes per sample"]
        print(table(header, beside_tachyon(options.gauge, options.tachyon)))


if __name__ == "__main__":
    main()
