"""What the recorder's StackSource sees of this interpreter, against what the interpreter itself says."""

from __future__ import annotations

import collections
import contextlib
import functools
import gc
import platform
import sys
import threading
import time
import traceback
import types
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import walker_probe
from moving_programs import leaf_a, name_of, nested
from parked_threads import WAYS, Built, Parked, delegated, plainly, through_recursion

PARTIAL, TRUNCATED, ON_CPU, CPU_UNKNOWN = 1, 2, 8, 16
GIL_HELD, GIL_WANTED, GIL_UNKNOWN, NEW_CALL = 32, 64, 128, 256
MAX_DEPTH = 2048

Frame = tuple[str, str, int]


def told_stack(frame: types.FrameType | None) -> list[Frame]:
    """The stack as the interpreter tells it, innermost first."""
    return [(name_of(f.f_code), f.f_code.co_filename, line) for f, line in traceback.walk_stack(frame)]


def samples_of(result: dict[str, Any], ident: int) -> list[dict[str, Any]]:
    return [s for s in result["samples"] if result["threads"][s["thread"]][0] == ident]


@contextlib.contextmanager
def sampling(interval_ns: int = 1_000_000, **options: Any) -> Iterator[dict[str, Any]]:
    """Samples while the block runs; the dictionary is filled at its end."""
    result: dict[str, Any] = {}
    walker_probe.start(interval_ns, **options)
    try:
        yield result
    finally:
        result.update(walker_probe.stop())


