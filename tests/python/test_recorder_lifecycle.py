"""A recording may begin, end or be cut at any moment, and the program never notices."""

from __future__ import annotations

import json
import pathlib
import signal

import pytest

import gauge_testing
from gauge_testing import Interpreter
from recorder_testing import Recorded, record_program, run_program

SPIN = """
    import os
    import signal
    import sys
    import threading
    import time

    import gauge

    def spin(seconds):  # for longer where the sampler got no core meanwhile, as on a busy machine
        enough = recorder.stats.ticks + 20
        while True:
            until = time.thread_time() + seconds
            while time.thread_time() < until:
                pass
            if recorder.stats.ticks >= enough or not recorder.stats.is_running:
                break

    def spin_until_written():
        written = recorder.stats.samples
        while recorder.stats.samples < written + 100:
            spin(0.01)

    recorder = gauge.Recorder("out.gpf", rate=1000)
    recorder.start()
"""

# For spin_until_written: what ends without Python's own exit loses the samples that are not on the disk yet. At this
# rate a block is full long before the second is over after which it is written in any case.
SPIN_FAST = SPIN.replace("rate=1000", "rate=20_000")

# Of the twenty ticks and more that each program waits for.
SOME = 10


@pytest.mark.parametrize(
    ("ending", "status", "stderr"),
    [
        ("sys.exit(3)", 3, ""),
        ("sys.exit('bye')", 1, "bye\n"),
        ("raise SystemExit", 0, ""),
        ("pass", 0, ""),
    ],
)
def test_an_exit_ends_the_recording_and_keeps_its_status(
    recordable: Interpreter, tmp_path: pathlib.Path, ending: str, status: int, stderr: str
) -> None:
    done = run_program(recordable, tmp_path, SPIN + f"\n    spin(0.05)\n    {ending}\n")
    assert (done.returncode, done.stderr.decode()) == (status, stderr)
    recording = Recorded(tmp_path / "out.gpf")
    assert recording.end == "exit"
    assert recording.leaves("MainThread")["spin"] > SOME


