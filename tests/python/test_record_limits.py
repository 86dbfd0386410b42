"""Programs that take something away from themselves, and so from the recorder: recorded on, or told why not.

What the kernel takes is the same whatever the interpreter: one is asked.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

import pytest

from gauge_testing import Interpreter
from record_testing import SOME, info, run_recorded

# What a program does to itself. Those that only root may do are named in NEED_ROOT.
DEEDS = {
    "changes directory": "os.chdir('/')",
    "changes root": "os.chroot(sys.argv[1]); os.chdir('/')",
    "drops privileges": "os.setgroups([]); os.setgid(65534); os.setuid(65534)",
    "closes all": "os.closerange(0, 65536)",
    "takes all numbers": "file = os.open(os.devnull, os.O_RDWR)\nfor number in range(1000): os.dup2(file, number)",
    "allows no more files": "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))",
    "allows no more memory": "resource.setrlimit(resource.RLIMIT_AS, (1, 1))",
    "allows no more processes": "resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))",
    "allows no longer files": "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))",
    "is not to be read": "import ctypes; assert ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0",  # PR_SET_DUMPABLE
}
NEED_ROOT = {"changes root", "drops privileges"}
# The recording cannot go on: its file may not grow.
ENDS = {"allows no longer files"}

PROGRAM = """
import resource

def after():
    work(0.2)

work(0.05)
{deed}
after()
"""


@pytest.mark.parametrize("deed", DEEDS)
def test_a_program_that_limits_itself_is_recorded_on(newest: Interpreter, tmp_path: pathlib.Path, deed: str) -> None:
    if deed in NEED_ROOT and os.geteuid() != 0:
        pytest.skip(f"only root {deed}")
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = run_recorded(newest, tmp_path, PROGRAM.format(deed=DEEDS[deed]), str(empty))
    assert (outcome.status, outcome.output, outcome.errors) == (0, "", ""), outcome.told
    (facts,) = info(tmp_path / "out.gpf")
    (recording,) = outcome.recordings().values()
    assert facts["damaged_blocks"] == 0
    assert facts["samples"] == len(recording.samples)
    if deed in ENDS:
        assert "cannot be written (File too large)" in outcome.told
        return
    assert facts["end_reason"] == "exit"
    assert len(recording.with_function("after")) > SOME
    assert {path.name for path in tmp_path.iterdir()} - {"empty"} == {"out.gpf", "program.py"}


# All numbers are closed, and taken by files of the program, which looks at them when the recording has noticed.
DAEMON = """
import threading

time.sleep(2)  # a block is written once a second
os.closerange(3, 100)
files = [os.open(f"own-{number}", os.O_RDWR | os.O_CREAT) for number in range(30)]
is_over = threading.Event()
threading.Thread(target=is_over.wait, args=(1.5,)).start()  # asks for what the kernel knows of waiting threads
time.sleep(1.5)
work(0.1)
print([os.fstat(file).st_size for file in files] == [0] * 30)
"""


def test_what_a_program_opens_on_our_numbers_is_neither_written_nor_closed(
    newest: Interpreter, tmp_path: pathlib.Path, build_tool: Callable[[str], pathlib.Path]
) -> None:
    without_table_of_its_own = [build_tool("gauge-forbid"), "close_range", "unshare", "--"]
    outcome = run_recorded(newest, tmp_path, DAEMON, below=without_table_of_its_own)
    assert (outcome.status, outcome.output, outcome.errors) == (0, "True\n", ""), outcome.told
    assert "the program closed the recording's descriptor" in outcome.told
    (facts,) = info(tmp_path / "out.gpf")
    assert facts["reader"] == "process_vm_readv"
    assert facts["samples"] > SOME


def test_nothing_that_a_filter_may_kill_for_is_asked_for_without_need(
    recordable: Interpreter, tmp_path: pathlib.Path, build_tool: Callable[[str], pathlib.Path]
) -> None:
    filtered = [build_tool("gauge-forbid"), "process_vm_readv=kill", "sched_setattr=kill", "--"]
    outcome = run_recorded(recordable, tmp_path, "work(0.2)\nprint('whole')", below=filtered)
    assert (outcome.status, outcome.output, outcome.errors) == (0, "whole\n", ""), outcome.told
    (facts,) = info(tmp_path / "out.gpf")
    assert facts["reader"] == "memfd"
    assert facts["samples"] > SOME


def test_a_folder_that_vanishes_is_told_and_the_program_runs_on(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    source = """
    import shutil

    work(0.05)
    shutil.rmtree(os.getcwd())
    work(1.2)  # a block is written once a second
    print("whole")
    """
    (tmp_path / "gone").mkdir()
    outcome = run_recorded(newest, tmp_path / "gone", source)
    assert (outcome.status, outcome.output, outcome.errors) == (0, "whole\n", "")
    assert "out.gpf: was deleted while it was written; record again" in outcome.told
