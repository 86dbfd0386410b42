"""Callgrind files in the real KCachegrind, without a screen: it must load them and have nothing to say."""

from __future__ import annotations

import os
import pathlib
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from folded_model import CASES, fold_to

Load = Callable[[Sequence[pathlib.Path]], list[str]]

LOADING = 'Loading "'  # begins what its loader says: Loading "FILE" : LINE : "what is wrong"
# The last file to be loaded, so that there is something to wait for: a picture is no sign of having loaded.
LAST = "# callgrind format\nversion: 1\nevents: Samples\n\nfl=(1) end.py\nfn=(1) end\n1 1\nthe end\n"
SECONDS = 90


def lines_of(process: subprocess.Popen[str]) -> queue.Queue[str | None]:
    """What it writes to stderr, as it comes; None at the end."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


@pytest.fixture
def load(consumer: Callable[[str], pathlib.Path], tmp_path: pathlib.Path) -> Load:
    """Load files in KCachegrind, one after the other; return what its loader says of them."""
    command = [consumer("dbus-run-session"), "--", consumer("kcachegrind")]
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    environment = {"QT_QPA_PLATFORM": "offscreen", "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "LC_ALL": "C.UTF-8"}
    last = tmp_path / "last.callgrind"
    last.write_text(LAST)

    def load_all(paths: Sequence[pathlib.Path]) -> list[str]:
        with subprocess.Popen(
            [*command, *paths, last],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            lines = lines_of(process)
            said = []
            deadline = time.monotonic() + SECONDS
            try:
                while True:
                    line = lines.get(timeout=max(deadline - time.monotonic(), 0))
                    assert line is not None, f"KCachegrind ended: {said}"
                    if line.startswith(f'{LOADING}{last}"'):
                        break
                    said.append(line)
            except queue.Empty:
                raise AssertionError(f"still loading after {SECONDS} s: {said}") from None
            finally:
                os.killpg(process.pid, signal.SIGKILL)
        return [line for line in said if line.startswith(LOADING)]

    return load_all


def test_kcachegrind_loads_every_file_without_a_word(load: Load, tmp_path: pathlib.Path) -> None:
    paths = [fold_to("callgrind", make(), tmp_path / f"{name}.callgrind") for name, make in CASES.items()]
    paths.append(fold_to("callgrind", "", tmp_path / "empty.callgrind"))
    assert load(paths) == []


def test_kcachegrind_loads_any_text_without_a_word(load: Load, tmp_path: pathlib.Path) -> None:
    folded = 'pkg::a\\;b\\nc\x01 "größe" (2) 😀 <i>@/src/\\;\\n(1).py:0:0 1\n-::=@ 2\n'
    assert load([fold_to("callgrind", folded, tmp_path / "text.callgrind")]) == []


def test_kcachegrind_does_tell_what_is_wrong(load: Load, tmp_path: pathlib.Path) -> None:
    path = fold_to("callgrind", "main;f 1\n", tmp_path / "broken.callgrind")
    path.write_text(path.read_text() + "+1 1 2 3 4 5\n")
    (message,) = load([path])
    assert message.startswith(f'{LOADING}{path}" : ')
