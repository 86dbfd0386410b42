"""Of threads whose time is known: what each sample says of its thread, and the weights that `gauge convert` makes."""

from __future__ import annotations

import json
import pathlib
import re
from collections import Counter
from typing import Any, NamedTuple

import pytest

import gauge_testing
from gauge_testing import Interpreter
from record_testing import run_recorded
from recorder_testing import GIL_HELD, GIL_UNKNOWN, GIL_WANTED, ON_CPU, Recorded

# Each thread does one thing for as long as `hold` is in one call in C that never gives the GIL up.
PROGRAM = """
import hashlib
import json
import threading
from itertools import chain, islice

ready = threading.Barrier(4)
times = {}

def amount_for(seconds, work, amount):
    "Of work that takes as long as `amount` of it, and more: so much as takes that time, on any machine."
    begin = time.thread_time()
    work(amount)
    return int(amount * seconds / (time.thread_time() - begin))

def add_up(amount):
    "Before and after it, by the clock: all in C, which looks at nobody's wish for the GIL between them."
    clock = iter(time.monotonic_ns, None)
    before, _, after = chain(islice(clock, 1), map(sum, [range(amount)]), islice(clock, 1))
    return before, after

def derive(amount):
    return hashlib.pbkdf2_hmac("sha256", b"password", b"salt", amount)

to_add = amount_for(0.5, add_up, 2_000_000)
to_derive = amount_for(0.9, derive, 50_000)

def measured(function):
    def run():
        ready.wait()
        cpu, begin = time.thread_time_ns(), time.monotonic_ns()
        function()
        times[function.__name__] = [begin, time.monotonic_ns(), time.thread_time_ns() - cpu]
    return threading.Thread(target=run, name=function.__name__)

def hold():
    time.sleep(0.05)  # until each of the others is where it wants to be
    global held_from, held_to
    held_from, held_to = add_up(to_add)

def want():
    time.sleep(0.1)  # comes back while the GIL is held

def compute():
    derive(to_derive)  # gives the GIL up

def rest():
    time.sleep(1.5)

threads = [measured(function) for function in (hold, want, compute, rest)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"held": [held_from, held_to], **times}))
"""

MARGIN_NS = 70_000_000  # after which `want` waits for the GIL
SLEEP_OF_WANT_NS = 120_000_000  # from its beginning, with some to wake up


class Known(NamedTuple):
    """A recording and what the program measured: begin, end and CPU time of each thread, in nanoseconds."""

    recording: Recorded
    path: pathlib.Path
    times: dict[str, Any]


_known: dict[str, Known] = {}


