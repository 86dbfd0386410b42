"""Where recording fails, it says so in one line and the program runs on.

What goes wrong with files is the same whatever the interpreter: one is asked. How it is told to Python, all are asked.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from gauge_testing import Interpreter
from recorder_testing import Recorded, run_program

TRY_TO_RECORD = """
    import sys
    import gauge

    try:
        with gauge.record(sys.argv[1]):
            pass
    except gauge.Error as error:
        print(error)
        assert isinstance(error, FileExistsError) == ("exists already" in str(error))
    print("the program runs on")
"""


def refusal(interpreter: Interpreter, folder: pathlib.Path, output: str) -> str:
    """What gauge.Error says when `output` cannot be recorded into."""
    done = run_program(interpreter, folder, TRY_TO_RECORD, output)
    assert (done.returncode, done.stderr) == (0, b"")
    message, rest = done.stdout.decode().split("\n", 1)
    assert rest == "the program runs on\n"
    return message


def test_a_missing_folder_is_named(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    message = refusal(newest, tmp_path, "no/such/out.gpf")
    assert message == "no/such/out.gpf: cannot be created (No such file or directory); choose another file or folder"


def test_a_file_in_place_of_a_folder_is_named(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("theirs")
    message = refusal(newest, tmp_path, "file/out.gpf")
    assert message == "file/out.gpf: cannot be created (Not a directory); choose another file or folder"


def test_an_existing_file_is_never_overwritten(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    (tmp_path / "out.gpf").write_text("precious")
    message = refusal(recordable, tmp_path, "out.gpf")
    assert message == "out.gpf: exists already; choose another name, or replace it (-f, replace=True)"
    assert (tmp_path / "out.gpf").read_text() == "precious"


def mount(options: list[str], folder: pathlib.Path) -> None:
    """Mount a tmpfs on `folder`, or skip."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "gauge-test", str(folder)], stderr=subprocess.PIPE)
    if done.returncode != 0:
        pytest.skip(f"mounting a small disk is not allowed here: {done.stderr.decode().strip()}")


@pytest.fixture
def read_only_folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    folder = tmp_path / "read-only"
    folder.mkdir()
    mount(["-o", "ro"], folder)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount(["-o", "size=32k"], folder)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_read_only_folder_is_named(
    newest: Interpreter, tmp_path: pathlib.Path, read_only_folder: pathlib.Path
) -> None:
    output = str(read_only_folder / "out.gpf")
    message = refusal(newest, tmp_path, output)
    assert message == f"{output}: cannot be created (Read-only file system); choose another file or folder"


# Every call compiles a function of its own, so that each second of recording has much to define.
FILL_THE_DISK = """
    import resource, sys, time
    import gauge

    output, limit = sys.argv[1], int(sys.argv[2])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    recorder = gauge.Recorder(output, rate=5000)
    recorder.start()
    count = 0
    until = time.monotonic() + 30
    while recorder.stats.is_running and time.monotonic() < until:
        count += 1
        scope = {}
        exec(compile(f"def work_{count}():\\n  for _ in range(2000): pass", f"file_{count * 7919}.py", "exec"), scope)
        scope[f"work_{count}"]()
    assert recorder.stats.end_reason.startswith("error: ")
    try:
        recorder.stop()
    except gauge.Error as error:
        print(error)
    recorder.stop()
    print("the program runs on")
"""


def test_a_full_disk_ends_the_recording_and_not_the_program(
    newest: Interpreter, tmp_path: pathlib.Path, small_disk: pathlib.Path
) -> None:
    output = small_disk / "out.gpf"
    done = run_program(newest, tmp_path, FILL_THE_DISK, str(output), "0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (
        f"{output}: cannot be written (No space left on device); what was recorded until then is kept\n"
        "the program runs on\n"
    )
    recording = Recorded(output)
    assert recording.damaged == 0
    assert recording.dropped_bytes == 0
    assert recording.end == f"error: {done.stdout.decode().splitlines()[0]}"


def test_a_limit_on_file_sizes_ends_the_recording_and_not_the_program(
    newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    done = run_program(newest, tmp_path, FILL_THE_DISK, "out.gpf", "32768")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (
        "out.gpf: cannot be written (File too large); what was recorded until then is kept\nthe program runs on\n"
    )
    recording = Recorded(tmp_path / "out.gpf")
    assert recording.dropped_bytes == 0
    assert recording.end == f"error: {done.stdout.decode().splitlines()[0]}"


def test_a_folder_that_vanishes_ends_the_recording_and_not_the_program(
    newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    done = run_program(
        newest,
        tmp_path,
        """
        import os, shutil, time
        import gauge

        os.mkdir("gone")
        recorder = gauge.Recorder("gone/out.gpf")
        recorder.start()
        shutil.rmtree("gone")
        until = time.monotonic() + 30
        while recorder.stats.is_running and time.monotonic() < until:
            time.sleep(0.05)
        """,
    )
    assert done.returncode == 0
    assert done.stderr.decode() == "gauge: gone/out.gpf: was deleted while it was written; record again\n"


REFUSED = {
    "rate=0": "rate: 0 samples per second is no rate; choose 1/3600 to 100000",
    "rate=-1": "rate: -1 samples per second is no rate; choose 1/3600 to 100000",
    "rate=1e9": "interval: 1e-09 s is out of range; choose 0.00001 (100 kHz) to 3600",
    "rate=float('nan')": "rate: nan samples per second is no rate; choose 1/3600 to 100000",
    "interval=0": "interval: 0 s is out of range; choose 0.00001 (100 kHz) to 3600",
    "rate=1, interval=1": "rate, interval: both are given; choose one",
    "max_overhead=0": "max_overhead: 0 is no share of a core; choose more than 0, up to 1, or None",
    "max_overhead=1.5": "max_overhead: 1.5 is no share of a core; choose more than 0, up to 1, or None",
    "max_overhead=float('nan')": "max_overhead: nan is no share of a core; choose more than 0, up to 1, or None",
    "duration=0": "duration: 0 s is out of range; choose a positive time, or None",
}


def test_numbers_out_of_range_are_refused(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    done = run_program(
        recordable,
        tmp_path,
        f"""
        import gauge

        for arguments in {list(REFUSED)!r}:
            try:
                eval(f"gauge.Recorder('out.gpf', {{arguments}})")
            except ValueError as error:
                print(error)
        """,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == list(REFUSED.values())
    assert not (tmp_path / "out.gpf").exists()
