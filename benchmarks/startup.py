"""What recording adds to the shortest program: start-up time and memory.

Pairs of `python -c pass`, bare and recorded, alternating. Memory: peak resident set of the recorded process against
the bare one, running the same program for a second.

    python benchmarks/startup.py --gauge build/release/bin/gauge [--python PYTHON] [--pairs 40]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from measure import machine, median_and_range, run, table

PEAK = (
    "import sys, time; end = time.monotonic() + 1\n"
    "while time.monotonic() < end: sum(range(100))\n"
    "peak = [line for line in open('/proc/self/status') if line.startswith('VmHWM')][0].split()[1]\n"
    "open(sys.argv[1], 'w').write(peak)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--pairs", type=int, default=40)
    options = parser.parse_args()

    bare = [options.python, "-c", "pass"]
    added, memory = [], []
    with tempfile.TemporaryDirectory() as folder:
        peak = Path(folder) / "peak"

        def record(number: int, rate: str, code: str) -> list[str]:
            path = Path(folder) / f"{number}-{rate}.gpf"
            program = [options.python, "-c", code, str(peak)]
            return [options.gauge, "record", "-r", rate, "-o", str(path), "--", *program]

        run(bare)
        for pair in range(options.pairs):
            added.append(1000 * (run(record(pair, "100", "pass")).wall - run(bare).wall))
        for pair in range(5):
            run(record(pair, "1khz", PEAK))
            recorded = int(peak.read_text())
            run([options.python, "-c", PEAK, str(peak)])
            memory.append((recorded - int(peak.read_text())) / 1024)
    median, low, high = median_and_range(added)
    print(machine() + "\n")
    rows = [
        ["start-up added to `python -c pass`", f"{median:.1f} ms ({low:.1f} to {high:.1f})"],
        ["peak memory added at 1 kHz", f"{statistics.median(memory):.1f} MiB"],
    ]
    print(table(["what", "median"], rows))


if __name__ == "__main__":
    main()
