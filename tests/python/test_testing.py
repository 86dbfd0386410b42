"""The helpers of the tests themselves: a helper that lies makes every test after it lie."""

from __future__ import annotations

import os
import pathlib
import sys
import time

import pytest

import gauge_testing


def test_run_returns_status_and_both_streams_as_bytes() -> None:
    program = "import sys; sys.stdout.write('out'); sys.stderr.write('err'); sys.exit(3)"
    result = gauge_testing.run([sys.executable, "-c", program])
    assert (result.returncode, result.stdout, result.stderr) == (3, b"out", b"err")


def test_run_reports_death_by_signal_as_negative_status() -> None:
    assert gauge_testing.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]).returncode == -9


def test_run_lays_the_environment_over_and_takes_variables_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAUGE_TEST_GONE", "here")
    program = "import os; print(os.environ.get('GAUGE_TEST_GONE'), os.environ['GAUGE_TEST_NEW'])"
    result = gauge_testing.run([sys.executable, "-c", program], env={"GAUGE_TEST_GONE": None, "GAUGE_TEST_NEW": "new"})
    assert result.stdout == b"None new\n"


def test_run_kills_what_the_command_started_when_time_is_up(tmp_path: pathlib.Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 60 & echo $! >'{pid_file}'; sleep 60"
    with pytest.raises(AssertionError, match="still running after 1 s"):
        gauge_testing.run(["sh", "-c", script], timeout=1)
    deadline = time.monotonic() + 10
    child = int(pid_file.read_text())
    while _is_running(child):
        assert time.monotonic() < deadline, f"grandchild {child} outlived its test"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def test_an_interpreter_is_described_by_itself() -> None:
    found = gauge_testing.describe_interpreter(pathlib.Path(sys.executable))
    assert found is not None
    assert found.minor == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert found.id.startswith(f"cpython-{found.minor}")


@pytest.mark.parametrize("content", [None, b"", b"#!/bin/sh\nexit 1\n", b"#!/bin/sh\necho '[]'\n"])
def test_what_is_no_interpreter_is_none(tmp_path: pathlib.Path, content: bytes | None) -> None:
    path = tmp_path / "python3.11"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o755)
    assert gauge_testing.describe_interpreter(path) is None


def test_chosen_interpreters_replace_those_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAUGE_TEST_PYTHONS", os.pathsep.join([sys.executable, "/nowhere/python3.12"]))
    found = gauge_testing.find_interpreters.__wrapped__()
    assert [str(each.path) for each in found] == [sys.executable]


def test_the_machine_has_an_interpreter_to_record(interpreters: tuple[gauge_testing.Interpreter, ...]) -> None:
    assert interpreters, "no CPython 3.9 to 3.15 found: nothing below would test anything"
