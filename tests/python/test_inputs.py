"""Many recordings at once: files, folders and patterns, of which some may be bad."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from gauge_testing import run

BuildTool = Callable[[str], pathlib.Path]
SAMPLES = 300  # in each recording


@pytest.fixture
def artifacts(build_tool: BuildTool, tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with three recordings, of three processes, in folders of their own; and what is none."""
    folder = tmp_path / "artifacts"
    for number, place in enumerate(("b/1.gpf", "a/2.gpf", "3.gpf"), start=1):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [build_tool("gauge-generate"), "--samples", str(SAMPLES), "--seed", str(number), "-o", path]
        assert run(command).returncode == 0
    (folder / ".hidden").mkdir()
    shutil.copy(folder / "3.gpf", folder / ".hidden/4.gpf")
    shutil.copy(folder / "3.gpf", folder / ".5.gpf")
    (folder / "notes.txt").write_text("not a recording, and not named like one")
    (folder / "circle").symlink_to(folder)
    return folder


def infos(gauge: pathlib.Path, folder: pathlib.Path, *words: str | os.PathLike[str]) -> list[dict[str, Any]]:
    outcome = run([gauge, "info", "--json", *words], cwd=folder)
    assert outcome.returncode == 0, outcome.stderr
    return list(json.loads(outcome.stdout))


def paths(gauge: pathlib.Path, folder: pathlib.Path, *words: str) -> list[str]:
    return [each["path"] for each in infos(gauge, folder, *words)]


def total(gauge: pathlib.Path, *words: str | os.PathLike[str]) -> int:
    return int(json.loads(run([gauge, "report", "--json", *words]).stdout)["total"]["samples"])


def test_a_folder_is_all_recordings_below_it_sorted(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    assert paths(gauge, artifacts.parent, "artifacts") == ["artifacts/3.gpf", "artifacts/a/2.gpf", "artifacts/b/1.gpf"]
    assert paths(gauge, artifacts, ".") == ["./3.gpf", "./a/2.gpf", "./b/1.gpf"]


def test_a_pattern_that_no_shell_has_expanded_is(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    assert paths(gauge, artifacts, "*/[12].gpf") == ["a/2.gpf", "b/1.gpf"]
    assert paths(gauge, artifacts, "[ab]/") == ["a/2.gpf", "b/1.gpf"]
    (artifacts / "[ab].gpf").symlink_to("3.gpf")  # what has such a name is meant
    assert paths(gauge, artifacts, "[ab].gpf") == ["[ab].gpf"]


def test_no_file_counts_twice_whatever_its_names(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    (artifacts / "link.gpf").symlink_to("3.gpf")
    os.link(artifacts / "3.gpf", artifacts / "hard.gpf")
    words = ["3.gpf", "./3.gpf", str(artifacts / "3.gpf"), "hard.gpf", "link.gpf", ".", "*.gpf"]
    assert paths(gauge, artifacts, *words) == ["3.gpf", "./a/2.gpf", "./b/1.gpf"]


def every_verb(folder: str, output: str) -> Iterable[list[str]]:
    yield ["report", folder]
    yield ["info", folder]
    yield ["convert", "--to", "collapsed", "-f", "-o", output, folder]


def test_one_bad_file_among_many_is_named_and_the_others_are_used(
    gauge: pathlib.Path, artifacts: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (artifacts / "a/empty.gpf").touch()
    for words in every_verb("artifacts", "out"):
        outcome = run([gauge, *words], cwd=tmp_path)
        assert outcome.returncode == 0, words
        lines = outcome.stderr.decode().splitlines()
        assert "gauge: artifacts/a/empty.gpf: is empty (0 bytes); give a recording made by gauge record" in lines
        assert "gauge: 1 file left out; --strict makes that a failure" in lines
        assert run([gauge, words[0], "--strict", *words[1:]], cwd=tmp_path).returncode == 2, words


def test_many_bad_files_do_not_fill_the_screen(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    for number in range(200):
        (artifacts / f"bad-{number}.gpf").write_text("a letter")
    outcome = run([gauge, "report", artifacts])
    assert outcome.returncode == 0
    lines = outcome.stderr.decode().splitlines()
    assert len(lines) == 10
    assert lines[-2:] == ["gauge: and 192 files more", "gauge: 200 files left out; --strict makes that a failure"]


def test_the_open_block_of_a_recording_that_is_gone_can_be_read(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    (artifacts / "3.gpf").rename(artifacts / "gone.gpf.open")
    assert paths(gauge, artifacts, "gone.gpf.open") == ["gone.gpf.open"]
