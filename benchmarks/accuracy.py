"""How far the shares that a sampler reports are from the truth, beside CPython 3.15's `profiling.sampling` and py-spy.

Each sampler runs targets/known_shares.py, which measures what its own parts take, at 1 kHz. The distance is the total
variation distance between the two distributions of wall time, and for a program that waits and gives the GIL up also of
CPU time and of the time that the GIL was held: half the sum, over the parts and the loop that calls them, of how far
the shares are apart. A fair draw of as many samples is itself some way off: that is given as noise. Rounds are
interleaved; medians are shown.

    python benchmarks/accuracy.py --gauge build/release/bin/gauge [--python PYTHON ...] [--tachyon python3.15]
        [--pyspy py-spy] [--program standing ...] [--seconds 20] [--rounds 3]

Where the peers can sample the interpreter (py-spy 0.4 to 3.13, the other its own version only), they do.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from measure import TARGETS, machine, run, table

KINDS = {"standing": ("wall",), "moving": ("wall",), "periodic": ("wall",), "mixed": ("wall", "cpu", "gil")}
RATE = 1000  # Hz
PROGRAM = str(TARGETS / "known_shares.py")


@dataclasses.dataclass(frozen=True)
class Outcome:
    distance: float  # total variation
    noise: float  # what a fair draw of as many samples is expected to be off
    taken: float  # samples, of those asked for


# Runs a command, sampled, in a folder for scratch files; returns by weight the stacks with theirs, one a line. What
# "samples" has is how many there were. Peers know of no weight but that.
Sampler = Callable[[Sequence[str], Path], dict[str, str]]


def sampled_by_gauge(gauge: str) -> Sampler:
    def sample(command: Sequence[str], folder: Path) -> dict[str, str]:
        path = str(folder / "x.gpf")
        run([gauge, "record", "-r", str(RATE), "-f", "-o", path, "--", *command])
        stacks = {}
        for weight in ("samples", "wall", "cpu", "gil"):
            convert = [gauge, "convert", "--to", "collapsed", "--weight", weight, "-o", "-", path]
            stacks[weight] = subprocess.run(convert, check=True, capture_output=True, text=True).stdout
        return stacks

    return sample


def sampled_by_tachyon(python: str) -> Sampler:
    def sample(command: Sequence[str], folder: Path) -> dict[str, str]:
        path = folder / "tachyon.txt"
        run([python, "-m", "profiling.sampling", "run", "-r", str(RATE), "--collapsed", "-o", str(path), *command[1:]])
        return {"samples": path.read_text(), "wall": path.read_text()}

    return sample


def sampled_by_pyspy(pyspy: str) -> Sampler:
    def sample(command: Sequence[str], folder: Path) -> dict[str, str]:
        path = folder / "py-spy.txt"
        run([pyspy, "record", "-r", str(RATE), "--idle", "-f", "raw", "-o", str(path), "--", *command])
        return {"samples": path.read_text(), "wall": path.read_text()}

    return sample


def weights_of(stacks: str, parts: int) -> list[float]:
    """Of what the program measures: those of the parts and of the loop alone."""
    sums = [0.0] * (parts + 1)
    for line in stacks.splitlines():
        stack, _, weight = line.rpartition(" ")
        if not re.search(r"\b(follow_schedule|take_turns)\b", stack):
            continue
        part = re.search(r"\bpart_(\d)\b", stack)
        sums[int(part.group(1)) if part else parts] += float(weight)
    return sums


def shares(amounts: Sequence[float]) -> list[float]:
    return [amount / max(sum(amounts), 1e-9) for amount in amounts]


def measure(sample: Sampler, python: str, kind: str, seconds: float) -> dict[str, Outcome]:
    """By weight."""
    with tempfile.TemporaryDirectory() as folder:
        truth_file = Path(folder) / "truth.json"
        stacks = sample([python, PROGRAM, kind, str(seconds), str(truth_file)], Path(folder))
        spent: dict[str, list[float]] = json.loads(truth_file.read_text())
    parts = len(spent["wall"]) - 1
    samples = sum(weights_of(stacks["samples"], parts))
    outcomes = {}
    for weight in KINDS[kind]:
        if weight not in stacks:
            continue
        truth = shares(spent[weight])
        seen = shares(weights_of(stacks[weight], parts))
        drawn = max(samples * sum(spent[weight]) / sum(spent["wall"]), 1.0)  # samples that have some of this weight
        outcomes[weight] = Outcome(
            distance=sum(abs(one - other) for one, other in zip(seen, truth)) / 2,
            noise=sum(math.sqrt(2 * share * (1 - share) / (math.pi * drawn)) for share in truth) / 2,
            taken=samples / (RATE * sum(spent["wall"])),
        )
    return outcomes


def version_of(python: str) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    major, minor = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    return int(major), int(minor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    parser.add_argument("--tachyon", help="CPython 3.15, for its sampler")
    parser.add_argument("--pyspy", help="py-spy executable")
    parser.add_argument("--program", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    outcomes: dict[tuple[str, str, str, str], list[Outcome]] = {}
    versions = {python: version_of(python) for python in options.python}
    for _ in range(options.rounds):
        for python, version in versions.items():
            samplers = {"Gauge": sampled_by_gauge(options.gauge)}
            if options.tachyon and version == version_of(options.tachyon):
                samplers["profiling.sampling 3.15"] = sampled_by_tachyon(options.tachyon)
            if options.pyspy and version <= (3, 13):
                samplers["py-spy"] = sampled_by_pyspy(options.pyspy)
            for kind in options.program:
                for name, sample in samplers.items():
                    for weight, outcome in measure(sample, python, kind, options.seconds).items():
                        outcomes.setdefault((f"{version[0]}.{version[1]}", kind, weight, name), []).append(outcome)

    print(f"{machine()}; 1 kHz, {options.seconds:.0f} s, {options.rounds} rounds\n")
    rows = []
    for (version_text, kind, weight, name), found in outcomes.items():
        distances = [outcome.distance for outcome in found]
        noise = statistics.median(outcome.noise for outcome in found)
        taken = statistics.median(outcome.taken for outcome in found)
        distance = f"{statistics.median(distances):.4f} ({min(distances):.4f} to {max(distances):.4f})"
        rows.append([version_text, kind, weight, name, distance, f"{noise:.4f}", f"{100 * taken:.1f} %"])
    print(table(["CPython", "program", "weight", "sampler", "distance", "noise", "samples taken"], rows))


if __name__ == "__main__":
    main()
