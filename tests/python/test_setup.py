"""tools/setup.sh on machines that lack something: it says what it will install before it does, or why it cannot.

The machine is made up: a copy of the script, with stand-ins for dpkg-query, apt-get, sudo, id and Python before the
real commands on PATH. Each stand-in appends what it was asked to a log.
"""

from __future__ import annotations

import pathlib
import re
import shutil
from dataclasses import dataclass
from subprocess import CompletedProcess

import pytest

import gauge_testing

LIBRARIES = [
    "libcli11-dev",
    "libfmt-dev",
    "libprotozero-dev",
    "libtomlplusplus-dev",
    "libzstd-dev",
    "rapidjson-dev",
    "zlib1g-dev",
]

PYTHON = """#!/bin/sh
case "$1" in
-c) case "$2" in *_base_executable*) echo "$0" ;; esac ;;
-VV) echo "Python 3.11.2" ;;
-m)
  echo "python $*" >>"$LOG"
  if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
  ;;
esac
"""


@dataclass
class Machine:
    """A made-up machine."""

    root: pathlib.Path

    def add(self, command: str, script: str) -> None:
        path = self.root / "bin" / command
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def set_up(self, task: str = "build") -> CompletedProcess[bytes]:
        environment = {
            "PATH": f"{self.root}/bin:/usr/bin:/bin",
            "LOG": str(self.root / "log"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "PYTHON": str(self.root / "bin/python3"),
        }
        return gauge_testing.run([self.root / "repository/tools/setup.sh", task], env=environment)

    def log(self) -> list[str]:
        path = self.root / "log"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    """Root's machine with the tools but none of the libraries."""
    requirements = ("tools/build-requirements.txt", "tools/lint-requirements.txt", "tests/python/requirements.txt")
    for path in ("tools/setup.sh", *requirements, "tests/consumers/requirements.txt"):
        target = tmp_path / "repository" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(gauge_testing.REPOSITORY / path, target)
    (tmp_path / "bin").mkdir()
    made_up = Machine(tmp_path)
    made_up.add("python3", PYTHON)
    made_up.add("id", "echo 0")
    made_up.add("dpkg-query", "exit 1")
    made_up.add("apt-get", 'echo "apt-get $*" >>"$LOG"')
    for tool in ("c++", "cmake", "ninja"):
        made_up.add(tool, "")
    return made_up


def test_what_is_installed_is_said_first(machine: Machine) -> None:
    result = machine.set_up()
    assert result.returncode == 0
    said = result.stderr.decode().splitlines()
    assert said[0] == f"gauge: set-up: missing Debian packages: {' '.join(LIBRARIES)}"
    assert said[1].endswith(f": apt-get install --no-install-recommends {' '.join(LIBRARIES)}")
    assert said[2].startswith("gauge: set-up: missing Python packages: pybind11==")
    assert machine.log()[:2] == [
        "apt-get -q update",
        f"apt-get -qy install --no-install-recommends {' '.join(LIBRARIES)}",
    ]


def test_a_second_time_nothing_is_done_or_said(machine: Machine) -> None:
    machine.set_up()
    machine.add("dpkg-query", f"printf 'installed/%s ' {' '.join(LIBRARIES)}")
    (machine.root / "log").unlink()
    result = machine.set_up()
    assert (result.returncode, result.stderr, machine.log()) == (0, b"", [])


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.add("dpkg-query", "printf 'installed/libfmt-dev not-installed/libzstd-dev '; exit 1")
    machine.set_up()
    rest = [package for package in LIBRARIES if package != "libfmt-dev"]
    assert machine.log()[1].endswith(" ".join(rest))


def test_without_root_and_sudo_it_refuses_and_says_what_to_type(machine: Machine) -> None:
    machine.add("id", "echo 1000")
    machine.add("sudo", "exit 1")  # wants a password, and there is no terminal to ask at
    result = machine.set_up()
    assert result.returncode == 1
    assert f"run as root, then try again: apt-get install --no-install-recommends {' '.join(LIBRARIES)}" in (
        result.stderr.decode()
    )
    assert machine.log() == []


def test_sudo_is_used_by_who_is_not_root(machine: Machine) -> None:
    machine.add("id", "echo 1000")
    machine.add("sudo", 'if [ "$1" != -n ]; then echo "sudo $*" >>"$LOG"; fi')
    result = machine.set_up()
    assert result.returncode == 0
    assert machine.log()[0] == "sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update"


def test_a_failing_apt_get_is_shown_with_its_last_words(machine: Machine) -> None:
    machine.add("apt-get", "echo 'E: Unable to locate package libfmt-dev'; exit 100")
    result = machine.set_up()
    assert result.returncode == 1
    assert "E: Unable to locate package libfmt-dev" in result.stderr.decode()
    assert "apt-get failed" in result.stderr.decode()


def test_an_interrupted_virtual_environment_is_made_again(machine: Machine) -> None:
    machine.set_up()
    (environment,) = (machine.root / "cache/gauge").glob("venv-*")
    (environment / "complete").unlink()
    (environment / "half-written").touch()
    assert machine.set_up().returncode == 0
    assert (environment / "complete").exists()
    assert not (environment / "half-written").exists()


def test_changed_requirements_get_an_environment_of_their_own(machine: Machine) -> None:
    machine.set_up()
    with (machine.root / "repository/tools/build-requirements.txt").open("a") as requirements:
        requirements.write("another==1.0\n")
    machine.set_up()
    assert len(list((machine.root / "cache/gauge").glob("venv-*"))) == 2


def test_tools_whose_verdict_depends_on_their_version_come_pinned(machine: Machine) -> None:
    result = machine.set_up("lint")
    assert result.returncode == 0
    packages, python_packages = result.stderr.decode().split("missing Python packages:")
    for tool in ("clang-format", "clang-tidy", "mypy", "ruff", "shellcheck"):
        assert tool not in packages
        assert re.search(rf" {tool}(-py)?==", python_packages), tool


def test_no_usable_python_is_an_error_in_words(machine: Machine) -> None:
    machine.add("python3", "exit 1")
    result = machine.set_up()
    assert result.returncode == 1
    assert b"no Python 3.10 or later found" in result.stderr


def test_an_unknown_task_names_the_known_ones(machine: Machine) -> None:
    result = machine.set_up("tset")
    assert result.returncode == 1
    assert b"unknown task 'tset'; say one of: build, test, lint, fuzz, ci" in result.stderr
