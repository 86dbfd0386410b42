"""Threads that come and go, and interpreters within the interpreter."""

from __future__ import annotations

import pathlib

import pytest

from gauge_testing import Interpreter
from record_testing import SOME, info, run_recorded
from recorder_testing import PARTIAL, Recorded

CHURN = """
import threading

def errand():
    sum(range(2000))

def churn():
    for _ in range(150):  # takes less than a second
        threads = [threading.Thread(target=errand, name="errand") for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

churn()
"""


def test_threads_by_the_thousand_are_recorded_as_they_come(representative: Interpreter, tmp_path: pathlib.Path) -> None:
    outcome = run_recorded(representative, tmp_path, CHURN)
    assert (outcome.status, outcome.errors) == (0, "")
    (facts,) = info(tmp_path / "out.gpf")
    recording = Recorded(tmp_path / "out.gpf")
    assert len(facts["threads"]) <= 1500 + 1
    assert all(thread["cpu_ns"] >= 0 for thread in facts["threads"])
    assert facts["failed_reads"] < 0.05 * facts["samples"]
    assert len(recording.with_function("churn")) > SOME
    # Before it has its name a thread has the one that threading gave it, or none.
    for sample in recording.of_thread("errand"):
        if not sample.status & PARTIAL:
            assert sample.stack[0].name == recording.name_of("Thread._bootstrap")
    for sample in recording.with_function("errand"):
        assert sample.thread != "MainThread"


INTERPRETERS = """
try:
    import _interpreters as interpreters  # since 3.13
except ImportError:
    import _xxsubinterpreters as interpreters

inside = '''
import sys, time
def serve():
    until = time.process_time() + 0.2
    while time.process_time() < until:
        sum(range(1000))
serve()
print(sys.path, "sitecustomize" in sys.modules, "_recorder" in sys.modules, flush=True)
'''
time.sleep(float(sys.argv[1]))
number = interpreters.create()
interpreters.run_string(number, inside)
interpreters.destroy(number)
"""


@pytest.mark.parametrize("options", [("-r", "1khz"), ("-s", "-r", "1khz")], ids=["one", "all"])
def test_an_interpreter_within_is_recorded_with_the_process(
    recordable: Interpreter, tmp_path: pathlib.Path, options: tuple[str, ...]
) -> None:
    bare = run_recorded(recordable, tmp_path, INTERPRETERS, "0", options=None)
    outcome = run_recorded(recordable, tmp_path, INTERPRETERS, "0", options=options)
    assert (outcome.status, outcome.output, outcome.errors) == (0, bare.output, bare.errors)
    assert outcome.with_function("serve") == tmp_path / "out.gpf"
    assert list(outcome.recordings()) == [tmp_path / "out.gpf"]


def test_an_interpreter_after_the_recording_begins_none(representative: Interpreter, tmp_path: pathlib.Path) -> None:
    bare = run_recorded(representative, tmp_path, INTERPRETERS, "0", options=None)
    outcome = run_recorded(representative, tmp_path, INTERPRETERS, "0.3", options=("-s", "-d", "100ms", "--strict"))
    assert (outcome.status, outcome.output, outcome.errors) == (0, bare.output, bare.errors)
    assert "unrecorded" not in outcome.told
    assert list(outcome.recordings()) == [tmp_path / "out.gpf"]
