"""Rotated recordings and flushes by the module: every sample is in the parts, once."""

from __future__ import annotations

import pathlib
from collections import defaultdict
from collections.abc import Sequence

from gauge_testing import Interpreter
from gpf_reader import Recording, fields, one, part_key
from record_testing import SOME
from recorder_testing import AFTER_GAP, run_program

# Words of --rotate, of the module and of GAUGE_ROTATE alike; and what is said of them.
NO_LIMITS = {
    "0s": "0s",
    "-1h": "-1h",
    "10ms": "10ms",
    "1KB": "1KB",
    "256": "neither a time nor a size",
    "often": "neither a time nor a size",
    "": "neither a time nor a size",
    "1h,": "neither a time nor a size",
    "256M": "may be minutes or megabytes",
    "1h,2h": "'2h' is a second time",
    "1MB,1GB": "'1GB' is a second size",
    "4000d": "4000d",
    "1.2.3h": "neither a time nor a size",
}
LIMITS = {
    "1h": (3_600_000_000_000, 0),
    " 90 min , 1.5GiB": (5_400_000_000_000, 1_610_612_736),
    "256mb": (0, 256_000_000),
    "5m": (300_000_000_000, 0),
    "64KiB,1s": (1_000_000_000, 65_536),
}


def parts_in(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("out-*.gpf"))


def read_together(files: Sequence[pathlib.Path]) -> tuple[int, int, set[int]]:
    """Samples, the wall time that they stand for, and threads: as docs/gpf-format.md says of parts."""
    samples = wall_ns = 0
    last: dict[int, int] = defaultdict(lambda: -1)
    parts = sorted((Recording(file.read_bytes()) for file in files), key=lambda part: one(part.metadata, 26))
    assert [one(part.metadata, 26) for part in parts] == list(range(1, len(parts) + 1))
    assert len({part_key(part.metadata) for part in parts}) == 1
    for part in parts:
        for block in part.blocks():
            columns = fields(one(block, 3, b""))
            interval_ns = one(columns, 4)
            for time_ns, thread, _, status, *_ in part.rows(columns) if 3 in block else ():
                whole = part.whole_threads[thread]
                since = time_ns - last[whole]
                samples += 1
                wall_ns += interval_ns if last[whole] < 0 else min(interval_ns, since) if status & AFTER_GAP else since
                last[whole] = time_ns
    return samples, wall_ns, set(last)


def test_parts_have_what_was_sampled_and_every_thread_is_one(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    source = """
    import threading
    import time

    import gauge

    def busy(seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass

    with gauge.record("out.gpf", rate=1000, rotate="1s") as recorder:
        for number in range(8):
            threading.Thread(target=busy, args=(0.6,), name=f"worker {number}").start()
            busy(0.4)
    print(recorder.stats.parts, recorder.stats.samples)
    """
    done = run_program(newest, tmp_path, source)
    assert done.returncode == 0, done.stderr
    count, samples = map(int, done.stdout.split())
    files = parts_in(tmp_path)
    assert len(files) == count >= 3
    assert read_together(files)[0] == samples
    names: dict[int, set[bytes]] = defaultdict(set)  # by whole id
    for file in files:
        part = Recording(file.read_bytes())
        for block in part.blocks():
            for data in fields(one(block, 2, b"")).get(11, []):
                thread = fields(data)
                names[part.whole_threads[one(thread, 1)]].add(part.strings[one(thread, 4)])
        assert sorted(part.whole_threads) == list(range(1, len(part.whole_threads) + 1))  # ids of its own
    for each in names.values():
        each.discard(b"")  # a thread may be seen before it has its name
    assert sorted(names.values(), key=sorted) == [{b"MainThread"}, *({b"worker %d" % number} for number in range(8))]


def test_a_program_that_goes_elsewhere_is_recorded_where_it_was(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    source = """
    import os
    import time

    import gauge

    with gauge.record("out.gpf", rate=1000, rotate="1s") as recorder:
        os.chdir("/")
        until = time.monotonic() + 1.5
        while time.monotonic() < until or recorder.stats.parts < 2:
            pass
    print(recorder.stats.parts, recorder.path)
    """
    done = run_program(newest, tmp_path, source)
    assert done.returncode == 0, done.stderr
    count, path = done.stdout.decode().split()
    assert pathlib.Path(path) == tmp_path / f"out-{int(count):04}.gpf" == parts_in(tmp_path)[-1]


def test_recording_without_code_is_rotated_too(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    source = "import gauge._activate\nimport time\nuntil = time.monotonic() + 1.5\nwhile time.monotonic() < until: pass"
    variables = {"GAUGE_RECORD": "out.gpf", "GAUGE_RATE": "1khz", "GAUGE_ROTATE": "1s"}
    assert run_program(newest, tmp_path, source, env=variables).returncode == 0
    assert len(parts_in(tmp_path)) >= 2
    done = run_program(newest, tmp_path, "import gauge._activate\nprint('ran')", env={**variables, "GAUGE_ROTATE": "x"})
    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert done.stderr.startswith(b"gauge: GAUGE_ROTATE: 'x' is neither a time nor a size; ")


def test_the_module_reads_limits_as_the_command_does(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    source = f"""
    from gauge._recording import rotation_of

    for words, limits in {LIMITS!r}.items():
        assert rotation_of(words, "rotate") == limits, words
    assert rotation_of(None, "rotate") == (0, 0)
    for words, problem in {NO_LIMITS!r}.items():
        try:
            rotation_of(words, "rotate")
        except ValueError as error:
            assert str(error).startswith("rotate: '") and problem in str(error) and "; " in str(error), error
        else:
            raise AssertionError(words)
    """
    done = run_program(newest, tmp_path, source)
    assert done.returncode == 0, done.stderr.decode()


def test_after_a_flush_the_file_alone_has_what_was_sampled(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    source = """
    import shutil
    import time

    import gauge

    def flushed():
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            pass

    with gauge.record("out.gpf", rate=1000) as recorder:
        for to_disk in (False, True):
            flushed()
            ticks = recorder.stats.ticks
            recorder.flush(to_disk=to_disk)
            shutil.copy("out.gpf", f"copy-{to_disk}.gpf")
            print(ticks)
    recorder.flush()
    """
    done = run_program(newest, tmp_path, source)
    assert done.returncode == 0, done.stderr.decode()
    for name, ticks in zip(("copy-False.gpf", "copy-True.gpf"), map(int, done.stdout.split())):
        copy = Recording((tmp_path / name).read_bytes())
        samples = sum(len(list(copy.rows(fields(one(block, 3))))) for block in copy.blocks() if 3 in block)
        assert samples >= ticks - 1 > SOME  # of one thread; the last tick may not have been queued yet
