"""Runs a Python program that records itself, and gives the recording in the words of a test."""

from __future__ import annotations

import pathlib
import subprocess
import textwrap
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import gauge_testing
from gauge_testing import Interpreter
from gpf_reader import Message, Recording, fields, one

PARTIAL, TRUNCATED, AFTER_GAP, ON_CPU, CPU_UNKNOWN = 1, 2, 4, 8, 16
GIL_HELD, GIL_WANTED, GIL_UNKNOWN, NEW_TASK_CALL = 32, 64, 128, 512


class Frame(NamedTuple):
    """One entry of a stack."""

    module: str
    name: str  # qualified; to CPython 3.10, whose code objects have no such names, as in `def`
    file: str
    first_line: int
    line: int
    column: int
    kind: int = 0  # 1 = generator, 2 = coroutine, 3 = asynchronous generator


class Sample(NamedTuple):
    """What one thread did at one moment."""

    time_ns: int
    thread: str  # name
    stack: tuple[Frame, ...]  # outermost first
    status: int
    cpu_ns: int
    same_frames: int
    task_id: int = 0  # 0 = none
    task: str = ""
    outer_frames: int = 0
    task_same_frames: int = 0


class Recorded:
    """A recording, read with the plain-Python reader, which shares no code with ours."""

    def __init__(self, path: pathlib.Path) -> None:
        self._file = Recording(path.read_bytes())
        self.samples: list[Sample] = []
        self.missed_ticks = 0
        self.end: str | None = None  # reason; None = the recording was cut
        self._names: dict[int, str] = {}
        self._known_stacks: dict[int, tuple[Frame, ...]] = {}  # by id
        metadata = self._file.metadata
        self.python_version = text(one(metadata, 14, b""))
        for block in self._file.blocks():
            self._add(block)
        self.damaged = self._file.damaged
        self.dropped_bytes = self._file.dropped_bytes
        self.pid: int = one(metadata, 8)
        self.command = [text(word) for word in metadata.get(10, [])]
        self.interval_ns: int = one(metadata, 18)
        self.reader = text(one(metadata, 19, b""))
        self.max_overhead: float = one(metadata, 25) / 1e6

    def _add(self, block: Message) -> None:
        for data in fields(one(block, 2, b"")).get(11, []):
            thread = fields(data)
            self._names[one(thread, 1)] = text(self._file.strings[one(thread, 4)])
        for row in self._file.rows(fields(one(block, 3))) if 3 in block else ():
            time_ns, thread_id, stack, status, cpu_ns, same_frames, task_id, *of_task = row
            name = self._names.get(thread_id, "")
            task = text(self._file.tasks.get(task_id, b""))
            numbers = status, cpu_ns, same_frames, task_id
            self.samples.append(Sample(time_ns, name, self._stack(stack), *numbers, task, *of_task))
        if 4 in block:
            self.missed_ticks = one(fields(one(block, 4)), 2)
        if 6 in block:
            self.end = text(one(fields(one(block, 6)), 2, b""))

    def _stack(self, stack: int) -> tuple[Frame, ...]:
        if stack not in self._known_stacks:
            self._known_stacks[stack] = self._frames(stack)
        return self._known_stacks[stack]

    def _frames(self, stack: int) -> tuple[Frame, ...]:
        frames = []
        while stack:
            stack, frame = self._file.stacks[stack]
            function, line, column = self._file.frames[frame]
            code = self._file.functions[function]
            name, qualified_name, module, file = (
                text(self._file.strings[one(code, number)]) for number in (1, 2, 3, 4)
            )
            assert bool(qualified_name) == self._has_qualified_names
            frames.append(Frame(module, qualified_name or name, file, one(code, 5), line, column, one(code, 6)))
        return tuple(reversed(frames))

    @property
    def _has_qualified_names(self) -> bool:
        return gauge_testing.minor_number(self.python_version) >= 11

    def name_of(self, qualified_name: str) -> str:
        """What the frames of a function have as their name."""
        return qualified_name if self._has_qualified_names else qualified_name.rpartition(".")[2]

    @property
    def threads(self) -> set[str]:
        """Names of the threads that have samples."""
        return {sample.thread for sample in self.samples}

    def of_thread(self, name: str) -> list[Sample]:
        """Samples of one thread in time order."""
        return [sample for sample in self.samples if sample.thread == name]

    def wall_ns(self) -> dict[str, int]:
        """Time that the samples of each thread stand for: since the one before, or one interval after a gap."""
        totals: dict[str, int] = defaultdict(int)
        last: dict[str, int] = {}
        for sample in self.samples:
            after_gap = sample.status & AFTER_GAP or sample.thread not in last
            totals[sample.thread] += self.interval_ns if after_gap else sample.time_ns - last[sample.thread]
            last[sample.thread] = sample.time_ns
        return totals

    def missed_ns(self) -> int:
        """Time that no sample stands for, because the machine was too busy to look."""
        return self.missed_ticks * self.interval_ns

    def with_function(self, name: str) -> list[Sample]:
        """Samples with a function of that qualified name in their stack."""
        name = self.name_of(name)
        return [sample for sample in self.samples if any(frame.name == name for frame in sample.stack)]

    def leaves(self, thread: str) -> Counter[str]:
        """How often each function was the innermost one."""
        return Counter(sample.stack[-1].name for sample in self.of_thread(thread) if sample.stack)


def text(data: bytes) -> str:
    """Names as Python has them; a lone surrogate is three bytes in the file."""
    return data.decode("utf-8", "surrogatepass")


def run_program(
    interpreter: Interpreter,
    folder: pathlib.Path,
    source: str,
    *arguments: str,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `source`, which may import gauge, as <folder>/program.py."""
    program = folder / "program.py"
    program.write_text(textwrap.dedent(source), encoding="utf-8")
    return gauge_testing.run(
        [interpreter.path, program, *arguments],
        cwd=folder,
        env={
            "PYTHONPATH": str(gauge_testing.stage_path() / "python"),
            "PYTHONHOME": None,
            "GAUGE_RECORD": None,
            **(env or {}),
        },
        timeout=timeout,
    )


def record_program(
    interpreter: Interpreter, folder: pathlib.Path, source: str, timeout: float = 60
) -> tuple[Recorded, str]:
    """Run `source`, which records itself into out.gpf and succeeds. Returns the recording and what it printed."""
    done = run_program(interpreter, folder, source, timeout=timeout)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return Recorded(folder / "out.gpf"), done.stdout.decode()
