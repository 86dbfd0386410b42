"""Runs a program below `gauge record`, and tells what became of it and of its recordings."""

from __future__ import annotations

import json
import os
import pathlib
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import gauge_testing
from gauge_testing import Interpreter
from recorder_testing import Recorded

# What the programs of these tests share. By CPU time: a busy machine makes it longer, and the samples no fewer.
WORK = """
import os
import sys
import time

def work(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(1000))
"""

# Of the two hundred samples that work(0.2) gets at 1 kHz on a machine of its own.
SOME = 20


class Run(NamedTuple):
    """How a program ended."""

    status: int
    output: str
    errors: str  # the program's own
    told: str  # by gauge
    folder: pathlib.Path

    def recordings(self) -> dict[pathlib.Path, Recorded]:
        """What was recorded, by file, in the order of their names."""
        return {path: Recorded(path) for path in sorted(self.folder.glob("*.gpf"))}

    def with_function(self, name: str) -> pathlib.Path:
        """The one recording that has that function in more than a few samples."""
        (found,) = (path for path, each in self.recordings().items() if len(each.with_function(name)) > SOME)
        return found


def info(*files: pathlib.Path) -> list[dict[str, Any]]:
    """`gauge info --json` of the files."""
    outcome = gauge_testing.run([gauge_testing.executable_path(), "info", "--json", *files])
    assert outcome.returncode == 0, outcome.stderr
    answer: list[dict[str, Any]] = json.loads(outcome.stdout)
    return answer


def run_command(
    command: Sequence[str | os.PathLike[str]],
    folder: pathlib.Path,
    options: Sequence[str] | None = ("-r", "1khz"),
    env: Mapping[str, str | None] | None = None,
    below: Sequence[str | os.PathLike[str]] = (),
) -> Run:
    """Run `command` in `folder`, recorded into out.gpf with these options of `gauge record`; None = bare. All that by
    the command `below`, if there is one."""
    record = [*below, gauge_testing.executable_path(), "record", "-o", "out.gpf", *(options or ()), "--"]
    done = gauge_testing.run([*([] if options is None else record), *command], cwd=folder, env=env)
    lines = done.stderr.decode().splitlines(keepends=True)
    told = "".join(line for line in lines if line.startswith("gauge: "))
    errors = "".join(line for line in lines if not line.startswith("gauge: "))
    return Run(done.returncode, done.stdout.decode(), errors, told, folder)


def run_recorded(
    interpreter: Interpreter,
    folder: pathlib.Path,
    source: str,
    *arguments: str,
    options: Sequence[str] | None = ("-r", "1khz"),
    below: Sequence[str | os.PathLike[str]] = (),
) -> Run:
    """run_command() of `source`, after WORK, as <folder>/program.py."""
    (folder / "program.py").write_text(WORK + textwrap.dedent(source), encoding="utf-8")
    return run_command([interpreter.path, "program.py", *arguments], folder, options, below=below)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Fail where it takes longer than any machine should."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
