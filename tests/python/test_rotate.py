"""`gauge record --rotate`: each part is a recording, all together say what one file would have."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import textwrap
import time
from collections import defaultdict
from typing import Any

import pytest

import gauge_testing
from gauge_testing import Interpreter
from record_testing import SOME, Run, info, run_command, run_recorded, wait_until
from test_recorder_rotate import NO_LIMITS, parts_in, read_together

PROGRAM = """
import threading

def waiter():
    threading.Event().wait(0.9)

def busy():
    until = time.monotonic() + 2.7
    while time.monotonic() < until:
        threads = [threading.Thread(target=waiter, name=f"waiter {round(time.monotonic(), 1)}")]
        threads[0].start()
        work(0.05)

busy()
"""


def report(*words: str | pathlib.Path) -> dict[str, Any]:
    done = gauge_testing.run([gauge_testing.executable_path(), "report", "--json", *words])
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def rotated(newest: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """PROGRAM, recorded in parts of a second."""
    folder = tmp_path_factory.mktemp("rotated")
    return run_recorded(newest, folder, PROGRAM, options=["-r", "1khz", "--rotate", "1s"])


def test_the_program_runs_and_its_parts_are_told(rotated: Run) -> None:
    assert (rotated.status, rotated.output, rotated.errors) == (0, "", "")
    count = len(parts_in(rotated.folder))
    assert count >= 3
    assert {path.name for path in rotated.folder.iterdir()} == {
        "program.py",
        *(f"out-{number:04}.gpf" for number in range(1, count + 1)),
    }
    assert f" in {count} parts" in rotated.told
    assert "next: gauge report 'out-*.gpf'" in rotated.told


def test_each_part_is_a_whole_recording(rotated: Run) -> None:
    files = parts_in(rotated.folder)
    facts = info(*files)
    assert [each["part"] for each in facts] == list(range(1, len(files) + 1))
    assert [each["end_reason"] for each in facts] == ["rotate"] * (len(files) - 1) + ["exit"]
    assert len({each["first_start_unix_ns"] for each in facts}) == 1
    assert facts[0]["start_unix_ns"] == facts[0]["first_start_unix_ns"] < facts[1]["start_unix_ns"]
    done = gauge_testing.run([gauge_testing.executable_path(), "check", *files])
    assert (done.returncode, done.stdout.count(b": whole (")) == (0, len(files))
    for file, each in zip(files, facts):
        alone = report(file)
        assert alone["total"]["samples"] == each["samples"] > SOME
        assert alone["health"]["unresolved_samples"] == 0
        names = [function["name"] for function in alone["functions"]]
        assert any(name.endswith((".busy", ".waiter")) for name in names), names


def test_all_parts_are_one_recording_of_one_process(rotated: Run) -> None:
    files = parts_in(rotated.folder)
    samples, wall_ns, threads = read_together(files)
    together = report(rotated.folder)
    assert len(together["recordings"]) == 1
    assert together["total"]["samples"] == samples == sum(each["samples"] for each in info(*files))
    assert together["total"]["wall_ns"] == wall_ns
    assert together["health"]["missing_parts"] == 0
    lines = gauge_testing.run([gauge_testing.executable_path(), "info", *files]).stdout.decode()
    assert "part     2 of a recording that began " in lines
    assert f"part     1 to {len(files)} of a recording that began " in lines
    assert f"and {len(threads) - 20} more" in lines or len(threads) <= 20


def test_merged_parts_are_the_same_recording(rotated: Run, tmp_path: pathlib.Path) -> None:
    files = parts_in(rotated.folder)
    merged = tmp_path / "all.gpf"
    done = gauge_testing.run([gauge_testing.executable_path(), "merge", "-o", merged, *reversed(files)])
    assert done.returncode == 0, done.stderr
    assert report(merged)["functions"] == report(*files)["functions"]
    (facts,) = info(merged)
    samples, _, threads = read_together(files)
    assert (facts["samples"], facts["processes"], facts["end_reason"]) == (samples, 1, "exit")
    assert len(facts["threads"]) == len(threads)
    assert sum(thread["samples"] for thread in facts["threads"]) == samples


def test_a_missing_part_is_told(rotated: Run) -> None:
    first, _, *rest = parts_in(rotated.folder)
    command = [gauge_testing.executable_path(), "report", "--json", first, *rest]
    done = gauge_testing.run(command)
    assert done.returncode == 0
    assert f"{first}: the recording goes on without part 2;" in done.stderr.decode()
    assert gauge_testing.run([*command, "--strict"]).returncode == 2
    assert gauge_testing.run([command[0], "report", "--strict", *rest]).returncode == 0  # older ones may be deleted


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change a program's root")
def test_parts_stay_in_their_folder_when_the_program_changes_its_root(
    newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "root").mkdir()
    program = "work(0.3)\nos.chroot(sys.argv[1])\nos.chdir('/')\nwork(2.4)"
    outcome = run_recorded(newest, tmp_path, program, str(tmp_path / "root"), options=["-r", "1khz", "--rotate", "1s"])
    assert (outcome.status, outcome.output, outcome.errors) == (0, "", "")
    files = parts_in(tmp_path)
    assert [each["end_reason"] for each in info(*files)] == [*["rotate"] * (len(files) - 1), "exit"]
    assert len(files) >= 3
    assert {path.name for path in tmp_path.iterdir()} == {"root", "program.py", *(file.name for file in files)}
    assert list((tmp_path / "root").iterdir()) == []


def test_a_first_part_that_is_there_is_not_overwritten(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    (tmp_path / "out-0001.gpf").write_text("old")
    outcome = run_recorded(newest, tmp_path, "print('ran')", options=["--rotate", "1h"])
    assert (outcome.status, outcome.output) == (1, "")
    assert "out-0001.gpf: exists already" in outcome.told
    outcome = run_recorded(newest, tmp_path, "print('ran')", options=["--rotate", "1h", "-f"])
    assert (outcome.status, outcome.output) == (0, "ran\n")
    assert info(tmp_path / "out-0001.gpf")[0]["part"] == 1


def test_parts_are_numbered_where_the_pattern_says(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    record = [gauge_testing.executable_path(), "record", "-o", "%r of it", "--rotate", "1h", "--rotate", "1GB"]
    assert gauge_testing.run([*record, "--", newest.path, "-c", "pass"], cwd=tmp_path).returncode == 0
    assert info(tmp_path / "0001 of it")[0]["part"] == 1


def test_every_process_has_its_parts(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    source = """
    import os

    def child():
        work(1.5)

    pid = os.fork()
    if pid == 0:
        child()
        sys.exit()
    work(1.5)
    os.waitpid(pid, 0)
    """
    outcome = run_recorded(newest, tmp_path, source, options=["-s", "-r", "1khz", "--rotate", "1s"])
    assert outcome.status == 0
    facts = info(*parts_in(tmp_path))
    by_process = defaultdict(list)
    for each in facts:
        by_process[each["pid"]].append(each["part"])
    assert len(by_process) == 2
    for numbers in by_process.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)) != [1]
    assert len(report(tmp_path)["recordings"]) == 2


def test_what_a_killed_program_leaves_is_taken_in(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    source = """
    import signal

    work(1.6)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    outcome = run_recorded(newest, tmp_path, source, options=["-r", "1khz", "--rotate", "1s"])
    assert outcome.status == -signal.SIGKILL
    files = parts_in(tmp_path)
    assert len(files) >= 2
    assert {path.name for path in tmp_path.iterdir()} == {"program.py", *(path.name for path in files)}
    facts = info(*files)
    assert [each["truncated"] for each in facts] == [False] * (len(files) - 1) + [True]
    assert read_together(files)[0] == report(tmp_path)["total"]["samples"]