def test_an_uncaught_exception_is_the_programs_own(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    done = run_program(recordable, tmp_path, SPIN + "\n    spin(0.05)\n    raise ValueError('theirs')\n")
    assert done.returncode == 1
    assert done.stderr.endswith(b"ValueError: theirs\n")
    assert Recorded(tmp_path / "out.gpf").end == "exit"


def test_exceptions_are_raised_and_caught_as_ever(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, output = record_program(
        recordable,
        tmp_path,
        SPIN
        + """
    def fail(depth):
        if depth == 0:
            raise KeyError(depth)
        try:
            fail(depth - 1)
        finally:
            depth += 1

    caught = calls = 0
    while recorder.stats.ticks < 400:
        for _ in range(50):
            calls += 1
            try:
                fail(20)
            except KeyError as error:
                caught += error.args == (0,)
    recorder.stop()
    print(calls > 100, caught == calls)
    """,
    )
    assert output == "True True\n"
    assert recording.leaves("MainThread")["fail"] > SOME


def test_what_runs_at_exit_is_recorded_too(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    done = run_program(
        recordable, tmp_path, SPIN + "\n    import atexit\n    def late(): spin(0.05)\n    atexit.register(late)\n"
    )
    assert done.returncode == 0
    recording = Recorded(tmp_path / "out.gpf")
    assert recording.end == "exit"
    assert len(recording.with_function("late")) > SOME


def test_daemon_threads_do_not_disturb_the_end(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    done = run_program(
        recordable,
        tmp_path,
        SPIN
        + "\n    for _ in range(4): threading.Thread(target=spin, args=(60,), daemon=True).start()\n    spin(0.05)\n",
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert Recorded(tmp_path / "out.gpf").end == "exit"


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("os._exit(7)", 7),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("os.execv('/bin/true', ['true'])", 0),
    ],
)
def test_a_sudden_end_leaves_a_readable_file(
    recordable: Interpreter, tmp_path: pathlib.Path, ending: str, status: int
) -> None:
    done = run_program(recordable, tmp_path, SPIN_FAST + f"\n    spin_until_written()\n    {ending}\n")
    assert (done.returncode, done.stderr) == (status, b"")
    recording = Recorded(tmp_path / "out.gpf")
    assert recording.end is None
    assert recording.damaged == 0
    assert recording.leaves("MainThread")["spin"] > SOME


KILLED_SOMETIME = (
    SPIN
    + """
    if sys.argv[2:] == ["after a pause"]:
        spin(0.05)
        recorder.pause()
        time.sleep(0.04)  # by then the writer has seen it
        recorder.resume()
    until = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < until:
        pass
    print(time.clock_gettime_ns(time.CLOCK_MONOTONIC), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
)


@pytest.mark.parametrize(
    ("moments", "when"),
    [((0.2, 0.35, 0.5, 0.99, 1.0, 1.02, 1.3), []), ((0.05, 0.06, 0.07, 0.08, 0.09), ["after a pause"])],
)
def test_a_kill_costs_the_last_moments_at_most(
    newest: Interpreter, tmp_path: pathlib.Path, moments: tuple[float, ...], when: list[str]
) -> None:
    lost = []
    for seconds in moments:
        done = run_program(newest, tmp_path, KILLED_SOMETIME, str(seconds), *when)
        assert done.returncode == -signal.SIGKILL
        info = gauge_testing.run([gauge_testing.executable_path(), "info", "--json", "out.gpf"], cwd=tmp_path)
        (facts,) = json.loads(info.stdout)
        assert facts["truncated"]
        assert facts["damaged_blocks"] == 0
        lost.append((int(done.stdout) - facts["last_sample_monotonic_ns"]) / 1e6)
        for path in tmp_path.glob("out.gpf*"):
            path.unlink()
    # Milliseconds; a busy machine may keep the writer from its core for a while, but not each time.
    assert sorted(lost)[len(lost) // 2] < 40
    assert max(lost) < 500


def test_forking_leaves_parent_and_child_healthy(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, output = record_program(
        recordable,
        tmp_path,
        SPIN
        + """
    def doze(recorder):  # gives up its core again and again: on a busy machine the sampler has to wait for one
        while recorder.stats.ticks < 50:
            for _ in range(10):
                sum(range(5000))
                time.sleep(0.001)

    def child():
        assert recorder.stats.end_reason == "fork" and not recorder.stats.is_running
        recorder.stop()
        own = gauge.Recorder("child-%p.gpf", rate=2000)
        own.start()
        doze(own)
        own.stop()

    statuses = []
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                child()
                code = 0
            finally:
                os._exit(code)
        spin(0.01)
        statuses.append(os.waitpid(pid, 0)[1])
    assert recorder.stats.is_running
    recorder.stop()
    print(statuses)
    """,
    )
    assert output == f"{[0] * 10}\n"
    assert recording.end == "stop"
    children = list(tmp_path.glob("child-*.gpf"))
    assert len(children) == 10
    for path in children:
        child = Recorded(path)
        assert child.end == "stop"
        assert child.leaves("MainThread")["doze"] > SOME
        assert child.pid != recording.pid


def test_forked_children_that_exit_normally_leave_the_parents_file_alone(
    recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    recording, output = record_program(
        recordable,
        tmp_path,
        SPIN
        + """
    import multiprocessing
    if __name__ == "__main__":
        context = multiprocessing.get_context("fork")
        with context.Pool(4) as pool:
            print(sum(pool.map(abs, range(-100, 100))), flush=True)
        while len(os.listdir("/proc/self/task")) > 3:  # joined threads of the pool, which CPython would warn of
            time.sleep(0.001)
        pid = os.fork()
        if pid == 0:
            sys.exit(5)  # through atexit and finalisation
        assert os.waitpid(pid, 0)[1] == 5 << 8
        spin(0.05)
    """,
    )
    assert output == "10000\n"
    assert recording.end == "exit"


FORK_WARNING = """
    import os
    import sys
    import threading
    import time
    import warnings

    import gauge

    def fork_and_show(title):
        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            before = list(warnings.filters)
            pid = os.fork()
            if pid == 0:
                os._exit(warnings.filters != before)
            assert warnings.filters == before
            assert os.waitpid(pid, 0)[1] == 0
        print(title, [str(warning.message).split(",")[1] for warning in shown])

    fork_and_show("bare")
    with gauge.record("out.gpf", rate=1000):
        fork_and_show("recorded")
        fork_and_show("recorded again")
        release = threading.Event()
        threading.Thread(target=release.wait).start()
        fork_and_show("with a thread of its own")
        release.set()
    while len(os.listdir("/proc/self/task")) > 1:  # the thread that was released
        time.sleep(0.001)
    fork_and_show("after")
"""


# Since 3.14 catch_warnings() may keep its filters in the context instead of the module.
@pytest.mark.parametrize("in_context", ["0", "1"])
def test_a_fork_is_warned_of_where_it_would_be_without_us(
    recordable: Interpreter, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, in_context: str
) -> None:
    monkeypatch.setenv("PYTHON_CONTEXT_AWARE_WARNINGS", in_context)
    _, output = record_program(recordable, tmp_path, FORK_WARNING)
    # CPython warns of forks in processes with several threads since 3.12.
    warns = recordable.minor not in ("3.9", "3.10", "3.11")
    warned = [" use of fork() may lead to deadlocks in the child."] if warns else []
    assert output == f"bare []\nrecorded []\nrecorded again []\nwith a thread of its own {warned}\nafter []\n"


def test_the_program_sees_nothing_of_the_recorder(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, output = record_program(
        recordable,
        tmp_path,
        """
        import os, signal, sys, threading, time
        import gauge

        def visible():
            handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
            return os.listdir("/proc/self/fd"), threading.enumerate(), handlers, dict(os.environ), list(sys.path)

        before = visible()
        with gauge.record("out.gpf", rate=1000):
            time.sleep(0.1)
            during = visible()
        print(before == during, before == visible())
        """,
    )
    assert output == "True True\n"
    assert recording.end == "stop"


def test_a_program_that_closes_every_descriptor_is_recorded_on(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    done = run_program(
        recordable,
        tmp_path,
        SPIN_FAST
        + """
    spin(0.05)
    os.closerange(0, 1024)
    for number in range(64):
        assert os.open("theirs.txt", os.O_RDWR | os.O_CREAT) == number
    def after_closing(): spin_until_written()
    after_closing()
    """,
    )
    assert done.returncode == 0
    recording = Recorded(tmp_path / "out.gpf")
    assert recording.end == "exit"
    assert len(recording.with_function("after_closing")) > SOME
    assert (tmp_path / "theirs.txt").read_bytes() == b""


def test_a_recorder_can_be_started_again_and_two_are_refused(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    done = run_program(
        recordable,
        tmp_path,
        """
        import time
        import gauge

        first = gauge.Recorder("%n.gpf")
        second = gauge.Recorder("second.gpf")
        for _ in range(2):
            first.start()
            try:
                second.start()
            except gauge.Error as error:
                print(error)
            time.sleep(0.1)
            first.stop()
        second.start()
        second.stop()
        print(first.path, second.stats.end_reason)
        """,
    )
    refusal = "recorder: a recording of this process is running already; stop it first\n"
    assert done.stdout.decode() == refusal * 2 + "2.gpf stop\n"
    for name in ("1.gpf", "2.gpf", "second.gpf"):
        assert Recorded(tmp_path / name).end == "stop"


def test_two_copies_of_the_module_refuse_each_other(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    done = run_program(
        recordable,
        tmp_path,
        f"""
        import importlib.machinery, importlib.util
        import gauge

        spec = importlib.util.spec_from_file_location("_recorder", {str(recordable.recorder)!r})
        copy = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(copy)
        injected = copy.Recorder("injected.gpf", interval_ns=10_000_000)
        injected.start()
        try:
            gauge.Recorder("own.gpf").start()
        except gauge.Error as error:
            print(error)
        injected.stop()
        with gauge.record("own.gpf"):
            pass
        """,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "recorder: a recording of this process is running already; stop it first\n"
