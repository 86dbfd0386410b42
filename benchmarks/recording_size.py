"""Bytes per sample of a recording, all columns and dictionaries included.

python benchmarks/recording_size.py --gauge build/release/bin/gauge [--python PYTHON]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from measure import TARGETS, machine, recording_info, run, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    programs = {
        "1 busy thread, cpu_bound.py": ["cpu_bound.py", "400"],
        "4 busy threads, depth 25, threads.py": ["threads.py", "4", "25", "10"],
        "16 busy threads, depth 25, threads.py": ["threads.py", "16", "25", "10"],
    }
    rows = []
    for name, (script, *arguments) in programs.items():
        for rate in ("100", "1khz", "10khz"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "x.gpf"
                program = [options.python, str(TARGETS / script), *arguments]
                run([options.gauge, "record", "-r", rate, "-o", str(path), "--", *program])
                info = recording_info(options.gauge, path)
                size = path.stat().st_size
            samples = int(str(info["samples"]))
            rows.append([name, rate, f"{samples:,}", f"{size:,}", f"{size / samples:.2f}"])
    print(machine() + "\n")
    print(table(["program", "rate", "samples", "bytes", "bytes per sample"], rows))


if __name__ == "__main__":
    main()
