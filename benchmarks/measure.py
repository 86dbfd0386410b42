"""What the benchmarks share: timing a process, medians of ratios, tables, the machine's description."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

TARGETS = Path(__file__).parent / "targets"


@dataclasses.dataclass(frozen=True)
class Run:
    """One finished process."""

    wall: float  # seconds
    cpu: float  # user + system, with waited-for children, seconds
    max_rss: int  # bytes
    status: int  # as os.waitstatus_to_exitcode
    output: str  # stdout and stderr together


def run(command: Sequence[str], *, env: dict[str, str] | None = None, statuses: Sequence[int] = (0,)) -> Run:
    """Run ``command`` to its end. Raises SystemExit, showing its output, when it ends with another status."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    assert process.stdout is not None
    output = process.stdout.read().decode(errors="replace")
    _, wait_status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(wait_status)
    if process.returncode not in statuses:
        sys.exit(f"{shlex.join(command)}: exit status {process.returncode}\n{output}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode, output)


def recording_info(gauge: str, path: Path) -> dict[str, object]:
    """What ``gauge info --json`` says of one recording."""
    output = subprocess.run([gauge, "info", "--json", str(path)], check=True, capture_output=True).stdout
    (info,) = json.loads(output)
    return dict(info)


def recorded_by_tachyon(python: str, rate: str, program: Sequence[str], path: Path) -> int:
    """Run ``program`` under the sampler of CPython 3.15, all its threads, into a file of that one's own format.
    Returns the samples it says that it took, one for each thread and look."""
    command = [python, "-m", "profiling.sampling", "run", "-a", "-r", rate, "--binary", "-o", str(path), *program]
    output = run(command).output
    told = re.search(r"\((\d+) samples\)", output)
    if told is None:
        sys.exit(f"{shlex.join(command)} does not tell how many samples it took:\n{output}")
    return int(told.group(1))


def median_and_range(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, 10th and 90th percentile (nearest rank)."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return statistics.median(ordered), ordered[round(0.1 * last)], ordered[round(0.9 * last)]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """One line: processor, cores, kernel, date."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    today = time.strftime("%Y-%m-%d")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, {today}"
