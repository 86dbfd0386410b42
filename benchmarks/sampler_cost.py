"""CPU that sampling costs per thread-sample, beside the standard library's sampler of CPython 3.15, py-spy and Austin.

Each sampler watches the same program (threads.py: THREADS threads, DEPTH frames deep, all busy) for a short and a long
time; cost = difference of its CPU time / difference of the thread-samples it took, so that its start-up
falls out. Gauge's figure has two parts, both as its recording states them: the thread that samples, and with it the
thread that compresses and writes; start-up is in neither. CPython 3.15's sampler is measured twice: taking stacks
alone, and with them what each thread does (on a core or not, with the GIL or not), which it does for one format only.
The first row is what no sampler of one thread can be below: a thread that sleeps, wakes up and does nothing. Rounds are
interleaved; medians are shown.

    python benchmarks/sampler_cost.py --gauge build/release/bin/gauge [--python PYTHON]
        [--rate 1000] [--depth 25] [--tachyon "chroot DIR python3.15"] [--pyspy py-spy] [--austin austin] [--rounds 5]
"""

from __future__ import annotations

import argparse
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import TARGETS, machine, recording_info, run, table

SHORT, LONG = 2, 8  # seconds of sampling; whole ones, as the other samplers take no others
WAKING = "waking up"
TACHYON = {"profiling.sampling 3.15, stacks": "--binary", "profiling.sampling 3.15, with state": "--gecko"}


class Target:
    """The program to be watched, running; ended on exit."""

    def __init__(self, python: list[str], script: str, threads: int, depth: int, seconds: float) -> None:
        self.process = subprocess.Popen([*python, script, str(threads), str(depth), str(seconds)])
        time.sleep(1.0)  # until all its threads are at work

    def __enter__(self) -> int:
        return self.process.pid

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()


def slope(samples: tuple[float, float], cpu: tuple[float, float]) -> float:
    """Microseconds of CPU per thread-sample."""
    return 1e6 * (cpu[1] - cpu[0]) / (samples[1] - samples[0])


def waking_cost(rate: int) -> float:
    """Microseconds of CPU that waking up takes."""
    ticks = 2 * rate
    start = time.thread_time()
    for _ in range(ticks):
        time.sleep(1 / rate)
    return 1e6 * (time.thread_time() - start) / ticks


