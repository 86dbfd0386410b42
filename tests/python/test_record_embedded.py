"""A C program with a Python in it, which it starts and ends more than once."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Callable, Sequence

import pytest

import gauge_testing
from gauge_testing import Interpreter, find_interpreters
from record_testing import SOME, WORK, Run, info, run_command
from recorder_testing import Recorded

HOST = """
#include <Python.h>
#include <stdlib.h>

/* host ROUNDS CODE */
int main(int argc, char **argv) {
  for (int round = argc > 2 ? atoi(argv[1]) : 0; round > 0; --round) {
    Py_Initialize();
    if (PyRun_SimpleString(argv[2]) != 0 || Py_FinalizeEx() != 0) return 3;
  }
  return 0;
}
"""

CODE = WORK + "work(0.2)\nprint('whole', flush=True)\n"

_ASK = """
import json, sys, sysconfig
names = "INCLUDEPY LIBDIR LDVERSION LIBS SYSLIBS".split()
print(json.dumps([sys.prefix, *(sysconfig.get_config_var(name) or "" for name in names)]))
"""


class Host:
    """The C program, built with one interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        answer = gauge_testing.run([interpreter.path, "-I", "-c", _ASK])
        self._prefix, self._include, self._libraries, self._version, *self._more = json.loads(answer.stdout)

    def can_be_built(self) -> bool:
        header, library = pathlib.Path(self._include, "Python.h"), f"libpython{self._version}.so"
        return header.exists() and pathlib.Path(self._libraries, library).exists()

    def build(self, compiler: pathlib.Path, folder: pathlib.Path) -> None:
        (folder / "host.c").write_text(HOST)
        flags = [f"-I{self._include}", f"-L{self._libraries}", f"-Wl,-rpath,{self._libraries}"]
        flags += [f"-lpython{self._version}", *" ".join(self._more).split()]
        subprocess.run([compiler, folder / "host.c", "-o", folder / "host", *flags], check=True)

    def run(self, folder: pathlib.Path, rounds: int, code: str, options: Sequence[str] | None) -> Run:
        package = {"PYTHONPATH": str(gauge_testing.stage_path() / "python")}
        return run_command(["./host", str(rounds), code], folder, options, {"PYTHONHOME": self._prefix, **package})


def hosts() -> list[Host]:
    """With the oldest and the newest interpreter: of those that came with headers and a library."""
    every = [Host(each) for each in find_interpreters() if each.recorder.exists()]
    found = [host for host in every if host.can_be_built()]
    return found[:1] + found[1:][-1:]


@pytest.fixture(params=hosts(), ids=lambda host: host.interpreter.id)
def host(request: pytest.FixtureRequest, consumer: Callable[[str], pathlib.Path], tmp_path: pathlib.Path) -> Host:
    """A host program, in tmp_path."""
    built: Host = request.param
    built.build(consumer("cc"), tmp_path)
    return built


def test_a_python_within_a_program_is_recorded(host: Host, tmp_path: pathlib.Path) -> None:
    outcome = host.run(tmp_path, 1, CODE, ("-r", "1khz"))
    assert (outcome.status, outcome.output, outcome.errors) == (0, "whole\n", "")
    assert len(Recorded(tmp_path / "out.gpf").with_function("work")) > SOME
    (facts,) = info(tmp_path / "out.gpf")
    assert facts["end_reason"] == "exit"
    assert facts["command"][0] == "./host"


@pytest.mark.parametrize("options", [("-r", "1khz"), ("-s", "-r", "1khz")], ids=["one", "all"])
def test_a_python_that_is_started_again_is_unharmed(
    host: Host, tmp_path: pathlib.Path, options: tuple[str, ...]
) -> None:
    outcome = host.run(tmp_path, 3, CODE, options)
    assert (outcome.status, outcome.output, outcome.errors) == (0, "whole\n" * 3, "")
    (recording,) = outcome.recordings().values()  # of the first
    assert recording.end == "exit"
    assert len(recording.with_function("work")) > SOME


IMPORT = """
try:
    import gauge
except ImportError as error:
    print(error, flush=True)
else:
    recorder = gauge.Recorder("out.gpf", rate=1000)
    recorder.start()
"""


def test_the_package_says_that_it_serves_the_first_interpreter(host: Host, tmp_path: pathlib.Path) -> None:
    outcome = host.run(tmp_path, 2, IMPORT + CODE, None)
    assert (outcome.status, outcome.errors) == (0, "")
    refusal = "gauge: a process can be recorded by its first interpreter only; record there, it sees all of them\n"
    assert outcome.output == "whole\n" + refusal + "whole\n"
    (recording,) = outcome.recordings().values()
    assert recording.end == "exit"
    assert len(recording.with_function("work")) > SOME
