"""What a recording of a real program says is what the program did."""

from __future__ import annotations

import json
import pathlib
from collections import Counter

import pytest

from gauge_testing import Interpreter, minor_number
from recorder_testing import AFTER_GAP, TRUNCATED, Recorded, record_program

Workers = tuple[Recorded, dict[str, list[float]]]

WORKERS = """
    import json
    import threading
    import time

    import gauge


    class Worker:
        def spin(self, seconds):
            self.life = [time.monotonic()]
            while time.thread_time() < seconds:  # line 12
                self.add()                       # line 13
            self.life += time.monotonic(), time.thread_time()

        def add(self):
            return sum(range(1000))              # line 17


    def main():
        workers = [Worker(), Worker()]
        threads = [
            threading.Thread(target=worker.spin, args=(0.15,), name=name)
            for worker, name in zip(workers, ["first; é", "second"])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()                        # line 29
        return workers


    outside = [time.monotonic()]
    with gauge.record("out.gpf", rate=1000):
        inside = [time.monotonic()]
        workers = main()                         # line 36
        inside.append(time.monotonic())
    outside.append(time.monotonic())
    lives = {"outside": outside, "inside": inside, "first; é": workers[0].life, "second": workers[1].life}
    print(json.dumps(lives))
"""


_recorded: dict[str, Workers] = {}


