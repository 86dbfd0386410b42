"""Every bad input: one line that says what and what to do, exit status 1, nothing written, nothing lost."""

from __future__ import annotations

import os
import pathlib
import pty
import subprocess
from collections.abc import Callable

import pytest

from gauge_testing import run

BuildTool = Callable[[str], pathlib.Path]


@pytest.fixture
def recording(build_tool: BuildTool, tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "in.gpf"
    run([build_tool("gauge-generate"), "--samples", "1000", "-o", path])
    run([build_tool("gauge-generate"), "--samples", "1000", "--seed", "2", "-o", tmp_path / "more.gpf"])
    return path


def refused(gauge: pathlib.Path, folder: pathlib.Path, *words: str | os.PathLike[str]) -> str:
    """The one line with which gauge refuses; it wrote nothing and changed nothing."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    outcome = run([gauge, *words], cwd=folder, env={"GAUGE_PYTHON": None})
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert outcome.returncode == 1
    assert after == before
    assert outcome.stdout == b""
    [line] = outcome.stderr.decode().splitlines()
    assert line.startswith("gauge: ")
    assert "; " in line, "no remedy"
    return line.removeprefix("gauge: ")


COMMAND_LINES = {
    "recrod": "recrod: no such verb; did you mean record?",
    "--versoin": "--versoin: no such option; did you mean --version?",
    "record": "record: no program given; write it last: gauge record -o out.gpf -- python app.py",
    "record --frce -- python3": "record: unknown option '--frce'; did you mean --force?",
    "record -o": "--output: needs a value; see gauge record --help",
    "record -r fast -- python3": "--rate: 'fast' is not a rate; write samples per second, as 100, 100hz or 10khz",
    "record -r 0 -- python3": "--rate: '0' takes no samples; write samples per second, as 100, 100hz or 10khz",
    "record -r 1GHz -- python3": "--rate: '1GHz' is too fast (at most 100 khz, one sample in 10us); 100 to",
    "record --max-overhead 1 -- python3": "--max-overhead: '1' is no share of a core; write it as 1% or 0.5%",
    "record -r 9 -i 1s -- python3": "--rate: says the same as --interval; give one of them",
    "record -d never -- python3": "--duration: 'never' is not a time; write it as 500ms, 30s, 5m or 2h",
    "record -o gone/x.gpf -- python3": "{folder}/gone: no such folder; make it, or choose another with -o",
    "record -o in.gpf -- python3": "{folder}/in.gpf: exists already; choose another name with -o, or",
    "record -o - -- python3": "--output: a recording cannot go to standard output, which is the program's; name a file",
    "record -- no-such-program": "no-such-program: not found on PATH; check the spelling, or give its whole path",
    "record -- ./gone": "./gone: no such program; check the path",
    "record gone.py": "gone.py: no such script; check the path",
    "record -- /": "/: is a folder; name a program in it",
    "record -- ./in.gpf": "./in.gpf: is not executable; name a program, or chmod +x it",
    "convert": "convert: no recording named; write 'gauge convert out.gpf'",
    "convert in.gpf": "convert: no format given; choose one with --to (known are",
    "convert --to speedscop in.gpf": "--to: unknown format 'speedscop'; did you mean speedscope?",
    "convert --to zzz in.gpf": "--to: unknown format 'zzz'; known are ",
    "convert -o x.unknown in.gpf": "x.unknown: the name tells no format; choose one with --to",
    "convert --to pstats in.gpf more.gpf": "convert: several recordings become one file; name it with -o",
    "convert --to pstats -o in.gpf in.gpf": "in.gpf: is the recording itself; choose another name with -o",
    "convert --to pstats --frames x in.gpf": "--frames: 'x' is not a choice; write function or line",
    "convert --to collapsed --weight heap in.gpf": "--weight: 'heap' is not a choice; write samples, wall, cpu or gil",
    "convert --to html --timeline x in.gpf": "--timeline: 'x' is not a choice; write auto, whole or totals",
    "convert --to collapsed --paths x in.gpf": "--paths: 'x' is not a choice; write short or full",
    "convert --to pstats --since soon in.gpf": "--since: 'soon' is not a time; write it as 500ms, 30s, 5m or 2h",
    "convert --to pstats --since 2s --until 1s in.gpf": "--since: 2s is not before --until 1s; swap them",
    "convert --to pstats --pid main in.gpf": "--pid: 'main' is not a count; write a whole number from 1 up",
    "convert --to pstats --idle no in.gpf": "--idle: 'no' is not a choice; write with, without or only",
    "convert --to pstats --depth 0 in.gpf": "--depth: '0' is not a count; write a whole number from 1 up",
    "report --min-percent 101 in.gpf": "--min-percent: '101' is not a percentage above 0, up to 100; write it as 0.5%",
    "report --tree --json in.gpf": "--tree: is for people, --json has the functions; leave one of them out",
    "convert --to pstats gone.gpf": "gone.gpf: ",
    "convert --to pstats out-*.gpf": "out-*.gpf: matches no file; check the pattern and the folder",
    "convert --to pstats -o in.gpf .": "in.gpf: is the recording itself; choose another name with -o",
    "report in.gpf gone.gpf": "gone.gpf: cannot be read (No such file or directory); check the path",
    "merge": "merge: no recording named; write 'gauge merge out.gpf'",
    "merge in.gpf": "merge: no output named; write it as -o all.gpf",
    "merge -o more.gpf in.gpf": "more.gpf: already exists; overwrite it with -f or choose another name",
    "merge -f -o in.gpf more.gpf in.gpf": "in.gpf: is the recording itself; choose another name with -o",
    "merge -f -o in.gpf .": "in.gpf: is the recording itself; choose another name with -o",
    "merge -o gone/all.gpf in.gpf": "gone/all.gpf: cannot be created (No such file or directory); create the folder",
    "report": "report: no recording named; write 'gauge report out.gpf'",
    "report --limit 0 in.gpf": "--limit: '0' is not a count; write a whole number from 1 up",
    "report --sort time in.gpf": "--sort: 'time' is not a choice; write self, total or cpu",
    "report --color blue in.gpf": "--color: 'blue' is not a choice; write auto, always or never",
    "report gone.gpf": "gone.gpf: ",
    "info": "info: no recording named; write 'gauge info out.gpf'",
    "info gone.gpf": "gone.gpf: ",
    "doctor --jsn": "doctor: unknown option '--jsn'; did you mean --json?",
    "doctor --color blue": "--color: 'blue' is not a choice; write auto, always or never",
    "check": "check: no recording named; write 'gauge check out.gpf'",
    "check gone.gpf": "gone.gpf: ",
    "check --repair - in.gpf": "--repair: writes a file, not to standard output; name one",
    "check --repair in.gpf in.gpf": "in.gpf: is the recording itself; choose another name for --repair",
    "check --repair out.gpf in.gpf more.gpf": "check: --repair mends one file; name one, or",
    "check --repair gone/out.gpf in.gpf": "gone/out.gpf: ",
}


@pytest.mark.parametrize("command_line", COMMAND_LINES)
def test_a_wrong_command_line_is_refused(
    gauge: pathlib.Path, recording: pathlib.Path, tmp_path: pathlib.Path, command_line: str
) -> None:
    line = refused(gauge, tmp_path, *command_line.split())
    assert line.startswith(COMMAND_LINES[command_line].format(folder=tmp_path))


def test_a_program_that_cannot_be_python_is_refused(gauge: pathlib.Path, tmp_path: pathlib.Path) -> None:
    line = refused(gauge, tmp_path, "record", "--", "ls", "-l")
    assert line.startswith("ls: is not a Python program (")
    assert "-s" in line


def test_with_s_any_program_is_run(gauge: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert run([gauge, "record", "-s", "--", "echo", "hello"], cwd=tmp_path).stdout == b"hello\n"


FILES = {
    "empty": b"",
    "text": b"This is a letter, not a recording.\n" * 20,
    "zeros": bytes(4096),
    "elf": b"\x7fELF" + bytes(200),
}


@pytest.mark.parametrize("verb", ["info", "report", "convert", "check", "merge"])
@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_recording_is_refused(gauge: pathlib.Path, tmp_path: pathlib.Path, verb: str, kind: str) -> None:
    (tmp_path / "x.gpf").write_bytes(FILES[kind])
    words = {"convert": ["convert", "--to", "pstats"], "merge": ["merge", "-o", "all.gpf"]}.get(verb, [verb])
    assert refused(gauge, tmp_path, *words, "x.gpf").startswith("x.gpf: ")


def test_a_folder_without_recordings_is_refused(gauge: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/notes.txt").write_text("none here")
    line = refused(gauge, tmp_path, "info", "folder")
    assert line.startswith("folder: no recording is in this folder or below (*.gpf); ")


def test_files_of_which_none_is_a_recording_are_refused(gauge: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for name, data in FILES.items():
        (tmp_path / f"{name}.gpf").write_bytes(data)
    line = refused(gauge, tmp_path, "report", ".")
    assert line.startswith("none of 4 files can be read; the first: ./elf.gpf: is not a gauge recording (")


def test_an_existing_output_needs_force(gauge: pathlib.Path, recording: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.pstats").write_bytes(b"precious")
    assert "-f" in refused(gauge, tmp_path, "convert", "--to", "pstats", "in.gpf")
    assert run([gauge, "convert", "-f", "--to", "pstats", "in.gpf"], cwd=tmp_path).returncode == 0
    assert (tmp_path / "in.pstats").read_bytes() != b"precious"
    (tmp_path / "out.gpf").write_bytes(b"precious")
    assert "-f" in refused(gauge, tmp_path, "check", "--repair", "out.gpf", "in.gpf")
    assert run([gauge, "check", "-f", "--repair", "out.gpf", "in.gpf"], cwd=tmp_path).returncode == 0
    assert (tmp_path / "out.gpf").read_bytes() == recording.read_bytes()


def test_a_binary_format_is_not_written_to_a_terminal(
    gauge: pathlib.Path, recording: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    master, slave = pty.openpty()
    command = [gauge, "convert", "--to", "pstats", "-o", "-", recording]
    outcome = subprocess.run(command, stdout=slave, stderr=subprocess.PIPE, timeout=60)
    os.close(slave)
    os.close(master)
    assert outcome.returncode == 1
    assert outcome.stderr == b"gauge: pstats: is binary, not for a terminal; write it to a file with -o\n"


def test_a_full_disk_behind_standard_output_is_an_error(gauge: pathlib.Path, recording: pathlib.Path) -> None:
    for words in (["info", recording], ["info", "--json", recording], ["report", recording],
                  ["convert", "--to", "callgrind", "-o", "-", recording]):  # fmt: skip
        with open("/dev/full", "wb") as full:
            outcome = subprocess.run([gauge, *words], stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert outcome.returncode == 1, words
        assert b"No space left on device" in outcome.stderr
