"""Many recordings at once: files, folders and patterns, of which some may be bad; and merged files."""

from __future__ import annotations

import json
import os
import pathlib
import resource
import shutil
import subprocess
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


def test_a_copy_of_a_recording_adds_nothing(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    assert total(gauge, artifacts) == 3 * SAMPLES
    shutil.copy(artifacts / "3.gpf", artifacts / "copy.gpf")
    assert run([gauge, "merge", "-o", artifacts / "all.gpf", artifacts]).returncode == 0
    assert total(gauge, artifacts) == 3 * SAMPLES  # with the copy, and the merged file


def every_verb(folder: str, output: str) -> Iterable[list[str]]:
    yield ["report", folder]
    yield ["info", folder]
    yield ["convert", "--to", "collapsed", "-f", "-o", output, folder]
    yield ["merge", "-f", "-o", output, folder]


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
    assert infos(gauge, tmp_path, "out")[0]["samples"] == 3 * SAMPLES


def test_many_bad_files_do_not_fill_the_screen(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    for number in range(200):
        (artifacts / f"bad-{number}.gpf").write_text("a letter")
    outcome = run([gauge, "report", artifacts])
    assert outcome.returncode == 0
    lines = outcome.stderr.decode().splitlines()
    assert len(lines) == 10
    assert lines[-2:] == ["gauge: and 192 files more", "gauge: 200 files left out; --strict makes that a failure"]


def test_what_has_only_metadata_is_a_recording_without_samples(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    data = (artifacts / "3.gpf").read_bytes()
    header = 8 + int.from_bytes(data[4:8], "little")
    (artifacts / "3.gpf").write_bytes(data[:header])
    assert run([gauge, "merge", "-o", artifacts / "all.gpf", artifacts]).returncode == 0
    [answer] = infos(gauge, artifacts, "all.gpf")
    assert (answer["samples"], answer["truncated"], answer["processes"]) == (2 * SAMPLES, True, 3)
    outcome = run([gauge, "report", artifacts / "3.gpf"])
    assert outcome.returncode == 0
    assert b"no samples" in outcome.stdout


def test_the_open_block_beside_is_taken_in_and_no_file_of_its_own(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    data = (artifacts / "3.gpf").read_bytes()
    header = 8 + int.from_bytes(data[4:8], "little")
    (artifacts / "3.gpf").write_bytes(data[:header])
    (artifacts / "3.gpf.open").write_bytes(data)
    assert paths(gauge, artifacts, "3*") == ["3.gpf"]
    assert run([gauge, "merge", "-o", artifacts / "all.gpf", artifacts]).returncode == 0
    assert infos(gauge, artifacts, "all.gpf")[0]["samples"] == 3 * SAMPLES


def test_the_open_block_of_a_recording_that_is_gone_can_be_read(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    (artifacts / "3.gpf").rename(artifacts / "gone.gpf.open")
    assert paths(gauge, artifacts, "gone.gpf.open") == ["gone.gpf.open"]


def test_thousands_of_files_need_few_descriptors(
    gauge: pathlib.Path, artifacts: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    data = (artifacts / "3.gpf").read_bytes()
    many = tmp_path / "many"
    many.mkdir()
    for number in range(2000):
        (many / f"{number}.gpf").write_bytes(data)
    (many / "1.gpf").write_bytes((artifacts / "a/2.gpf").read_bytes())

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    command = [gauge, "merge", "-o", tmp_path / "all.gpf", many]
    outcome = subprocess.run(command, stderr=subprocess.PIPE, preexec_fn=few, timeout=120)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr.decode().endswith("all.gpf: 2 recordings, 600 samples\n")


def test_a_merged_file_is_told_of_as_one_file_and_each_process_apart(
    gauge: pathlib.Path, artifacts: pathlib.Path
) -> None:
    parts = infos(gauge, artifacts, ".")
    assert run([gauge, "merge", "-o", artifacts / "all.gpf", artifacts]).returncode == 0
    [answer] = infos(gauge, artifacts, "all.gpf")
    assert answer["processes"] == 3
    assert answer["bytes"] == os.path.getsize(artifacts / "all.gpf")
    for key in ("samples", "missed_ticks", "partial_stacks", "sampler_cpu_ns", "bytes"):
        assert answer[key] == sum(part[key] for part in parts)
    assert sorted(each["pid"] for each in answer["recordings"]) == sorted(part["pid"] for part in parts)
    for each in answer["recordings"]:
        [part] = [part for part in parts if part["pid"] == each["pid"]]
        assert {key for key in each if each[key] != part[key]} <= {"path"}
    assert all(part["recordings"] == [] and part["processes"] == 1 for part in parts)
    text = run([gauge, "info", artifacts / "all.gpf"]).stdout.decode()
    assert "all.gpf, recording 3 of 3\n" in text


def test_a_merged_file_is_checked_and_repaired_recording_by_recording(
    gauge: pathlib.Path, artifacts: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for path in artifacts.rglob("[12].gpf"):
        path.write_bytes(path.read_bytes()[:-5])
    merged, mended = tmp_path / "all.gpf", tmp_path / "mended.gpf"
    assert run([gauge, "merge", "-o", merged, artifacts]).returncode == 0
    outcome = run([gauge, "check", merged])
    assert outcome.returncode == 2
    assert outcome.stdout.decode().count("no end record") == 2
    assert b", recording 3 of 3 (process 44): whole (" in outcome.stdout
    assert run([gauge, "check", "--repair", mended, merged]).returncode == 0
    assert run([gauge, "check", mended]).returncode == 0
    assert infos(gauge, tmp_path, mended)[0]["samples"] == infos(gauge, tmp_path, merged)[0]["samples"] == SAMPLES


def test_a_merged_file_is_a_legal_zstd_file(
    gauge: pathlib.Path, artifacts: pathlib.Path, consumer: Callable[[str], pathlib.Path]
) -> None:
    path = artifacts / "3.gpf"
    path.write_bytes(path.read_bytes()[:-5])  # ends within a frame, which zstd refuses
    assert run([consumer("zstd"), "-tq", path]).returncode != 0
    assert run([gauge, "merge", "-o", artifacts / "all.gpf", artifacts]).returncode == 0
    assert run([consumer("zstd"), "-tq", artifacts / "all.gpf"]).returncode == 0


def test_a_merged_file_can_go_through_a_pipe(gauge: pathlib.Path, artifacts: pathlib.Path) -> None:
    data = run([gauge, "merge", "-o", "-", artifacts]).stdout
    assert run([gauge, "merge", "-o", artifacts / "all.gpf", artifacts]).returncode == 0
    assert data == (artifacts / "all.gpf").read_bytes()
    answer = json.loads(run([gauge, "report", "--json", "/dev/stdin"], stdin=data).stdout)
    assert answer["total"]["samples"] == 3 * SAMPLES


def test_nothing_appears_under_the_name_of_the_output_before_it_is_whole(
    gauge: pathlib.Path, artifacts: pathlib.Path
) -> None:
    output = artifacts / "all.gpf"

    def little_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    command = [gauge, "merge", "-o", output, artifacts]
    outcome = subprocess.run(command, stderr=subprocess.PIPE, preexec_fn=little_space, timeout=60)
    assert outcome.returncode != 0
    assert not output.exists()
