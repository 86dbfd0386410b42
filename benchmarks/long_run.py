"""Memory of a recorder over a day of recording: 100 Hz, 50 threads, code, threads and tasks made all the time.

python benchmarks/long_run.py --tool build/release/tests/gauge-long-run [--hours 24]

The clock is simulated, so a day takes minutes; sampler, queue, stream and writer are the real ones. Memory is what of
the heap is in use: its maximum in the first fifth of the time, and in the rest.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from measure import machine, run, table

MEBIBYTE = 1 << 20


def row(name: str, command: Sequence[str]) -> list[str]:
    done = run(command)
    result = json.loads(done.output)
    return [
        name,
        f"{result['samples']:,}",
        str(result["parts"]),
        f"{result['bytes'] / result['samples']:.2f}",
        f"{result['memory_early'] / MEBIBYTE:.1f}",
        f"{result['memory_late'] / MEBIBYTE:.1f}",
        f"{result['peak_rss'] / MEBIBYTE:.1f}",
        f"{done.wall:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--hours", type=float, default=24)
    options = parser.parse_args()
    hours = str(options.hours)
    rows = [row("one file", [options.tool, hours]), row("a part each hour", [options.tool, hours, "1"])]
    header = ["recording", "samples", "parts", "bytes per sample", "MiB, first fifth", "MiB, then", "MiB resident", "s"]
    print(machine() + "\n")
    print(f"{options.hours:g} h:\n")
    print(table(header, rows))


if __name__ == "__main__":
    main()
