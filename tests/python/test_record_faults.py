"""Programs with handlers of faults, and real faults: what is on stderr and how the program ends is as without Gauge.

The recorder has no handler of any signal, whatever the interpreter: one is asked for every way to crash, and the others
for the one that has the interpreter's own words in it.
"""

from __future__ import annotations

import pathlib
import re
import signal
import subprocess
from collections.abc import Callable

import pytest

from gauge_testing import Interpreter
from record_testing import Run, info, run_recorded

LIBRARY = """
#include <signal.h>
#include <unistd.h>

static void handle(int number) {
  const ssize_t written = write(2, "theirs\\n", 7);
  _exit(written == 7 && number == SIGSEGV ? 42 : 43);
}

int install(void) { return signal(SIGSEGV, handle) == SIG_ERR; }
"""

CRASH = """
import ctypes

def crash():
    ctypes.string_at(0)

"""

# What a program does before its fault, and how it then ends.
HANDLERS = {
    "none": ("", -signal.SIGSEGV),
    "faulthandler": ("import faulthandler; faulthandler.enable()\n", -signal.SIGSEGV),
    "library": ("assert ctypes.CDLL('./libtheirs.so').install() == 0\n", 42),
    "abort": ("crash = os.abort\n", -signal.SIGABRT),
    "overflow": ("import faulthandler; faulthandler.enable(); crash = faulthandler._stack_overflow\n", -signal.SIGSEGV),
}


@pytest.fixture
def library(consumer: Callable[[str], pathlib.Path], tmp_path: pathlib.Path) -> None:
    """libtheirs.so, a library with a handler of its own."""
    (tmp_path / "theirs.c").write_text(LIBRARY)
    subprocess.run(
        [consumer("cc"), "-shared", "-fPIC", "-o", tmp_path / "libtheirs.so", tmp_path / "theirs.c"], check=True
    )


def without_addresses(errors: str) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", errors)


def bare_and_recorded(interpreter: Interpreter, folder: pathlib.Path, source: str) -> tuple[Run, Run]:
    """The same program twice. How it ended, and what it said, must be the same."""
    bare = run_recorded(interpreter, folder, source, options=None)
    recorded = run_recorded(interpreter, folder, source)
    assert recorded.status == bare.status
    assert recorded.output == bare.output
    assert without_addresses(recorded.errors) == without_addresses(bare.errors)
    return bare, recorded


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("handler", HANDLERS)
def test_a_crash_is_the_programs_own(newest: Interpreter, tmp_path: pathlib.Path, handler: str) -> None:
    source, status = HANDLERS[handler]
    bare, _ = bare_and_recorded(newest, tmp_path, CRASH + source + "work(0.2)\ncrash()\n")
    assert bare.status == status
    assert ("Fatal Python error" in bare.errors) == ("faulthandler" in source)
    assert ("theirs" in bare.errors) == (handler == "library")
    (facts,) = info(tmp_path / "out.gpf")
    assert facts["samples"] > 10
    assert (facts["truncated"], facts["damaged_blocks"]) == (True, 0)


def test_a_dump_of_all_threads_has_the_programs_threads(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    source = """
    import faulthandler, threading

    release = threading.Event()
    threading.Thread(target=release.wait, daemon=True).start()
    faulthandler.enable()
    faulthandler.dump_traceback_later(0.3, exit=True)
    time.sleep(60)
    """
    bare, _ = bare_and_recorded(recordable, tmp_path, source)
    assert bare.status == 1
    assert bare.errors.count("Thread 0x") == 2


def test_a_faulthandler_from_the_start_reports_the_crash(
    newest: Interpreter, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONFAULTHANDLER", "1")  # before the recorder
    bare, _ = bare_and_recorded(newest, tmp_path, CRASH + "crash()\n")
    assert bare.status == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in bare.errors
