"""`gauge doctor` says of real interpreters and real limits what `gauge record` would meet."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gauge_testing import REPOSITORY, Interpreter, find_interpreters, run, run_on_terminal

BuildTool = Callable[[str], pathlib.Path]
Words = str | os.PathLike[str]

# Set by whoever runs the tests, and not to be found by them.
QUIET: dict[str, str | None] = {
    "VIRTUAL_ENV": None,
    "PYTHONHOME": None,
    "NO_COLOR": None,
    "FORCE_COLOR": None,
    "COLUMNS": None,
}


def examine(command: list[Words], env: Mapping[str, str | None] | None = None) -> tuple[int, dict[str, Any]]:
    """Exit status and answer of a command that ends in `gauge doctor --json ...`."""
    outcome = run(command, env=QUIET | dict(env or {}))
    assert outcome.stderr == b""
    return outcome.returncode, json.loads(outcome.stdout)


def examine_one(gauge: pathlib.Path, python: Words) -> dict[str, Any]:
    """What is said of one interpreter. The exit status agrees."""
    status, answer = examine([gauge, "doctor", "--json", python])
    [interpreter] = answer["interpreters"]
    assert status == (0 if interpreter["recordable"] else 1)
    assert answer["good"] == interpreter["recordable"]
    return dict(interpreter)


def script(path: pathlib.Path, body: str) -> pathlib.Path:
    """A shell script that can be executed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def environment(folder: pathlib.Path, interpreter: Interpreter, at_start: str) -> pathlib.Path:
    """The Python of a virtual environment of `interpreter` that first runs one line, which may change what it is."""
    site = folder / f"lib/python{interpreter.minor}/site-packages"
    site.mkdir(parents=True)
    (site / "first.pth").write_text(f"import sys; {at_start}\n")
    (folder / "pyvenv.cfg").write_text(f"home = {interpreter.path.resolve().parent}\n")
    (folder / "bin").mkdir()
    (folder / "bin/python").symlink_to(interpreter.path.resolve())
    return folder / "bin/python"


def installation(folder: pathlib.Path, gauge: pathlib.Path, recorders: dict[str, pathlib.Path]) -> pathlib.Path:
    """A gauge that has just these recorders, by the names of their folders."""
    stage = gauge.parent.parent / "stage/lib/gauge"
    for name in ("bin", "lib/gauge/recorders"):
        (folder / name).mkdir(parents=True)
    shutil.copy(gauge, folder / "bin/gauge")
    (folder / "lib/gauge/bootstrap").symlink_to(stage / "bootstrap")
    for name, recorder in recorders.items():
        (folder / "lib/gauge/recorders" / name).symlink_to(recorder.parent)
    return folder / "bin/gauge"


def keys_of(value: Any) -> Any:
    """The keys of every object, without the values; of an array of objects those of the first."""
    if isinstance(value, list):
        return [keys_of(part) for part in value[:1] if isinstance(part, dict)]
    return {key: keys_of(part) for key, part in value.items()} if isinstance(value, dict) else None


def test_every_interpreter_that_has_a_recorder_can_be_recorded(gauge: pathlib.Path) -> None:
    recordable = [each for each in find_interpreters() if each.recorder.exists()]
    status, answer = examine([gauge, "doctor", "--json", *(each.path for each in recordable)])
    assert status == 0
    found = answer["interpreters"]
    assert [each["path"] for each in found] == [str(each.path) for each in recordable]
    assert [each["version"] for each in found] == [each.version for each in recordable]
    for each in found:
        assert (each["recordable"], each["reason"], each["remedy"]) == (True, None, None)
        assert each["reader"] == "memfd"
        assert each["samples"] > 0


def test_the_json_has_exactly_the_keys_of_its_page(
    gauge: pathlib.Path, newest: Interpreter, build_tool: BuildTool
) -> None:
    page = (REPOSITORY / "docs/doctor-json.md").read_text()
    [example] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    _, answer = examine([build_tool("gauge-forbid"), "memfd_create", "--", gauge, "doctor", "--json", newest.path])
    shown = keys_of(json.loads(example))
    assert keys_of(answer) == shown
    parts = [
        shown,
        shown["interpreters"][0],
        shown["machine"],
        shown["problems"][0],
        shown["machine"]["readers"]["memfd"],
    ]
    for key in {key for part in parts for key in part} - {"memfd", "process_vm_readv", "proc_mem"}:
        assert f"`{key}`" in page, key


