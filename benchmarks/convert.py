"""Seconds and peak memory of `gauge convert`, per format, on a generated recording, or on one of yours.

python benchmarks/convert.py --gauge build/release/bin/gauge --generate build/release/tests/gauge-generate
    [--samples 1000000] [--period 250000] [--runs 5] [--timeline whole] [--tachyon python3.15] [--recording FILE]

Without --period generated ones have new stacks all the time, half a million in ten million samples; a real program
comes back to its own. Ten million samples of one:

gauge record -r 10khz -o real.gpf -- python benchmarks/targets/read_library.py 4 300

With CPython 3.15 at hand, its own sampler and Gauge record one program, and each converts its own recording to the
formats that both know, in turns.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from measure import TARGETS, Run, machine, recorded_by_tachyon, recording_info, run, table

PIECE = 1 << 20  # bytes: as much as a pipe holds

# What both write, by the names that either has for it.
BOTH = {"pstats": "--pstats", "collapsed": "--collapsed", "firefox": "--gecko", "html": "--flamegraph"}


def all_formats(gauge: str) -> list[str]:
    """Those that the command line knows, as its help lists them."""
    text = subprocess.run([gauge, "convert", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    listed = text.partition("Formats:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines()]


def writing_seconds(command: Sequence[str]) -> float:
    """From the first byte of its output to the last: without what is read before, to know what there is. Zero where all
    comes in one piece."""
    process = subprocess.Popen([*command, "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    output = process.stdout.fileno()
    fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, PIECE)
    times = []
    while os.read(output, PIECE):
        times.append(time.monotonic())
    assert process.wait() == 0
    return times[-1] - times[0]


def cells(runs: Sequence[Run], writing: Sequence[float], output: Path) -> list[str]:
    """Seconds, peak memory, size of the output, how fast it comes, and how fast from its first byte on."""
    seconds = statistics.median(run.wall for run in runs)
    size = output.stat().st_size
    peak = max(run.max_rss for run in runs)
    rates = [f"{size / 1e6 / each:.0f}" if each else "" for each in (seconds, statistics.median(writing))]
    return [f"{seconds:.2f}", f"{peak / 2**20:.0f}", f"{size / 1e6:.1f}", *rates]


def conversions(options: argparse.Namespace, recording: Path, folder: Path) -> list[list[str]]:
    """A row for each format."""
    rows = []
    for name in options.formats.split(",") if options.formats else all_formats(options.gauge):
        output = folder / f"out.{name}"
        command = [options.gauge, "convert", "--to", name, "--timeline", options.timeline, str(recording)]
        runs = [run([*command, "-f", "-o", str(output)]) for _ in range(options.runs)]
        rows.append([name, *cells(runs, [writing_seconds(command) for _ in range(options.runs)], output)])
        output.unlink()
    return rows


def beside_tachyon(gauge: str, python: str, folder: Path) -> list[list[str]]:
    """Of the same program, one recording each: samples a second of its conversion."""
    program = [str(TARGETS / "read_library.py"), "4", "40"]
    ours, theirs, output = folder / "x.gpf", folder / "x.bin", folder / "out"
    run([gauge, "record", "-r", "1khz", "-o", str(ours), "--", python, *program])
    counts = {
        "Gauge": int(str(recording_info(gauge, ours)["samples"])),
        "CPython 3.15": recorded_by_tachyon(python, "1khz", program, theirs),
    }
    rows = []
    for name, option in BOTH.items():
        commands = {
            "Gauge": [gauge, "convert", "--to", name, "-f", "-o", str(output), str(ours)],
            "CPython 3.15": [python, "-m", "profiling.sampling", "replay", option, "-o", str(output), str(theirs)],
        }
        runs: dict[str, list[Run]] = {who: [] for who in commands}
        sizes: dict[str, int] = {}
        for _ in range(3):
            for who, command in commands.items():
                output.unlink(missing_ok=True)
                runs[who].append(run(command))
                sizes[who] = output.stat().st_size
        for who in commands:
            seconds = statistics.median(run.wall for run in runs[who])
            peak = max(run.max_rss for run in runs[who])
            rows.append(
                [name, who, f"{counts[who]:,}", f"{seconds:.2f}", f"{counts[who] / seconds / 1e6:.2f}"]
                + [f"{peak / 2**20:.0f}", f"{sizes[who] / 1e6:.2f}"]
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    recording = parser.add_mutually_exclusive_group(required=True)
    recording.add_argument("--generate", help="the tests' generator of recordings")
    recording.add_argument("--recording", type=Path, help="instead of a generated one")
    parser.add_argument("--samples", type=int, default=1_000_000, help="of the generated one")
    parser.add_argument("--period", type=int, default=0, help="ticks after which its program does the same again")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--depth", type=int, default=25)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--formats", help="with commas between; default: all")
    parser.add_argument("--timeline", default="auto", help="as of gauge convert: auto, whole or totals")
    parser.add_argument("--tachyon", help="CPython 3.15, for its sampler")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        path = options.recording
        what = ""
        if path is None:
            path = Path(folder) / "x.gpf"
            shape = ["--threads", str(options.threads), "--depth", str(options.depth), "--period", str(options.period)]
            run([options.generate, "--samples", str(options.samples), *shape, "--seed", "1", "-o", str(path)])
            what = f"generated, depth to {options.depth}, "
        facts = recording_info(options.gauge, path)
        samples, threads = int(str(facts["samples"])), facts["threads"]
        assert isinstance(threads, list)
        rows = conversions(options, path, Path(folder))
        size = path.stat().st_size
    print(
        f"{machine()}; {what}{samples:,} samples, {len(threads)} threads, {size / 1e6:.1f} MB recording, "
        f"median of {options.runs}\n"
    )
    print(table(["format", "seconds", "peak MB", "output MB", "MB/s", "while it writes"], rows))
    if options.tachyon:
        with tempfile.TemporaryDirectory() as folder:
            rows = beside_tachyon(options.gauge, options.tachyon, Path(folder))
        print("\nread_library.py, 4 threads, 40 s at 1 kHz, CPython 3.15, each its own recording, median of 3:\n")
        header = ["format", "recorder", "samples", "seconds", "million samples a second", "peak MB", "output MB"]
        print(table(header, rows))


if __name__ == "__main__":
    main()
