"""A recording that is killed at any moment is whole but for its last milliseconds, and says what the program did."""

from __future__ import annotations

import json
import pathlib
from bisect import bisect_right
from collections.abc import Sequence

import gauge_testing
from gauge_testing import Interpreter
from record_testing import run_recorded
from recorder_testing import Recorded, Sample

KILLS = 500
LOSS_NS = 20_000_000

# Each child notes when it begins a step, in memory that it shares with its parent, and never ends by itself.
PROGRAM = """
import json
import mmap
import random
import signal
import sys

STEPS = 8
LONGEST = 1000  # steps that there is room for
choice = random.Random(20261127)

for number in range(STEPS):
    exec(f"def step_{number}(until):\\n    while time.monotonic_ns() < until: pass")
steps = [globals()[f"step_{number}"] for number in range(STEPS)]

def live(log):
    for number in range(1, LONGEST):
        begin = time.monotonic_ns()
        log[number] = begin
        log[0] = number
        steps[number % STEPS](begin + 1_500_000)

children = {}
logs = []
for _ in range(int(sys.argv[1])):
    log = memoryview(mmap.mmap(-1, 8 * LONGEST)).cast("q")
    begun = time.monotonic_ns()
    pid = os.fork()
    if pid == 0:
        live(log)
        os._exit(1)  # not killed
    children[pid] = begun, log
    if len(children) < 4:
        continue
    time.sleep(choice.uniform(0, 0.05))
    pid = next(iter(children))
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic_ns()
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    begun, log = children.pop(pid)
    logs.append([pid, begun, log[1 : log[0] + 1].tolist(), killed])
for pid in children:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
json.dump(logs, sys.stdout)
"""


def step_of(sample: Sample) -> int | None:
    """Number of the step that a stack shows."""
    steps = [frame.name for frame in sample.stack if frame.name.startswith("step_")]
    return int(steps[0].removeprefix("step_")) if steps else None


def contradictions(samples: Sequence[Sample], begins: Sequence[int], end: int) -> list[Sample]:
    """Samples of steps that the child, by its own account, was not at."""
    wrong = []
    for sample, seen_before in zip(samples, [*(later.time_ns for later in samples[1:]), end]):
        step = step_of(sample)
        # The stack was read at some moment from the sample's time on, and before the next one.
        first = max(bisect_right(begins, sample.time_ns), 1)
        last = bisect_right(begins, seen_before)
        if step is not None and step not in {number % 8 for number in range(first, last + 1)}:
            wrong.append(sample)
    return wrong


def test_a_kill_costs_the_last_milliseconds_and_nothing_else(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    outcome = run_recorded(newest, tmp_path, PROGRAM, str(KILLS), options=("-s", "-r", "1khz"))
    assert outcome.status == 0, outcome.errors
    children = json.loads(outcome.output)
    assert len(children) > KILLS - 5
    lost = []
    for pid, begun, begins, killed in children:
        mended = tmp_path / f"{pid}.mended"
        check = [gauge_testing.executable_path(), "check", "--repair", mended, tmp_path / f"out-{pid}.gpf"]
        last = begun
        if gauge_testing.run(check).returncode == 0:  # else it was killed before there was a header
            recorded = Recorded(mended)
            assert (recorded.damaged, recorded.dropped_bytes, recorded.end) == (0, 0, "cut, repaired")
            assert contradictions(recorded.samples, begins, killed) == []
            last = max([begun, *(sample.time_ns for sample in recorded.samples)])
        lost.append(killed - last)
    within = sum(loss <= LOSS_NS for loss in lost)
    assert within >= 0.75 * len(lost), sorted(lost)[-150:]  # the rest: a machine that had no time for the recorder