def wait_until(holds: Callable[[], bool]) -> None:
    """Gives the sampler time; much more than it needs."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def wait_for_samples(count: int) -> None:
    """Until there are so many more than now."""
    wanted = walker_probe.sample_count() + count
    wait_until(lambda: walker_probe.sample_count() >= wanted)


class StacksOfThreadsAtRest(unittest.TestCase):
    def test_every_frame_is_what_the_interpreter_says(self) -> None:
        for reader in ("", "process_vm_readv", "proc_mem"):
            with contextlib.ExitStack() as parked:
                idents = [parked.enter_context(Parked(way)) for way in WAYS]
                with sampling(reader=reader, lines=True) as result:
                    wait_for_samples(20 * len(WAYS))
                truth = {ident: told_stack(frame) for ident, frame in sys._current_frames().items()}
            for way, ident in zip(WAYS, idents):
                with self.subTest(way=way, reader=reader):
                    samples = samples_of(result, ident)
                    assert len(samples) > 0
                    for sample in samples:
                        assert sample["frames"] == truth[ident]
                        assert sample["status"] & (PARTIAL | TRUNCATED | ON_CPU | CPU_UNKNOWN | GIL_HELD) == 0
            assert result["failed_reads"] < 5  # of the main thread, which moves; one at rest would fail each time
            assert result["unknown_names"] == 0

    def test_a_stack_too_deep_is_truncated_at_its_root(self) -> None:
        depth = 10_000
        limit, size = sys.getrecursionlimit(), threading.stack_size(256 << 20)
        sys.setrecursionlimit(depth + 1000)
        try:
            with Parked(functools.partial(through_recursion, depth)) as ident, sampling(lines=True) as result:
                wait_for_samples(20)
        finally:
            sys.setrecursionlimit(limit)
            threading.stack_size(size)
        samples = samples_of(result, ident)
        assert len(samples) > 0
        for sample in samples:
            assert sample["status"] & (PARTIAL | TRUNCATED) == TRUNCATED
            assert len(sample["frames"]) == MAX_DEPTH
            assert sample["frames"][0][0] == name_of(Parked._park.__code__)
            assert {name for name, _, _ in sample["frames"][1:]} == {"through_recursion"}

    def test_a_thread_is_shown_with_its_ids_and_name(self) -> None:
        with Parked(plainly) as ident:
            thread = next(t for t in threading.enumerate() if t.ident == ident)
            thread.name = "p\u00e4rked; \U0001f40d"
            with sampling() as result:
                wait_for_samples(2)
            shown = next(t for t in result["threads"].values() if t[0] == ident)
            assert shown == (ident, thread.native_id, 0, thread.name)

    def test_a_new_name_is_shown(self) -> None:
        with Parked(plainly) as ident, sampling() as result:
            thread = next(t for t in threading.enumerate() if t.ident == ident)
            time.sleep(0.2)  # names are looked at more often at first
            shown = walker_probe.thread_count()
            thread.name = "renamed"
            wait_until(lambda: walker_probe.thread_count() > shown)
        assert next(t[3] for t in result["threads"].values() if t[0] == ident) == "renamed"


class CodeThatRuns(unittest.TestCase):
    def test_no_frame_of_the_interpreter_shows(self) -> None:
        def build() -> None:
            Built(leaf_a)

        with sampling(0, lines=True) as result:
            while walker_probe.sample_count() < 10_000:
                for _ in range(100):
                    build()
        frames = [frame for sample in result["samples"] for frame in sample["frames"]]
        assert "__init__" not in {file for _, file, _ in frames}
        # Of the others some instructions have no line: to leave a block, CPython 3.10 has such.
        built = {name_of(code) for code in (build.__code__, Built.__init__.__code__, leaf_a.__code__)}
        lines = [line for name, _, line in frames if name in built]
        assert lines
        assert all(line > 0 for line in lines)

    def test_code_made_and_dropped_is_never_taken_for_other_code(self) -> None:
        def run(name: str) -> None:
            scope: dict[str, Any] = {}
            exec(compile(f"def {name}():\n return sum(range(200))", f"<{name}>", "exec"), scope)
            scope[name]()

        made: set[str] = set()
        with sampling(0) as result:
            while len(made) < 1_000 or walker_probe.sample_count() < 10_000:
                name = f"made_{len(made)}"
                made.add(name)
                run(name)
        for sample in result["samples"]:
            for name, file, _ in sample["frames"]:
                if name.startswith("made_"):
                    assert name in made
                    assert file == f"<{name}>"

    def test_recursion_exceptions_and_collections_are_survived(self) -> None:
        def fall(depth: int) -> None:
            if depth == 0:
                raise ValueError
            fall(depth - 1)

        with sampling(0, lines=True) as result:
            while walker_probe.sample_count() < 2_000:
                for depth in (3, 200, 20, 700):
                    with contextlib.suppress(ValueError):
                        fall(depth)
                gc.collect(0)
        for sample in result["samples"]:
            names = [name for name, _, _ in sample["frames"]]
            assert names[-1] == "<module>" or sample["status"] & TRUNCATED, names[-3:]
        assert result["truncated_stacks"] < result["count"] // 20 + 5


class Threads(unittest.TestCase):
    def test_threads_that_come_and_go_are_survived(self) -> None:
        def work() -> None:
            leaf_a()

        started = 0
        with sampling(0) as result:
            while started < 400 or walker_probe.sample_count() < 10_000:
                threads = [threading.Thread(target=work) for _ in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                started += len(threads)
        allowed = {name_of(leaf_a.__code__), name_of(work.__code__)}
        for sample in result["samples"]:
            names = [name for name, _, _ in sample["frames"]]
            if names[0] in allowed and sample["status"] & PARTIAL == 0:
                assert names[-1] == name_of(threading.Thread._bootstrap.__code__)
        assert len(result["threads"]) <= started + 1
        # One that stands still on a busy machine where it cannot be read is looked at in vain for a whole time slice.
        assert result["failed_reads"] < result["count"] // 5

    def test_the_gil_and_the_core_are_told_right(self) -> None:
        ready = threading.Barrier(5)
        seconds = 1.0

        def hold() -> None:
            ready.wait()
            time.sleep(0.1)
            walker_probe.hold_gil(seconds)

        def want() -> None:
            ready.wait()
            time.sleep(0.2)  # comes back while hold() has the GIL

        def work() -> None:
            ready.wait()
            walker_probe.spin_without_gil(seconds)

        def rest() -> None:
            ready.wait()
            time.sleep(seconds + 0.5)

        threads = {f.__name__: threading.Thread(target=f) for f in (hold, want, work, rest)}
        for thread in threads.values():
            thread.start()
        # In the middle of the second in which each does what it does.
        with sampling(500_000, start_after_ns=int(0.5e9), held_for_ns=int(0.25e9)) as result:
            ready.wait()
            for thread in threads.values():
                thread.join()
        gil = GIL_HELD | GIL_WANTED | GIL_UNKNOWN
        expected = {"hold": GIL_HELD, "want": GIL_WANTED, "work": 0, "rest": 0}
        for name, bits in expected.items():
            counts: collections.Counter[int] = collections.Counter()
            running: collections.Counter[bool] = collections.Counter()
            for sample in samples_of(result, threads[name].ident or 0):
                counts[sample["status"] & gil] += sample["count"]
                running[sample["status"] & ON_CPU != 0] += sample["count"]
            with self.subTest(thread=name, seen=counts):
                assert sum(counts.values()) > 100
                # 99 % and more on an idle machine; on a busy one a thread about to wait may be kept from a core.
                assert counts[bits] >= 0.95 * sum(counts.values())
                if name in ("want", "rest"):
                    assert running[False] >= 0.95 * sum(running.values())

    def test_cpu_time_adds_up_to_what_the_thread_used(self) -> None:
        used = 0

        def spin() -> None:
            nonlocal used
            before = time.thread_time_ns()
            while time.thread_time_ns() - before < 300_000_000:
                leaf_a()
            used = time.thread_time_ns() - before

        thread = threading.Thread(target=spin)
        with sampling() as result:
            thread.start()
            thread.join()
        cpu = sum(s["cpu_ns"] for s in samples_of(result, thread.ident or 0))
        assert abs(cpu / used - 1) < 0.1


class Continuity(unittest.TestCase):
    def test_calls_in_a_loop_are_told_apart(self) -> None:
        def call() -> None:
            wait_for_samples(5)

        def loop(count: int) -> None:
            for _ in range(count):
                call()

        with sampling(1_000_000, continuity=True) as result:
            loop(25)
        new_calls = 0
        for sample in result["samples"]:
            names = [name.rsplit(".", 1)[-1] for name, _, _ in sample["frames"]]
            if "call" not in names or not sample["status"] & NEW_CALL:
                continue
            first_new = names[len(names) - 1 - sample["same"]]
            new_calls += sample["count"] * (first_new == "call")
        # The first is new together with loop(), unless that was sampled before it.
        assert 24 <= new_calls <= 25

    def test_one_long_call_stays_one(self) -> None:
        def once() -> None:
            while walker_probe.sample_count() < 200:
                leaf_a()

        with sampling(1_000_000, continuity=True) as result:
            once()
        for sample in result["samples"]:
            names = [name.rsplit(".", 1)[-1] for name, _, _ in sample["frames"]]
            if sample["status"] & NEW_CALL and "once" in names and sample["count"] > 1:
                assert names[len(names) - 1 - sample["same"]] != "once"


class Lies(unittest.TestCase):
    def test_a_reader_that_lies_is_survived(self) -> None:
        with sampling(0, reader="unreliable") as result:
            while walker_probe.sample_count() < 5_000:
                nested(30, leaf_a)
                for _ in delegated(lambda: None):
                    leaf_a()
                thread = threading.Thread(target=leaf_a)
                thread.start()
                thread.join()
        assert result["failed_reads"] > 0

    def test_an_interpreter_of_another_layout_is_refused_in_words(self) -> None:
        told = refusal(reader="misplaced")
        assert told.startswith(f"CPython {platform.python_version()}: its stacks cannot be read ("), told
        assert "build Gauge against its own headers" in told


def refusal(**options: Any) -> str:
    """Why sampling is not begun; empty if it is."""
    try:
        walker_probe.start(1_000_000, **options)
    except RuntimeError as error:
        return str(error)
    walker_probe.stop()
    return ""


if __name__ == "__main__":
    unittest.main()