def gauge_cost(gauge: str, python: str, rate: int, threads: int, depth: int) -> tuple[float, float, float]:
    """Microseconds per thread-sample: sampler thread; sampler and writer threads. Percentage of looks that failed."""
    script = str(TARGETS / "threads.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gpf"
        program = [python, script, str(threads), str(depth), str(LONG)]
        run([gauge, "record", "-r", str(rate), "-o", str(path), "--", *program])
        info = recording_info(gauge, path)
    samples = float(str(info["samples"]))
    sampler = float(str(info["sampler_cpu_ns"])) / samples / 1000
    writer = float(str(info["writer_cpu_ns"])) / samples / 1000
    failed = float(str(info["failed_reads"]))
    return sampler, sampler + writer, 100 * failed / (samples + failed)


def tachyon_cost(
    command: list[str], output: str, script: str, rate: int, threads: int, depth: int
) -> tuple[float, float]:
    """Microseconds per thread-sample, and the share of looks that failed, in percent. `output`: an option of theirs."""
    samples, cpu, errors = [], [], 0.0
    for seconds in (SHORT, LONG):
        with Target(command, script, threads, depth, seconds + 5) as pid:
            result = run(
                [*command, "-m", "profiling.sampling", "attach", "-a", "-r", str(rate), "-d", str(seconds)]
                + [output, "-o", "/dev/shm/gauge-benchmark.bin", str(pid)]
            )
        looks = float(re.search(r"Captured (\d+) samples", result.output).group(1))  # type: ignore[union-attr]
        error = re.search(r"Error rate: ([\d.]+)", result.output)
        errors = float(error.group(1)) if error else 0.0
        samples.append(looks * (1 - errors / 100) * threads)  # a look that fails is none of any thread
        cpu.append(result.cpu)
    return slope((samples[0], samples[1]), (cpu[0], cpu[1])), errors


def pyspy_cost(command: list[str], python: str, rate: int, threads: int, depth: int) -> tuple[float, float]:
    """Microseconds per thread-sample, and errors per sample."""
    samples, cpu, errors = [], [], 0.0
    for seconds in (SHORT, LONG):
        with Target([python], str(TARGETS / "threads.py"), threads, depth, seconds + 8) as pid:
            result = run(
                [*command, "record", "-r", str(rate), "-d", str(seconds), "--nonblocking", "--idle"]
                + ["-f", "raw", "-o", "/dev/null", "-p", str(pid)]
            )
        counts = re.search(r"Samples: (\d+) Errors: (\d+)", result.output)
        samples.append(float(counts.group(1)))  # type: ignore[union-attr]
        cpu.append(result.cpu)
        errors = 100 * float(counts.group(2)) / max(1.0, samples[-1])  # type: ignore[union-attr]
    return slope((samples[0], samples[1]), (cpu[0], cpu[1])), errors


def austin_cost(command: list[str], python: str, rate: int, threads: int, depth: int) -> tuple[float, float]:
    """Microseconds per thread-sample, and the share of looks that failed."""
    samples, cpu, errors = [], [], 0.0
    for seconds in (SHORT, LONG):
        with Target([python], str(TARGETS / "threads.py"), threads, depth, seconds + 8) as pid:
            result = run(
                [*command, "-i", f"{1_000_000 // rate}us", "-x", str(seconds)]
                + ["-o", "/dev/shm/gauge-benchmark.mojo", "-p", str(pid)],
                statuses=(0, 254),  # the second, where the program goes on
            )
        failed, taken = re.search(r"Error rate\D*(\d+)/(\d+)", re.sub(r"\x1b\[[\d;]*m", "", result.output)).groups()  # type: ignore[union-attr]
        samples.append(float(taken))
        cpu.append(result.cpu)
        errors = 100 * float(failed) / max(1.0, samples[-1])
    return slope((samples[0], samples[1]), (cpu[0], cpu[1])), errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gauge", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--tachyon", help="command that runs CPython 3.15, with the chroot it lives in, if any")
    parser.add_argument(
        "--tachyon-script", default=str(TARGETS / "threads.py"), help="threads.py as that command sees it"
    )
    parser.add_argument("--pyspy", help="command that runs py-spy")
    parser.add_argument("--austin", help="command that runs Austin")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=1000, help="Hz")
    parser.add_argument("--depth", type=int, default=25)
    options = parser.parse_args()

    costs: dict[tuple[str, int], list[float]] = {}
    failed: dict[tuple[str, int], list[float]] = {}

    def add(name: str, threads: int, cost: float, errors: float | None = None) -> None:
        costs.setdefault((name, threads), []).append(cost)
        if errors is not None:
            failed.setdefault((name, threads), []).append(errors)

    for _ in range(options.rounds):
        waking = waking_cost(options.rate)
        for threads in (1, 16):
            case = (options.rate, threads, options.depth)
            add(WAKING, threads, waking / threads)
            sampler, both, errors = gauge_cost(options.gauge, options.python, *case)
            add("gauge, sampler thread", threads, sampler, errors)
            add("gauge, with its writer", threads, both, errors)
            if options.tachyon:
                command = shlex.split(options.tachyon)
                for name, output in TACHYON.items():
                    add(name, threads, *tachyon_cost(command, output, options.tachyon_script, *case))
            if options.pyspy:
                command = shlex.split(options.pyspy)
                add("py-spy --nonblocking", threads, *pyspy_cost(command, options.python, *case))
            if options.austin:
                add("austin", threads, *austin_cost(shlex.split(options.austin), options.python, *case))

    print(f"{machine()}; depth {options.depth}, {options.rate} Hz, {options.rounds} rounds")
    print("microseconds of CPU per thread-sample\n")
    rows = []
    for name in dict.fromkeys(key[0] for key in costs):
        cells = [name]
        for threads in (1, 16):
            values = costs[name, threads]
            cells.append(f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})")
        for threads in (1, 16):
            values = failed.get((name, threads), [])
            cells.append(f"{statistics.median(values):.0f} %" if values else "")
        rows.append(cells)
    print(table(["sampler", "1 thread", "16 threads", "failed, 1 thread", "failed, 16 threads"], rows))


if __name__ == "__main__":
    main()