@pytest.fixture
def workers(recordable: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Workers:
    """The recording of WORKERS, made once per interpreter, and the times it printed: begin, end, CPU time."""
    if recordable.id not in _recorded:
        recording, output = record_program(recordable, tmp_path_factory.mktemp("workers"), WORKERS)
        _recorded[recordable.id] = recording, json.loads(output)
    return _recorded[recordable.id]


def test_names_modules_files_and_lines_are_right(workers: Workers) -> None:
    recording, _ = workers
    spin, add = recording.name_of("Worker.spin"), recording.name_of("Worker.add")
    lines = {spin: {10, 11, 12, 13, 14}, add: {16, 17}}
    seen = set()
    for sample in recording.of_thread("second"):
        ours = [frame for frame in sample.stack if frame.module == "__main__"]
        assert [frame.name for frame in ours] == [spin, add][: len(ours)]
        assert {frame.module for frame in sample.stack} <= {"__main__", "threading"}
        for frame in ours:
            assert pathlib.Path(frame.file).name == "program.py"
            assert frame.line in lines[frame.name]
            seen.add(frame.name)
    assert seen == set(lines)


def test_callers_are_on_the_line_of_their_call(workers: Workers) -> None:
    recording, _ = workers
    joining = [sample for sample in recording.with_function("Thread.join") if sample.thread == "MainThread"]
    assert len(joining) > 50
    for sample in joining:
        assert (sample.stack[0].name, sample.stack[0].line) == ("<module>", 36)
        assert (sample.stack[1].name, sample.stack[1].line) == ("main", 29)


COLUMNS = """
    import time

    import gauge


    def spin():
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass


    def first():
        spin()
        return 1


    def second():
        spin()
        return 2


    def statements():
        first(); second()


    def expression():
        return "größe", first() + second()


    with gauge.record("out.gpf", rate=1000):
        for _ in range(5):  # a machine that stands still for a moment does so in one of them
            statements()
            expression()
"""


@pytest.mark.parametrize("with_debug_ranges", [True, False])
def test_the_column_tells_which_call_of_a_line_runs(
    with_debug_ranges: bool, recordable: Interpreter, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_debug_ranges:
        monkeypatch.setenv("PYTHONNODEBUGRANGES", "1")
    recording, _ = record_program(recordable, tmp_path, COLUMNS)
    has_columns = minor_number(recordable.version) >= 11 and with_debug_ranges
    lines = (tmp_path / "program.py").read_text(encoding="utf-8").splitlines()
    seen: Counter[tuple[str, str]] = Counter()
    for sample in recording.with_function("spin"):
        names = [frame.name for frame in sample.stack]
        callee = next(name for name in names if name in ("first", "second"))
        caller = sample.stack[names.index(callee) - 1]
        before_call, _, _ = lines[caller.line - 1].partition(f"{callee}()")
        # In bytes, not characters: "ö" and "ß" have two.
        assert caller.column == (len(before_call.encode()) + 1 if has_columns else 0)
        seen[caller.name, callee] += 1
    assert set(seen) == {(caller, callee) for caller in ("statements", "expression") for callee in ("first", "second")}


def test_every_thread_is_there_under_its_name(workers: Workers) -> None:
    recording, _ = workers
    assert recording.threads == {"MainThread", "first; é", "second"}


def test_weights_and_misses_sum_to_the_time_that_passed(workers: Workers) -> None:
    recording, lives = workers
    wall = (recording.wall_ns()["MainThread"] + recording.missed_ns()) / 1e9
    shortest, longest = (end - begin for begin, end in (lives["inside"], lives["outside"]))
    assert shortest - 0.05 < wall < longest + 0.05


def test_cpu_time_is_what_the_thread_used(workers: Workers) -> None:
    recording, lives = workers
    for name in ("first; é", "second"):
        begin, end, used = lives[name]
        samples = recording.of_thread(name)
        recorded = sum(sample.cpu_ns for sample in samples) / 1e9
        unseen = max(0, samples[0].time_ns / 1e9 - begin) + max(0, end - samples[-1].time_ns / 1e9)
        assert used - unseen - 0.02 < recorded < used * 1.01 + 0.02
    assert sum(sample.cpu_ns for sample in recording.of_thread("MainThread")) / 1e9 < 0.1


def test_metadata_describes_the_interpreter(workers: Workers, recordable: Interpreter) -> None:
    recording, _ = workers
    assert recording.python_version == recordable.version
    assert pathlib.Path(recording.command[-1]).name == "program.py"
    assert recording.interval_ns == 1_000_000
    assert recording.reader in ("memfd", "process_vm_readv", "proc_mem")
    assert recording.end == "stop"


def test_sampling_goes_on_while_a_thread_keeps_the_gil(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, output = record_program(
        recordable,
        tmp_path,
        """
        import sys
        import threading
        import time

        import gauge

        recorder = gauge.Recorder("out.gpf", rate=1000)
        recorder.start()
        before = time.monotonic_ns()
        count = 0
        while time.monotonic_ns() < before + 100_000_000:
            start = time.monotonic_ns()
            sum(range(10_000_000))  # one call in C that never gives the GIL up
            end = time.monotonic_ns()
        assert threading.active_count() == 1
        assert len(sys._current_frames()) == 1
        recorder.stop()
        print(start, end)
        """,
    )
    start, end = map(int, output.split())
    inside = [sample for sample in recording.samples if start < sample.time_ns < end]
    assert len(inside) + recording.missed_ticks > 0.9 * (end - start) / recording.interval_ns
    lines = [sample.stack[-1].line for sample in inside]
    # A thread may lose its core just after it has looked at the clock; so may the sampler, and see what comes after.
    assert set(lines[:-1]) <= {12, 13, 14, 15}
    assert lines.count(14) > 0.9 * len(inside)


def test_a_recursion_of_10000_is_cut_at_its_root_and_says_so(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, _ = record_program(
        recordable,
        tmp_path,
        """
        import sys
        import time

        import gauge

        def dive(depth):
            if depth:
                return dive(depth - 1)           # line 9
            until = time.thread_time() + 0.3
            while time.thread_time() < until:
                pass

        sys.setrecursionlimit(20_000)
        with gauge.record("out.gpf", rate=500):
            dive(10_000)
        """,
    )
    deep = [sample for sample in recording.samples if sample.status & TRUNCATED]
    assert len(deep) > 5
    for sample in deep:
        assert len(sample.stack) > 1000
        assert {frame.name for frame in sample.stack} == {"dive"}
        assert {frame.line for frame in sample.stack[:-1]} == {9}


def test_a_pause_is_a_gap_of_its_length(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, output = record_program(
        recordable,
        tmp_path,
        """
        import time

        import gauge

        recorder = gauge.Recorder("out.gpf", rate=500)
        recorder.start()
        time.sleep(0.1)
        recorder.pause()
        paused = time.monotonic_ns()
        time.sleep(0.2)
        resumed = time.monotonic_ns()
        recorder.resume()
        time.sleep(0.1)
        recorder.stop()
        print(paused, resumed)
        """,
    )
    paused, resumed = map(int, output.split())
    times = [sample.time_ns for sample in recording.samples]
    assert len([time for time in times if paused < time < resumed]) <= 1  # the look that was under way
    after = next(sample for sample in recording.samples if sample.time_ns >= resumed)
    assert after.status & AFTER_GAP
    assert min(times) < paused < resumed < max(times)


def test_generators_and_coroutines_have_their_whole_stack(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, _ = record_program(
        recordable,
        tmp_path,
        """
        import asyncio
        import time

        import gauge

        def spin(seconds):
            until = time.thread_time() + seconds
            while time.thread_time() < until:
                pass
            yield seconds

        def outer():
            yield from spin(0.1)                 # line 14

        async def inner():
            for _ in outer():                    # line 17
                pass

        async def main():
            await inner()                        # line 21

        with gauge.record("out.gpf", rate=1000):
            asyncio.run(main())
        """,
    )
    chain = ["main", "inner", "outer", "spin"]
    spinning = [s for s in recording.samples if s.stack and s.stack[-1].name == "spin"]
    assert len(spinning) > 5  # of a hundred, where the machine leaves time for every look
    for sample in spinning:
        assert [frame.name for frame in sample.stack[-4:]] == chain
        assert [frame.line for frame in sample.stack[-4:-1]] == [21, 17, 14]


# Each function is freed before the next one is made, mostly in the same place.
MADE_ANEW = """
    import json
    import time

    import gauge


    def make(number):
        scope = {"time": time}
        exec(f"def name_{number}(until):\\n    while time.monotonic_ns() < until: pass", scope)
        return scope.pop(f"name_{number}")


    log = []
    with gauge.record("out.gpf", rate=1000):
        for number in range(150):
            made = make(number)
            begin = time.monotonic_ns()
            made(begin + 3_000_000)
            log.append([begin, time.monotonic_ns()])
            del made
    print(json.dumps(log))
"""


def test_a_function_made_where_another_one_was_is_called_by_its_own_name(
    recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    recording, output = record_program(recordable, tmp_path, MADE_ANEW)
    log = json.loads(output)
    samples = recording.of_thread("MainThread")
    seen = set()
    for sample, following in zip(samples, samples[1:]):
        for number in [int(frame.name[5:]) for frame in sample.stack if frame.name.startswith("name_")]:
            seen.add(number)
            begin, end = log[number]
            assert sample.time_ns < end  # the stack was read between this sample's time and the next one's
            assert following.time_ns > begin
    assert len(seen) > 30
