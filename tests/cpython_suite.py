#!/usr/bin/env python3
"""Runs tests of CPython itself, bare and below `gauge record`, and tells which of them the recorder changes.

    tests/cpython_suite.py --gauge build/release/bin/gauge [--python PATH]... [MODULE]...

For every interpreter that ships its tests and has a recorder, each module runs bare and recorded, both writing what
became of each test. A test counts as broken if it passes bare and does not pass recorded, twice. Takes minutes a
module and an interpreter, so it is no part of `make test`. The exit status is 1 if any test is broken.
"""

from __future__ import annotations

import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).with_name("python")))
import gauge_testing

# What has to do with what a recorder does to a process: threads, signals, forks, the end, frames, memory.
MODULES = (
    "test_asyncio",
    "test_atexit",
    "test_concurrent_futures",
    "test_coroutines",
    "test_exceptions",
    "test_faulthandler",
    "test_fork1",
    "test_frame",
    "test_gc",
    "test_generators",
    "test_multiprocessing_fork",
    "test_multiprocessing_forkserver",
    "test_multiprocessing_spawn",
    "test_posix",
    "test_signal",
    "test_site",
    "test_subprocess",
    "test_sys",
    "test_sys_settrace",
    "test_thread",
    "test_threading",
    "test_tracemalloc",
    "test_weakref",
)
SECONDS = 1200  # one run of a module


@dataclass
class Outcome:
    """What became of the tests of one module in one run."""

    passed: set[str] = field(default_factory=set)
    others: dict[str, str] = field(default_factory=dict)  # test -> "skipped" or the first line of why it failed


def outcome_of(report: pathlib.Path) -> Outcome:
    """Reads a JUnit file of regrtest; empty where the run did not come so far."""
    outcome = Outcome()
    if not report.exists() or report.stat().st_size == 0:
        return outcome
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "")
        bad = [child for child in case if child.tag in ("error", "failure", "skipped")]
        if not bad:
            outcome.passed.add(name)
        elif bad[0].tag == "skipped":
            outcome.others[name] = "skipped"
        else:
            lines = (bad[0].text or bad[0].tag).strip().splitlines()
            outcome.others[name] = lines[-1] if lines else bad[0].tag
    return outcome


def run_module(prefix: Sequence[str], python: pathlib.Path, module: str) -> Outcome:
    """One run of one module in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="gauge-suite-") as folder:
        report = pathlib.Path(folder) / "report.xml"
        command = [*prefix, str(python), "-m", "test", "--junit-xml", str(report), module]
        try:
            subprocess.run(
                command,
                cwd=folder,
                timeout=SECONDS,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            return Outcome(others={module: f"ran longer than {SECONDS} s"})
        return outcome_of(report)


def broken_tests(bare: Outcome, recorded: Outcome) -> dict[str, str]:
    """Tests that pass bare only, with what became of them recorded."""
    lost = bare.passed - recorded.passed
    return {test: recorded.others.get(test, "did not run") for test in sorted(lost)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gauge", type=pathlib.Path, required=True, help="the command to record with")
    parser.add_argument("--python", type=pathlib.Path, action="append", help="default: all there are")
    parser.add_argument("--rate", default="1khz", help="as of gauge record")
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    arguments = parser.parse_args()
    # Of what a shell put into the background SIGINT is ignored, in children too; test_threading waits for it for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    pythons = arguments.python or [each.path for each in gauge_testing.find_interpreters() if each.recorder.exists()]
    record = [str(arguments.gauge.resolve()), "record", "-s", "-r", arguments.rate, "-o", "out-%p.gpf", "--"]
    status = 0
    for python in pythons:
        interpreter = gauge_testing.describe_interpreter(python)
        name = interpreter.id if interpreter else python
        for module in arguments.modules:
            bare = run_module([], python, module)
            if not bare.passed:
                print(f"{name} {module}: not shipped, or nothing in it passes bare", flush=True)
                continue
            broken = broken_tests(bare, run_module(record, python, module))
            if broken:  # tests of threads and signals fail now and then of themselves
                again = broken_tests(bare, run_module(record, python, module))
                broken = {test: reason for test, reason in again.items() if test in broken}
            print(f"{name} {module}: {len(bare.passed)} pass bare, {len(broken)} broken", flush=True)
            for test, reason in broken.items():
                status = 1
                print(f"    {test}: {reason}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
