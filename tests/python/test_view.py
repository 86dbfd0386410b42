"""`gauge view`: the page is written, and the right browser is told, or nobody."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import time
import urllib.parse
from collections.abc import Callable

import pytest

from gauge_testing import run

Result = subprocess.CompletedProcess[bytes]
View = Callable[..., Result]


@pytest.fixture
def recording(build_tool: Callable[[str], pathlib.Path], tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "in.gpf"
    run([build_tool("gauge-generate"), "--samples", "100", "-o", path])
    return path


@pytest.fixture
def browsers(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "browsers"
    folder.mkdir()
    return folder


def make_browser(browsers: pathlib.Path, name: str, then: str = "exit 0") -> pathlib.Path:
    """A program that writes down what it was given, and its streams; return the file in which it does."""
    program = browsers / name
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >"{browsers}/{name}.called"\n{then}\n')
    program.chmod(0o755)
    return browsers / f"{name}.called"


@pytest.fixture
def view(gauge: pathlib.Path, recording: pathlib.Path, browsers: pathlib.Path, tmp_path: pathlib.Path) -> View:
    """`gauge view` of a recording, where only `browsers` is on PATH besides a shell."""
    (browsers / "sh").symlink_to("/bin/sh")
    (tmp_path / "pages").mkdir()
    defaults = {"BROWSER": None, "DISPLAY": None, "WAYLAND_DISPLAY": None, "TMPDIR": str(tmp_path / "pages")}

    def run_view(*words: str | os.PathLike[str], **variables: str) -> Result:
        environment = {**defaults, **variables, "PATH": str(browsers)}
        return run([gauge, "view", *words, recording], env=environment)

    return run_view


def printed_page(outcome: Result) -> pathlib.Path:
    """The page whose path was printed; it is there, whole and the user's alone."""
    assert outcome.returncode == 0
    page = pathlib.Path(outcome.stdout.decode().removesuffix("\n"))
    assert page.read_text().rstrip().endswith("</html>")
    return page


def wait_for(path: pathlib.Path) -> str:
    """What a file holds, once it is there and has a line."""
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return path.read_text()


def shown(called: pathlib.Path) -> pathlib.Path:
    """The file that a browser was told to show. Nobody waits for a browser that is slow to start, except us."""
    address = wait_for(called).strip()
    assert address.startswith("file:///")
    return pathlib.Path(urllib.parse.unquote(address.removeprefix("file://")))


def test_the_browser_of_the_variable_gets_the_page_that_is_printed(view: View, browsers: pathlib.Path) -> None:
    called = make_browser(browsers, "mine")
    outcome = view(BROWSER="mine")
    assert shown(called) == printed_page(outcome)
    assert outcome.stderr == b""


def test_on_a_display_the_desktop_chooses(view: View, browsers: pathlib.Path) -> None:
    called = make_browser(browsers, "xdg-open")
    for display in ({"DISPLAY": ":9"}, {"WAYLAND_DISPLAY": "wayland-0"}):
        page = printed_page(view(**display))
        assert shown(called) == page
        called.unlink()


def test_the_next_browser_is_tried_where_one_fails(view: View, browsers: pathlib.Path) -> None:
    failed = make_browser(browsers, "xdg-open", then="exit 3")
    called = make_browser(browsers, "firefox")
    page = printed_page(view(DISPLAY=":9", BROWSER="not-there"))
    assert shown(failed) == shown(called) == page


def test_a_browser_that_goes_on_is_not_waited_for(view: View, browsers: pathlib.Path) -> None:
    called = make_browser(browsers, "mine", then=f"echo $$ >{browsers}/pid; exec /bin/sleep 60")
    try:
        page = printed_page(view(BROWSER="mine"))
        assert shown(called) == page
    finally:
        os.kill(int(wait_for(browsers / "pid")), signal.SIGTERM)


@pytest.mark.parametrize("words", [(), ("--no-open",)])
def test_without_a_display_or_if_asked_not_to_nothing_is_opened(
    words: tuple[str, ...], view: View, browsers: pathlib.Path
) -> None:
    called = make_browser(browsers, "xdg-open")
    outcome = view(*words, **({"DISPLAY": ":9"} if words else {}))
    page = printed_page(outcome)
    assert not called.exists()
    if words:
        assert outcome.stderr == b""
    else:
        assert outcome.stderr.count(b"\n") == 1
        assert outcome.stderr.decode().startswith(f"gauge: {page}: no browser could be started; ")


def test_a_temporary_page_is_for_its_user_alone(view: View, tmp_path: pathlib.Path) -> None:
    page = printed_page(view("--no-open"))
    assert page.parent == tmp_path / "pages"
    assert page.name.startswith("gauge-")
    assert page.stat().st_mode & 0o777 == 0o600


def test_a_page_can_be_kept_and_is_not_overwritten(view: View, tmp_path: pathlib.Path) -> None:
    kept = tmp_path / "a b.html"
    assert printed_page(view("--no-open", "-o", kept)) == kept
    assert view("--no-open", "-o", kept).returncode == 1
    assert printed_page(view("--no-open", "-f", "-o", kept)) == kept


def test_a_page_that_cannot_be_written_leaves_nothing(view: View, tmp_path: pathlib.Path) -> None:
    outcome = view("--no-open", TMPDIR=str(tmp_path / "missing"))
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"gauge: {tmp_path}/missing: cannot hold the page".encode())
    assert b"TMPDIR" in outcome.stderr


@pytest.mark.parametrize(
    "words", [("--weight", "cpu"), ("--frames", "line"), ("--paths", "full"), ("--timeline", "totals")]
)
def test_the_page_is_that_of_convert_with_the_same_choices(
    words: tuple[str, ...], gauge: pathlib.Path, recording: pathlib.Path, view: View, tmp_path: pathlib.Path
) -> None:
    converted = tmp_path / "converted.html"
    assert run([gauge, "convert", *words, "-o", converted, recording]).returncode == 0
    page = printed_page(view("--no-open", *words)).read_bytes()
    assert page == converted.read_bytes()
    assert page != printed_page(view("--no-open")).read_bytes()


def test_a_choice_that_is_none_is_told_before_anything_is_written(view: View, tmp_path: pathlib.Path) -> None:
    outcome = view("--no-open", "--weight", "heap")
    assert outcome.returncode == 1
    assert outcome.stderr == b"gauge: --weight: 'heap' is not a choice; write samples, wall, cpu or gil\n"
    assert list((tmp_path / "pages").iterdir()) == []


def test_a_compressed_page_is_refused(view: View, tmp_path: pathlib.Path) -> None:
    outcome = view("--no-open", "-o", str(tmp_path / "page.html.gz"))
    assert outcome.returncode == 1
    assert outcome.stderr.decode() == (
        f"gauge: {tmp_path}/page.html.gz: no browser opens a compressed page from a disk; leave out the .gz, or "
        "write it with gauge convert\n"
    )
    assert not (tmp_path / "page.html.gz").exists()