FAKES = {
    "free-threaded": ("sys.abiflags = 't'", "free-threaded builds cannot be recorded yet"),
    "pre-release": ("sys.hexversion = sys.hexversion & ~0xff | 0xb1", "it is a pre-release"),
    "too old": ("sys.version_info = (3, 8, 18, 'final', 0)", "there is no recorder for CPython 3.8"),
    "not CPython": ("sys.implementation.name = 'pypy'", "only CPython can be recorded"),
    "crashes": ("import os; 'GAUGE_BOOTSTRAP' in os.environ and os.abort()", "killed by signal 6"),
}


@pytest.mark.parametrize("kind", FAKES)
def test_what_cannot_be_recorded_says_why_and_what_to_do(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path, kind: str
) -> None:
    at_start, reason = FAKES[kind]
    python = environment(tmp_path / "venv", newest, at_start)
    answer = examine_one(gauge, python)
    assert not answer["recordable"]
    assert reason in answer["reason"]
    assert answer["remedy"]


def test_a_missing_recorder_is_told_from_one_that_does_not_exist(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    answer = examine_one(installation(tmp_path, gauge, {}), newest.path)
    assert answer["reason"] == f"the recorder for CPython {newest.minor} is missing from this installation"
    assert f"python{newest.minor}-dev" in answer["remedy"]


def test_a_recorder_that_refuses_says_so_itself(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    recorder = tmp_path / "broken/_recorder.so"
    recorder.parent.mkdir()
    recorder.write_bytes(b"\x7fELF, but not really")
    answer = examine_one(installation(tmp_path / "gauge", gauge, {newest.id: recorder}), newest.path)
    assert not answer["recordable"]
    assert str(newest.id) in answer["reason"]


STUBS = {
    "echo hello": "is no Python",
    "echo the reason >&2; exit 3": "does not run (exit status 3: the reason)",
    "kill -SEGV $$": "does not run (killed by signal 11, Segmentation fault)",
}


@pytest.mark.parametrize("body", STUBS)
def test_a_stub_is_no_python(gauge: pathlib.Path, tmp_path: pathlib.Path, body: str) -> None:
    answer = examine_one(gauge, script(tmp_path / "python3", body))
    assert answer["reason"] == STUBS[body]
    assert (answer["implementation"], answer["version"]) == (None, None)


def test_a_name_that_leads_nowhere_fails_beside_one_that_works(gauge: pathlib.Path, newest: Interpreter) -> None:
    status, answer = examine([gauge, "doctor", "--json", newest.path, "python3.77"])
    assert status == 1
    assert [each["recordable"] for each in answer["interpreters"]] == [True, False]
    assert answer["interpreters"][1]["reason"] == "python3.77: not found on PATH"


def test_an_interpreter_that_ignores_its_environment_is_told(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    answer = examine_one(gauge, script(tmp_path / "python3", f'exec "{newest.path}" -I "$@"'))
    assert answer["reason"] == "it started without the recorder, having ignored PYTHONPATH"
    assert "-I" in answer["remedy"]


def test_without_names_each_real_interpreter_is_told_once_with_all_its_names(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("python3", "python3.99", "python3-config"):
        (tmp_path / "bin" / name).symlink_to(newest.path.resolve())
    script(tmp_path / "shims/python3", f'exec "{newest.path.resolve()}" "$@"')
    script(tmp_path / "shims/python3.1", "echo no version is chosen >&2; exit 127")
    own = environment(tmp_path / "venv", newest, "pass")
    variables = {"PATH": f"{tmp_path}/bin:{tmp_path}/shims:/nowhere", "HOME": str(tmp_path), "PYENV_ROOT": None}
    variables |= {"VIRTUAL_ENV": str(tmp_path / "venv"), "XDG_DATA_HOME": None, "UV_PYTHON_INSTALL_DIR": None}
    status, answer = examine([gauge, "doctor", "--json"], variables)
    assert status == 0
    [interpreter] = answer["interpreters"]
    assert interpreter["path"] == str(own)
    assert interpreter["names"] == [str(tmp_path / name) for name in ("bin/python3", "bin/python3.99", "shims/python3")]


def test_where_there_is_no_interpreter_it_says_so(gauge: pathlib.Path, tmp_path: pathlib.Path) -> None:
    command = ["env", "-i", f"PATH={tmp_path}", gauge, "doctor"]
    outcome = run([str(word) for word in command])
    assert outcome.returncode == 1
    assert b"none was found" in outcome.stdout
    assert b"0 of 0 interpreters can be recorded." in outcome.stdout


def test_an_empty_environment_is_enough(gauge: pathlib.Path, newest: Interpreter) -> None:
    outcome = run(["env", "-i", gauge, "doctor", "--json", newest.path])
    assert outcome.returncode == 0, outcome.stdout


# What is forbidden, by which reader memory is read then, and what is named as a problem.
FORBIDDEN = {
    "memfd_create": ("memfd_create", "process_vm_readv", ["memfd"]),
    "pwritev": ("pwritev", "process_vm_readv", ["memfd"]),
    "process_vm_readv": ("process_vm_readv", "memfd", ["process_vm_readv"]),
    "both": ("memfd_create process_vm_readv", "proc_mem", ["memfd", "process_vm_readv"]),
    "descriptors": ("close_range unshare", "process_vm_readv", ["descriptor table of its own"]),
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_what_a_seccomp_filter_forbids_is_named_and_stood_in_for(
    gauge: pathlib.Path, newest: Interpreter, build_tool: BuildTool, case: str
) -> None:
    calls, reader, subjects = FORBIDDEN[case]
    forbid = [build_tool("gauge-forbid"), *calls.split(), "--"]
    status, answer = examine([*forbid, gauge, "doctor", "--json", newest.path])
    assert status == 0
    [interpreter] = answer["interpreters"]
    assert interpreter["reader"] == reader
    assert (answer["machine"]["seccomp_filter"], answer["machine"]["no_new_privileges"]) == (True, True)
    problems = [each for each in answer["problems"] if each["subject"] in subjects]
    assert [each["subject"] for each in problems] == subjects
    for each in problems:
        assert each["what"] == "is refused (Operation not permitted)"
        assert "docker run --security-opt seccomp=" in each["remedy"]
        assert "securityContext.seccompProfile" in each["remedy"]


def test_a_filter_that_kills_is_told_and_survived(
    gauge: pathlib.Path, newest: Interpreter, build_tool: BuildTool
) -> None:
    forbid = [build_tool("gauge-forbid"), "memfd_create=kill", "--"]
    status, answer = examine([*forbid, gauge, "doctor", "--json", newest.path])
    assert status == 1
    assert answer["machine"]["readers"]["memfd"] == {"works": False, "error": "killed by signal 31"}
    [interpreter] = answer["interpreters"]
    assert "killed by signal 31" in interpreter["reason"]
    assert any("every recorded program is killed" in each["effect"] for each in answer["problems"])


LIMITS = {
    "-f 2048": "size of files (RLIMIT_FSIZE)",
    "-v 400000": "address space (RLIMIT_AS)",
    "-n 32": "open files (RLIMIT_NOFILE)",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_low_limit_is_named_and_the_interpreter_tried_below_it(
    gauge: pathlib.Path, newest: Interpreter, limit: str
) -> None:
    words = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", gauge, "doctor", "--json", newest.path]
    status, answer = examine(words)
    assert status == 0
    assert LIMITS[limit] in [each["subject"] for each in answer["problems"]]
    [interpreter] = answer["interpreters"]
    assert interpreter["reader"] == ("process_vm_readv" if limit.startswith("-f") else "memfd")


def test_what_interpreters_print_is_not_shown(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    python = environment(tmp_path, newest, "print('noise'); print('noise', file=sys.stderr)")
    outcome = run([gauge, "doctor", python], env=QUIET)
    assert outcome.returncode == 0
    assert b"noise" not in outcome.stdout + outcome.stderr


def test_nothing_is_left_behind(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    folders = {name: tmp_path / name for name in ("tmp", "here")}
    for folder in folders.values():
        folder.mkdir()
    outcome = run([gauge, "doctor", newest.path], cwd=folders["here"], env={"TMPDIR": str(folders["tmp"])})
    assert outcome.returncode == 0
    assert [list(folder.iterdir()) for folder in folders.values()] == [[], []]


def test_ctrl_c_leaves_nothing_behind(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    # Says what it is, and then hangs where it is to be recorded.
    body = f"""case "$2" in
*trial*) echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 1000 ;;
*) exec "{newest.path}" "$@" ;;
esac"""
    python = script(tmp_path / "python3", body)
    (tmp_path / "tmp").mkdir()
    variables = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen([gauge, "doctor", python], env=variables, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not (tmp_path / "pid").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
    assert list((tmp_path / "tmp").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_table_fits_a_terminal_and_is_plain_in_a_pipe(
    gauge: pathlib.Path, newest: Interpreter, build_tool: BuildTool
) -> None:
    command = [build_tool("gauge-forbid"), "memfd_create", "--", gauge, "doctor", newest.path, "python3.77"]
    plain = run(command, env=QUIET | {"HOME": "/"}).stdout.decode()  # paths below the home folder are shortened
    assert "\x1b" not in plain
    assert "process_vm_readv  " + str(newest.path) in plain
    variables = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm", "CI": "1"}
    outcome = run_on_terminal(command, variables)
    assert outcome.status == 1
    lines = outcome.output.splitlines()
    assert "  ! memfd is refused (Operation not permitted)" in lines
    assert max(map(len, lines)) <= 80
