"""How many stacks come out of the walker that the program cannot have had.

Runs the programs of tests/recorder/cpython/moving_programs.py, whose stacks move as fast as they can, on each
interpreter and at each depth, sampled without a pause; counts what was accepted, and prints every stack that is
impossible. Where a thread has not run since its last sample, that is repeated: only the samples of a running program
prove anything, and the shares are of these. Load is processes that do nothing but turn: they take the cores away in the
middle of a copy. Ends with status 1 if any stack was impossible. The build must have a probe for the minor version of
each interpreter.

    python benchmarks/impossible_stacks.py --build build/release [--python PYTHON ...] [--samples 1000000]
        [--depths 0 43 400 2000] [--programs NAME ...] [--load N]
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from measure import machine, table

PROGRAMS = Path(__file__).parent.parent / "tests" / "recorder" / "cpython"
SECONDS = 600.0  # at most, for one program

# Runs in the interpreter to be sampled; prints what came of it.
TRIAL = """
import dataclasses, json, sys
from moving_programs import PROGRAMS
from moving_stacks import sample_program
name, depth, samples, seconds = sys.argv[1:]
sys.setrecursionlimit(2 * int(depth) + 2_000)
body = next(body for body in PROGRAMS if body.__name__ == name)
outcome = sample_program(body, int(depth), int(samples), float(seconds))
print(json.dumps({**dataclasses.asdict(outcome), "told": outcome.told()}))
"""


@dataclasses.dataclass
class Tally:
    """Samples of one interpreter and program, at all depths."""

    accepted: int = 0
    moving: int = 0
    partial: int = 0
    failed: int = 0
    impossible: int = 0

    def partial_share(self) -> float:
        """Of the looks at the running program."""
        return self.partial / max(1, self.moving + self.failed)

    def row(self) -> list[str]:
        looks = max(1, self.moving + self.failed)
        return [
            f"{self.accepted / 1e6:.2f} M",
            f"{self.moving / 1e6:.2f} M",
            f"{100 * self.partial_share():.1f} %",
            f"{1e6 * self.failed / looks:.0f}",
            f"{self.impossible} ({1e6 * self.impossible / looks:.2f})",
        ]


def summary(tallies: list[Tally]) -> list[str]:
    """Of one interpreter: all its programs."""
    shares = [100 * tally.partial_share() for tally in tallies]
    looks = sum(tally.moving + tally.failed for tally in tallies)
    return [
        f"{sum(tally.moving for tally in tallies) / 1e6:.2f} M",
        f"{min(shares):.1f} to {max(shares):.1f} %",
        f"{1e6 * sum(tally.failed for tally in tallies) / max(1, looks):.0f}",
        f"{sum(tally.impossible for tally in tallies)}",
    ]


@contextlib.contextmanager
def load(count: int) -> Iterator[None]:
    """So many processes that take what CPU they get."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def minor_of(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def trial(python: str, build: Path, program: str, depth: int, samples: int, tally: Tally) -> None:
    """Samples one program at one depth. Prints what is impossible."""
    probes = build / "tests" / "probes" / minor_of(python)
    environment = {**os.environ, "PYTHONPATH": f"{probes}{os.pathsep}{PROGRAMS}"}
    command = [python, "-B", "-c", TRIAL, program, str(depth), str(samples), str(SECONDS)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{python}: {program} at depth {depth} failed (status {result.returncode})\n{result.stderr}")
    outcome = json.loads(result.stdout)
    impossible = sum(count for count, _, _ in outcome["impossible"])
    tally.accepted += outcome["accepted"]
    tally.moving += outcome["moving"]
    tally.partial += outcome["partial"]
    tally.failed += outcome["failed"]
    tally.impossible += impossible
    if impossible > 0:
        print(f"{python}, {program}, depth {depth}: {outcome['told']}\n", flush=True)


def all_programs() -> list[str]:
    """Names of the programs, in the order in which the file defines them."""
    source = (PROGRAMS / "moving_programs.py").read_text()
    (names,) = (line for line in source.splitlines() if line.startswith("PROGRAMS = ("))
    return [name.strip() for name in names[names.index("(") + 1 : names.index(")")].split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help="build folder, with its tests")
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    parser.add_argument(
        "--samples", type=int, default=1_000_000, help="of each program, taken while it runs, at all depths together"
    )
    parser.add_argument("--depths", type=int, nargs="+", default=[0, 43, 400, 2000])
    parser.add_argument("--programs", nargs="+", choices=all_programs(), default=all_programs(), metavar="NAME")
    parser.add_argument("--load", type=int, default=0, metavar="N")
    options = parser.parse_args()

    rows = []
    summaries = []
    total = 0
    with load(options.load):
        for python in options.python:
            tallies = []
            for program in options.programs:
                tally = Tally()
                tallies.append(tally)
                for depth in options.depths:
                    trial(python, options.build, program, depth, options.samples // len(options.depths), tally)
                rows.append([python, program, *tally.row()])
                print(*rows[-1], sep="  ", file=sys.stderr, flush=True)  # it takes minutes
                total += tally.impossible
            summaries.append([f"CPython {minor_of(python)}", *summary(tallies)])
    print(f"{machine()}, load {options.load}; failed, impossible: for a million looks at a running program\n")
    print(table(["interpreter", "program", "accepted", "running", "partial", "failed", "impossible"], rows))
    print()
    print(table(["interpreter", "running", "partial, by program", "failed", "impossible"], summaries))
    sys.exit(1 if total > 0 else 0)


if __name__ == "__main__":
    main()