@pytest.mark.parametrize("words", NO_LIMITS)
def test_limits_of_no_use_are_refused_before_the_program_runs(
    newest: Interpreter, tmp_path: pathlib.Path, words: str
) -> None:
    outcome = run_command([newest.path, "-c", "print('ran')"], tmp_path, ["--rotate", words])
    assert (outcome.status, outcome.output) == (1, "")
    assert outcome.told.startswith("gauge: --rotate: '")
    assert NO_LIMITS[words] in outcome.told
    assert outcome.told.count("\n") == 1


def test_a_device_cannot_be_rotated(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    record = [gauge_testing.executable_path(), "record", "-o", "/dev/null", "--rotate", "1h"]
    done = gauge_testing.run([*record, "--", newest.path, "-c", "print('ran')"], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"--rotate: /dev/null is a device or a pipe" in done.stderr


def test_a_recording_that_still_runs_can_be_read_to_20_ms_ago(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    """Nothing need be asked of a running process: the best of several looks, for a busy machine is late itself."""
    program = textwrap.dedent(
        """
        import sys
        import time

        print("runs", flush=True)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pass
        """
    )
    gauge = gauge_testing.executable_path()
    command = [gauge, "record", "-r", "1khz", "-o", "out.gpf", "--", newest.path, "-c", program]
    with gauge_testing.running(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as recorded:
        assert recorded.stdout is not None
        assert recorded.stdout.readline() == b"runs\n"
        missing_ns = []

        def is_recent() -> bool:
            before = time.monotonic_ns()
            (facts,) = info(tmp_path / "out.gpf")
            missing_ns.append(before - (facts["last_sample_monotonic_ns"] or 0))
            assert facts["end_reason"] is None
            return missing_ns[-1] <= 20_000_000

        wait_until(is_recent, f"at least {min(missing_ns, default=0)} ns are missing")
        live = report(tmp_path / "out.gpf")
        assert live["total"]["samples"] > 0
        converted = gauge_testing.run([gauge, "convert", "--to", "speedscope", "-o", "x.json", "out.gpf"], cwd=tmp_path)
        assert converted.returncode == 0
        recorded.terminate()
    assert info(tmp_path / "out.gpf")[0]["samples"] >= live["total"]["samples"]
