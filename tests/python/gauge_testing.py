"""What the Python tests share besides fixtures: the interpreters of this machine and how programs are run."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SUPPORTED_MINORS = tuple(f"3.{minor}" for minor in range(9, 16))


def minor_number(minor: str) -> int:
    """9 of "3.9": by it versions are sorted."""
    return int(minor.split(".")[1])


def in_ci() -> bool:
    """Whether a missing tool is a failure of the set-up rather than a reason to skip."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def executable_path() -> pathlib.Path:
    """The command line under test: $GAUGE_EXECUTABLE, or what the dev preset builds."""
    return pathlib.Path(os.environ.get("GAUGE_EXECUTABLE", REPOSITORY / "build/dev/bin/gauge"))


def stage_path() -> pathlib.Path:
    """The tree laid out as an installation that belongs to the executable: lib/gauge and python/gauge are in it."""
    return executable_path().parent.parent / "stage"


@dataclass(frozen=True)
class Interpreter:
    """A CPython of this machine."""

    path: pathlib.Path
    version: str  # "3.11.7"
    minor: str  # "3.11"
    free_threaded: bool

    @property
    def id(self) -> str:
        """Name in test ids."""
        return f"cpython-{self.minor}{'t' if self.free_threaded else ''}"

    @property
    def recorder(self) -> pathlib.Path:
        """Where the build puts the recorder for this interpreter, whether or not it is there."""
        return stage_path() / "lib/gauge/recorders" / self.id / "_recorder.so"


_DESCRIBE = """
import json, platform, sys, sysconfig
print(json.dumps([sys.implementation.name, platform.python_version(), "3.%d" % sys.version_info[1],
                  bool(sysconfig.get_config_var("Py_GIL_DISABLED"))]))
"""


def describe_interpreter(path: pathlib.Path) -> Interpreter | None:
    """What `path` is, as it says itself; None for what does not run, is not CPython or is of no supported minor."""
    try:
        answer = subprocess.run(
            [str(path), "-I", "-c", _DESCRIBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30
        )
        implementation, version, minor, free_threaded = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if implementation != "cpython" or minor not in SUPPORTED_MINORS:
        return None
    return Interpreter(path, version, minor, free_threaded)


def _candidates() -> Iterator[pathlib.Path]:
    chosen = os.environ.get("GAUGE_TEST_PYTHONS")
    if chosen is not None:
        yield from (pathlib.Path(path) for path in chosen.split(os.pathsep) if path)
        return
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    for minor in SUPPORTED_MINORS:
        yield from sorted(pyenv.glob(f"versions/{minor}*/bin/python{minor}"), reverse=True)
        for folder in ("/usr/local/bin", "/usr/bin"):
            yield pathlib.Path(folder) / f"python{minor}"
        found = shutil.which(f"python{minor}")
        if found:
            yield pathlib.Path(found)
        yield from sorted(cache.glob(f"gauge/pythons/*/usr/bin/python{minor}"), reverse=True)


@functools.cache
def find_interpreters() -> tuple[Interpreter, ...]:
    """Every CPython 3.9 to 3.15 found, oldest first, one of each minor.

    pyenv's come before the system's, and those that tools/fetch-pythons.sh fetched last. GAUGE_TEST_PYTHONS, paths with
    colons between, chooses others. A pyenv shim that leads nowhere is passed over.
    """
    found: dict[str, Interpreter] = {}
    for path in _candidates():
        if not os.access(path, os.X_OK):
            continue
        interpreter = describe_interpreter(path)
        if interpreter is not None:
            found.setdefault(interpreter.id, interpreter)
    return tuple(sorted(found.values(), key=lambda each: (minor_number(each.minor), each.free_threaded)))


def run(
    command: Sequence[str | os.PathLike[str]],
    *,
    timeout: float = 60,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end and return its status, output and errors, as bytes.

    timeout: seconds; after it the command *and everything it started* is killed and the test fails.
    env: laid over this process's environment; None as a value takes a variable away.
    """
    environment = dict(os.environ)
    for name, value in (env or {}).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    arguments = [os.fspath(word) for word in command]
    with subprocess.Popen(
        arguments,
        cwd=cwd,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as expired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            raise AssertionError(
                f"{arguments[0]}: still running after {timeout} s\nstdout: {output!r}\nstderr: {errors!r}"
            ) from expired
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


@contextlib.contextmanager
def running(command: Sequence[str | os.PathLike[str]], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A command at work beside the test, which ends it; options are Popen's.

    Where the test fails before, it is killed with everything it started: waited for, it would hide what failed.
    """
    with subprocess.Popen([os.fspath(word) for word in command], start_new_session=True, **options) as process:
        try:
            yield process
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


class TerminalOutcome(NamedTuple):
    status: int
    output: str  # stdout and stderr, as they came; lines end with "\r\n"


def run_on_terminal(command: Sequence[str | pathlib.Path], env: Mapping[str, str]) -> TerminalOutcome:
    """Runs a command whose stdout and stderr are one terminal, to its end."""
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=env) as process:
        os.close(slave)
        output = b""
        while part := _read_terminal(master):
            output += part
    os.close(master)
    return TerminalOutcome(process.returncode, output.decode())


def _read_terminal(master: int) -> bytes:
    """What comes next; empty at the end, which for a terminal is an error."""
    try:
        return os.read(master, 65536)
    except OSError:
        return b""