@pytest.fixture
def known(representative: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """PROGRAM recorded, once per interpreter."""
    if representative.id not in _known:
        folder = tmp_path_factory.mktemp("known")
        outcome = run_recorded(representative, folder, PROGRAM, options=("-r", "2khz"))
        assert (outcome.status, outcome.errors) == (0, ""), outcome.errors
        path = folder / "out.gpf"
        _known[representative.id] = Known(Recorded(path), path, json.loads(outcome.output))
    return _known[representative.id]


@pytest.mark.parametrize(
    ("thread", "gil", "never_runs"),
    [("hold", GIL_HELD, False), ("want", GIL_WANTED, True), ("compute", 0, False), ("rest", 0, True)],
)
def test_each_sample_says_what_its_thread_does(known: Known, thread: str, gil: int, never_runs: bool) -> None:
    begin, _, cpu = known.times["compute"]
    held_from, held_to = known.times["held"]
    # From when each is where it wants to be, also where one of them came late to its work.
    start = max(
        held_from + MARGIN_NS, *(times[0] + SLEEP_OF_WANT_NS for name, times in known.times.items() if name != "held")
    )
    end = min(held_to, begin + cpu)  # as long as `compute` is in C for certain
    said = [sample.status for sample in known.recording.of_thread(thread) if start < sample.time_ns < end]
    assert len(said) > 100
    counts = Counter(status & (GIL_HELD | GIL_WANTED | GIL_UNKNOWN) for status in said)
    assert counts[gil] >= 0.99 * len(said), counts
    if never_runs:
        assert sum(status & ON_CPU != 0 for status in said) <= 0.01 * len(said)


def test_no_two_samples_of_a_moment_hold_the_gil(known: Known) -> None:
    holders = [sample for sample in known.recording.samples if sample.status & GIL_HELD]
    assert len(holders) > 200
    both = sum(
        one.thread != other.thread and other.time_ns - one.time_ns < 20_000 for one, other in zip(holders, holders[1:])
    )
    assert both <= 0.01 * len(holders)


def weights(known: Known, weight: str) -> Counter[str]:
    """What `gauge convert` gives each thread, in nanoseconds."""
    command = [gauge_testing.executable_path(), "convert", "--to", "collapsed", "--threads", "--weight", weight]
    outcome = gauge_testing.run([*command, "-o", "-", known.path])
    assert outcome.returncode == 0, outcome.stderr
    sums: Counter[str] = Counter()
    for line in outcome.stdout.decode().splitlines():
        stack, _, amount = line.rpartition(" ")
        found = re.match(r"<thread (\w+)", stack)
        assert found is not None, line
        sums[found[1]] += int(amount)
    return sums


def test_cpu_weights_are_what_the_threads_used(known: Known) -> None:
    seen = weights(known, "cpu")
    for thread in ("hold", "compute"):
        used = known.times[thread][2]
        assert 0.97 * used - known.recording.missed_ns() < seen[thread] < 1.03 * used, thread
    for thread in ("want", "rest"):  # they wake now and then, and are seldom met at it
        assert seen[thread] <= known.times[thread][2] + 0.01 * known.times["hold"][2], thread


def test_gil_weights_are_how_long_the_gil_was_held(known: Known) -> None:
    seen = weights(known, "gil")
    held_from, held_to = known.times["held"]
    held = held_to - held_from
    assert 0.97 * held - known.recording.missed_ns() < seen["hold"] < 1.03 * held
    for thread in ("want", "compute", "rest"):
        assert seen[thread] < 0.02 * held, thread


def test_wall_weights_are_how_long_the_threads_lived(known: Known) -> None:
    seen = weights(known, "wall")
    for thread in ("hold", "want", "compute", "rest"):
        begin, end, _ = known.times[thread]
        life = end - begin
        assert 0.97 * life - known.recording.missed_ns() < seen[thread] < 1.03 * life, thread


TURNS = """
import os
import sys

if sys.argv[1] == "one core":
    for thread in os.listdir("/proc/self/task"):  # the recorder's as well: then nobody runs while it looks
        os.sched_setaffinity(int(thread), {min(os.sched_getaffinity(0))})

TURN = 0.003

def work(until):
    while time.monotonic() < until:
        pass

def rest():
    time.sleep(TURN)

begin = time.thread_time_ns()
end = time.monotonic() + 2
worked = late = 0
while (start := time.monotonic()) < end:
    work(start + TURN)
    worked += (between := time.monotonic()) - start
    rest()
    late += time.monotonic() - between - TURN
used = time.thread_time_ns() - begin
print(used, 1 - used / 1e9 / (worked + late))
"""


class Turns(NamedTuple):
    """A recording of TURNS; times in nanoseconds."""

    used: int  # CPU time of the thread
    waited: float  # of the time in which the thread could have run, the share in which others had its core
    seen: Counter[str]  # CPU time that samples give to `work` and to `rest`
    missed: int  # time that no sample stands for


def record_turns(interpreter: Interpreter, folder: pathlib.Path, cores: str) -> Turns:
    outcome = run_recorded(interpreter, folder, TURNS, cores, options=("-r", "200hz"))
    assert (outcome.status, outcome.errors) == (0, ""), outcome.errors
    used, waited = outcome.output.split()
    command = [gauge_testing.executable_path(), "convert", "--to", "collapsed", "--weight", "cpu", "-o", "-"]
    stacks = gauge_testing.run([*command, folder / "out.gpf"]).stdout.decode().splitlines()
    seen: Counter[str] = Counter()
    for stack, _, amount in (line.rpartition(" ") for line in stacks):
        leaf = re.search(r"\b(work|rest)\b", stack)
        seen[leaf[1] if leaf else ""] += int(amount)
    return Turns(int(used), float(waited), seen, Recorded(folder / "out.gpf").missed_ns())


def quietest_turns(interpreter: Interpreter, folder: pathlib.Path, cores: str) -> Turns:
    """Of five recordings; the first one of a machine that leaves the program its core is good enough."""
    runs = []
    for number in range(5):
        (run_folder := folder / str(number)).mkdir()
        runs.append(record_turns(interpreter, run_folder, cores))
        if runs[-1].waited < 0.1:
            break
    return min(runs, key=lambda run: run.waited)


@pytest.mark.parametrize("cores", ["all cores", "one core"])
def test_sleep_between_work_is_given_little_cpu_time(
    representative: Interpreter, tmp_path: pathlib.Path, cores: str
) -> None:
    turns = quietest_turns(representative, tmp_path, cores)
    # Half of it, if it went to where the thread is found. Some does: one that has been woken waits for a core like one
    # that had to make room, the longer the busier the machine.
    assert turns.seen["rest"] < (0.1 + turns.waited) * turns.used, turns
    assert turns.seen["work"] > (0.8 - turns.waited) * turns.used - turns.missed, turns
