"""Seconds and peak memory of `gauge convert`, per format, on a generated recording.

python benchmarks/convert.py --gauge build/release/bin/gauge --generate build/release/tests/gauge-generate
    [--samples 1000000] [--runs 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from pathlib import Path

from measure import machine, run, table


def all_formats(gauge: str) -> list[str]:
    """Those that the command line knows, as its help lists them."""
    text = subprocess.run([gauge, "convert", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    listed = text.partition("Formats:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--generate", required=True, help="the tests' generator of recordings")
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--depth", type=int, default=25)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--formats", help="with commas between; default: all")
    options = parser.parse_args()
    formats = options.formats.split(",") if options.formats else all_formats(options.gauge)

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "x.gpf"
        subprocess.run(
            [options.generate, "--samples", str(options.samples), "--threads", str(options.threads)]
            + ["--depth", str(options.depth), "--seed", "1", "-o", str(recording)],
            check=True,
        )
        for name in formats:
            output = Path(folder) / f"out.{name}"
            command = [options.gauge, "convert", "--to", name, "-f", "-o", str(output), str(recording)]
            runs = [run(command) for _ in range(options.runs)]
            rows.append(
                [
                    name,
                    f"{statistics.median(r.wall for r in runs):.2f}",
                    f"{max(r.max_rss for r in runs) / 2**20:.0f}",
                    f"{output.stat().st_size / 1e6:.1f}",
                ]
            )
        size = recording.stat().st_size
    print(
        f"{machine()}; {options.samples:,} samples, {options.threads} threads, depth to {options.depth}, "
        f"{size / 1e6:.1f} MB recording, median of {options.runs}\n"
    )
    print(table(["format", "seconds", "peak MB", "output MB"], rows))


if __name__ == "__main__":
    main()
