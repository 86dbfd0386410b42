"""What `make demo` shows: the demo program, recorded, tells what its source says about where the time goes."""

from __future__ import annotations

import json
import pathlib

import pytest

import gauge_testing
from gauge_testing import Interpreter

PROGRAM = gauge_testing.REPOSITORY / "demo/library_atlas.py"
FORMATS = ("callgrind", "otlp-spans", "pstats", "speedscope")


@pytest.fixture(scope="module")
def recording(gauge: pathlib.Path, newest: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The demo program, recorded once for all tests of this file."""
    path = tmp_path_factory.mktemp("demo") / "atlas.gpf"
    command = [gauge, "record", "-r", "1khz", "-o", path, "--", newest.path, PROGRAM]
    result = gauge_testing.run(command, timeout=150)
    assert result.returncode == 0, result.stderr.decode()
    atlas = json.loads(result.stdout)
    assert atlas["modules"] > 100, "the program itself did not do its work"
    return path


def test_the_hot_spot_leads_the_report_by_cpu_time(gauge: pathlib.Path, recording: pathlib.Path) -> None:
    result = gauge_testing.run([gauge, "report", "--json", "--sort", "cpu", recording])
    names = [function["name"] for function in json.loads(result.stdout)["functions"]]
    assert names[0] == "__main__.edit_distance"
    assert {"__main__.walk_tree", "__main__.pack", "__main__.fingerprint"} <= set(names)


def test_every_thread_is_there_by_its_name(gauge: pathlib.Path, recording: pathlib.Path) -> None:
    result = gauge_testing.run([gauge, "info", "--json", recording])
    threads = {thread["name"] for thread in json.loads(result.stdout)[0]["threads"]}
    assert threads == {"MainThread", "scanner", "parser-1", "parser-2", "keeper"}


@pytest.mark.parametrize("name", FORMATS)
def test_the_recording_converts(
    gauge: pathlib.Path, recording: pathlib.Path, tmp_path: pathlib.Path, name: str
) -> None:
    output = tmp_path / "out"
    result = gauge_testing.run([gauge, "convert", "--to", name, "-o", output, recording])
    assert result.returncode == 0, result.stderr.decode()
    assert b"edit_distance" in output.read_bytes()
