"""A run of many processes, recorded for real: one folder in, one file out, and nothing of any process lost."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
from typing import Any

import pytest

import gauge_testing
from gauge_testing import Interpreter, run, running
from record_testing import SOME, WORK, info, run_recorded, wait_until

# Eight forked workers, of which one is killed in the middle, and a subprocess.
WORKERS = """
import signal
import subprocess

def serve(number):
    work(0.15)
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)

for number in range(8):
    if os.fork() == 0:
        serve(number)
        sys.exit()
subprocess.run([sys.executable, "-c", "import time\\ntime.sleep(0.05)"], check=True)
for _ in range(8):
    os.wait()
"""


@pytest.fixture
def run_folder(newest: Interpreter, tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "run"
    folder.mkdir()
    outcome = run_recorded(newest, folder, WORKERS, options=("-s", "-r", "1khz"))
    assert outcome.status == 0, outcome.errors
    return folder


def report(gauge: pathlib.Path, *words: pathlib.Path) -> dict[str, Any]:
    outcome = run([gauge, "report", "--json", *words])
    assert outcome.returncode == 0, outcome.stderr
    answer: dict[str, Any] = json.loads(outcome.stdout)
    return answer


def test_a_run_of_many_processes_is_one_folder_and_can_be_one_file(
    gauge: pathlib.Path, run_folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    parts = info(run_folder)
    assert len(parts) == 10  # with the one that started them, and its subprocess
    assert sum(part["truncated"] for part in parts) == 1
    merged = tmp_path / "all.gpf"
    outcome = run([gauge, "merge", "-o", merged, run_folder])
    assert outcome.returncode == 0
    assert outcome.stderr.decode().count("was cut; all that can be read of it was taken") == 1
    [whole] = info(merged)
    assert whole["processes"] == 10
    assert whole["samples"] == sum(part["samples"] for part in parts)
    assert {each["pid"]: each["samples"] for each in whole["recordings"]} == {
        part["pid"]: part["samples"] for part in parts
    }
    expected, answer = report(gauge, run_folder), report(gauge, merged)
    assert (answer["total"], answer["functions"]) == (expected["total"], expected["functions"])
    [serve] = [each for each in answer["functions"] if each["qualified_name"] == "serve"]
    assert serve["total"]["samples"] > 8 * SOME


def test_the_recordings_of_a_run_whose_parent_is_missing_are_read(
    gauge: pathlib.Path, run_folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (run_folder / "out.gpf").unlink()
    assert len(info(run_folder)) == 9
    for name in ("all.gpf", "all.speedscope.json", "all.otlp.json"):
        verb = "merge" if name == "all.gpf" else "convert"
        assert run([gauge, verb, "-o", tmp_path / name, run_folder]).returncode == 0
    assert report(gauge, tmp_path / "all.gpf")["total"] == report(gauge, run_folder)["total"]


def test_a_recording_that_grows_meanwhile_can_be_merged_again_when_it_has_ended(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    path, early, late = (tmp_path / name for name in ("out.gpf", "early.gpf", "late.gpf"))
    program = WORK + "work(60)"
    record = [gauge, "record", "-r", "1khz", "-o", path, "--", newest.path, "-c", program]
    with running(record, stderr=subprocess.DEVNULL) as process:
        wait_until(
            lambda: path.exists() and path.stat().st_size > 0 and info(path)[0]["samples"] > SOME, "nothing is recorded"
        )
        assert run([gauge, "merge", "-o", early, path]).returncode == 0
        [growing] = info(early)
        wait_until(lambda: info(path)[0]["samples"] > 2 * growing["samples"], "the recording does not grow")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    [before], [after] = info(early), info(path)
    assert 0 < before["samples"] < after["samples"]
    assert run([gauge, "merge", "-o", late, early, path]).returncode == 0
    assert info(late)[0]["samples"] == after["samples"]
    assert report(gauge, early, path)["total"]["samples"] == after["samples"]


def test_two_runs_are_fine_and_said(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert run_recorded(newest, tmp_path / name, "work(0.05)").status == 0
    told = b"gauge: the recordings are of 2 runs (2 in all); name those of one if they do not belong together\n"
    output = tmp_path / "all.collapsed"
    outcome = run([gauge, "convert", "-o", output, tmp_path])
    assert (outcome.returncode, told in outcome.stderr) == (0, True)
    assert told in run([gauge, "merge", "-o", tmp_path / "all.gpf", tmp_path]).stderr
    assert told.removeprefix(b"gauge: ") in run([gauge, "info", tmp_path / "all.gpf"]).stdout
    assert b"clock" not in outcome.stderr + run([gauge, "info", tmp_path]).stdout  # of one boot
    os.remove(output)
    assert gauge_testing.run([gauge, "convert", "-o", output, tmp_path / "a"]).stderr.count(b"of 2 runs") == 0
