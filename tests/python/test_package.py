"""What pip installs works: the module, the commands, recording without code. The first run on a tree compiles it."""

from __future__ import annotations

import pathlib

import pytest

from gauge_testing import Interpreter, run
from package_testing import installed_package
from recorder_testing import Recorded

PROGRAM = """
import time

def work():
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass

work()
"""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def environment(representative: Interpreter) -> pathlib.Path:
    """A virtual environment with nothing but gauge in it."""
    return installed_package(representative)


def test_the_commands_are_installed_and_find_their_recorder(environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    python = environment / "bin/python"
    command = [environment / "bin/gauge", "record", "-r", "1khz", "-o", "out.gpf", "--", python, "program.py"]
    done = run(command, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert Recorded(tmp_path / "out.gpf").leaves("MainThread")["work"] > 10
    for command in (["bin/gauge", "convert"], ["bin/gauge-convert"]):
        words = [environment / command[0], *command[1:], "--to", "speedscope", "-f", "-o", "out.json", "out.gpf"]
        assert run(words, cwd=tmp_path).returncode == 0


def test_python_m_gauge_is_the_command_line(environment: pathlib.Path) -> None:
    versions = [
        run([environment / "bin/gauge", "--version"]),
        run([environment / "bin/python", "-m", "gauge", "--version"]),
        run([environment / "bin/python", "-c", "import gauge; print('gauge', gauge.__version__)"]),
    ]
    assert versions[0].returncode == 0
    assert len({done.stdout for done in versions}) == 1


def test_a_variable_records_any_program(environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    python = environment / "bin/python"
    bare = run([python, "program.py"], cwd=tmp_path)
    assert (bare.returncode, bare.stderr, list(tmp_path.glob("*.gpf"))) == (0, b"", [])
    done = run([python, "program.py"], cwd=tmp_path, env={"GAUGE_RECORD": "run-%p.gpf", "GAUGE_RATE": "0.8khz"})
    assert (done.returncode, done.stderr) == (0, b"")
    (recorded,) = tmp_path.glob("run-*.gpf")
    recording = Recorded(recorded)
    assert recording.end == "exit"
    # On a busy machine the sampler may have had no core for so long.
    assert recording.leaves("MainThread")["work"] + recording.missed_ticks > 10


@pytest.mark.parametrize("option", ["-I", "-E"])
def test_a_variable_records_what_ignores_those_of_python(
    environment: pathlib.Path, tmp_path: pathlib.Path, option: str
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run([environment / "bin/python", option, "program.py"], cwd=tmp_path, env={"GAUGE_RECORD": "out.gpf"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert Recorded(tmp_path / "out.gpf").end == "exit"


def test_a_variable_that_cannot_be_followed_is_told_once(environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = run([environment / "bin/python", "-c", "print(1)"], cwd=tmp_path, env={"GAUGE_RECORD": "no/such/out.gpf"})
    assert (done.returncode, done.stdout) == (0, b"1\n")
    assert done.stderr.decode() == (
        f"gauge: {tmp_path}/no/such/out.gpf: cannot be created (No such file or directory); "
        "choose another file or folder\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("GAUGE_RATE", "often", "'often' is not a rate; write samples per second, as 100, 100hz or 10khz"),
        ("GAUGE_MAX_OVERHEAD", "little", "'little' is no share of a core; write it as 1% or 0.5%"),
    ],
)
def test_a_value_that_is_none_is_told_and_the_program_runs(
    environment: pathlib.Path, tmp_path: pathlib.Path, name: str, value: str, complaint: str
) -> None:
    variables = {"GAUGE_RECORD": "out.gpf", name: value}
    done = run([environment / "bin/python", "-c", "print(1)"], cwd=tmp_path, env=variables)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (0, b"1\n", [])
    assert done.stderr.decode() == f"gauge: {name}: {complaint}\n"


def test_a_variable_limits_the_overhead(environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    variables = {"GAUGE_RECORD": "out.gpf", "GAUGE_MAX_OVERHEAD": "0.5%"}
    done = run([environment / "bin/python", "-c", "print(1)"], cwd=tmp_path, env=variables)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Recorded(tmp_path / "out.gpf").max_overhead == 0.005


def test_the_package_is_typed_and_needs_nothing(environment: pathlib.Path) -> None:
    shown = run([environment / "bin/python", "-m", "pip", "show", "--files", "gauge"]).stdout.decode()
    assert "Requires: \n" in shown
    for file in ("gauge/py.typed", "gauge/_recorder.pyi", "gauge-record.pth"):
        assert file in shown
