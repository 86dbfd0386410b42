"""Samples know the asyncio task that their thread was running, which frames are its own, and which of these go on."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from gauge_testing import Interpreter
from recorder_testing import NEW_TASK_CALL, PARTIAL, Recorded, Sample, record_program

# Notes of each stretch of work when it began and ended, in which task, and the how many-th it is of its coroutine.
PROGRAM = """
    import asyncio
    import json
    import sys
    import threading
    import time

    import gauge

    notes = []


    class OwnTask(asyncio.Task):
        pass


    def work(round):
        begin = time.monotonic_ns()
        while time.monotonic_ns() - begin < 4_000_000:
            sum(range(50))
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        thread = threading.current_thread().name
        notes.append([begin, time.monotonic_ns(), thread, task, round])


    async def leaf(round):
        work(round)
        await asyncio.sleep(0)
        work(round)


    async def renewed(rounds):
        for round in range(rounds):
            await leaf(round)


    async def twice():
        await leaf(0); await leaf(1)  # no local variable tells them apart


    async def endless():
        for _ in range(25):
            work(0)
            await asyncio.sleep(0)


    async def steady():
        await endless()


    async def brief():
        work(0)


    async def main():
        loop = asyncio.get_running_loop()
        loop.call_soon(work, 0)
        together = [renewed(8), steady(), twice(), twice()]
        tasks = [loop.create_task(coroutine) for coroutine in together]
        tasks.append(asyncio.create_task(steady(), name="named; \u00e9"))
        loop.set_task_factory(lambda loop, coroutine, **options: OwnTask(coroutine, loop=loop, **options))
        tasks.append(asyncio.ensure_future(renewed(5)))
        loop.set_task_factory(None)
        await asyncio.gather(*tasks)
        if sys.version_info >= (3, 12):
            loop.set_task_factory(asyncio.eager_task_factory)
        for _ in range(8):  # one after the other, in the same memory
            await loop.create_task(brief())


    def generate():
        work(0)
        yield


    with gauge.record("out.gpf", rate=1000):
        work(0)
        list(generate())
        other = threading.Thread(target=asyncio.run, args=(main(),), name="other")
        other.start()
        asyncio.run(main())
        other.join()
        work(0)
    print(json.dumps([[*note[:3], note[3].get_name() if note[3] else "", note[4]] for note in notes]))
"""


COROUTINE = 2


class Note(NamedTuple):
    begin_ns: int
    end_ns: int
    thread: str
    task: str  # "" = none
    round: int


_recorded: dict[str, tuple[Recorded, list[Note]]] = {}


def recorded(python: Interpreter, folder: pathlib.Path) -> tuple[Recorded, list[Note]]:
    """Once for each interpreter."""
    if python.id not in _recorded:
        recording, output = record_program(python, folder, PROGRAM)
        _recorded[python.id] = recording, [Note(*note) for note in json.loads(output)]
    return _recorded[python.id]


def working(python: Interpreter, folder: pathlib.Path) -> list[tuple[Sample, Note]]:
    """The samples that lie inside a stretch of work of their thread, whole stacks only, each with that stretch."""
    recording, notes = recorded(python, folder)
    margin_ns = 500_000  # the stack is read a little after the sample's time
    pairs = []
    for sample in recording.samples:
        if sample.status & PARTIAL or "work" not in (frame.name for frame in sample.stack):
            continue
        for note in notes:
            if note.thread != sample.thread or sample.time_ns < note.begin_ns:
                continue
            if sample.time_ns + margin_ns <= note.end_ns:
                pairs.append((sample, note))
    return pairs


def few(pairs: Sequence[object]) -> int:
    """Where the sampler loses its core between the time of a sample and its stack, that is of the next stretch."""
    return len(pairs) // 50


def test_every_sample_knows_its_task(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    pairs = working(recordable, tmp_path)
    assert len(pairs) > 100
    renamed = "None"  # by create_task() of 3.13.0, once an eager task has run as far as it can
    wrong = [(sample.task, note.task) for sample, note in pairs if sample.task not in (note.task, "")]
    wrong = [(seen, is_called) for seen, is_called in wrong if is_called != renamed]
    assert len(wrong) <= few(pairs), wrong
    unknown = [note.task for sample, note in pairs if sample.task == "" and note.task]
    assert len(unknown) <= few(pairs), unknown
    assert "named; \u00e9" in {sample.task for sample, _ in pairs}


def test_a_tasks_stack_is_its_own(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, _ = recorded(recordable, tmp_path)
    roots: dict[int, set[str]] = {}
    for sample in (s for s in recording.samples if s.task_id):
        roots.setdefault(sample.task_id, set()).add(sample.stack[sample.outer_frames].name)
    assert not {task: names for task, names in roots.items() if len(names) != 1}


def test_outside_of_tasks_there_is_none(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, _ = recorded(recordable, tmp_path)
    outside = [s for s in recording.samples if all(frame.kind != COROUTINE for frame in s.stack)]
    assert len([s for s in outside if s.stack and s.stack[-1].name == "work"]) >= 4
    assert not [s for s in outside if s.task_id]


def test_the_tasks_own_frames_are_told(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, _ = recorded(recordable, tmp_path)
    ours = {"main", "renewed", "steady", "twice", "brief"}
    roots = {*ours, "shutdown_asyncgens", "shutdown_default_executor"}  # the last two: asyncio.run()'s own
    for sample in (s for s in recording.samples if s.task_id):
        assert sample.stack[sample.outer_frames].name.rpartition(".")[2] in roots
        assert sample.stack[sample.outer_frames].kind == COROUTINE
        # A task that is started eagerly runs at first inside the one that makes it.
        assert not (ours - {"main"}) & {frame.name for frame in sample.stack[: sample.outer_frames]}
        assert "_run_once" in {frame.name.rpartition(".")[2] for frame in sample.stack[: sample.outer_frames]}


def test_two_tasks_are_two_even_in_the_same_memory(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, notes = recorded(recordable, tmp_path)
    brief = [s for s in recording.samples if s.task_id and s.stack[s.outer_frames].name == "brief"]
    names = {(s.thread, s.task) for s in brief}
    assert len(names) > 2  # of nine and more, where the machine leaves time for every look
    assert len({s.task_id for s in brief}) == len(names)


def test_calls_of_a_task_go_on_while_others_run(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    recording, _ = recorded(recordable, tmp_path)
    notes = {id(sample): note for sample, note in working(recordable, tmp_path)}
    last: dict[int, Sample] = {}  # of each task
    wrong = []
    steady = renewed = 0
    for sample in (s for s in recording.samples if s.task_id):
        before, last[sample.task_id] = last.get(sample.task_id), sample
        if before is None or id(before) not in notes or id(sample) not in notes:
            continue
        note, note_before = notes[id(sample)], notes[id(before)]
        root = sample.stack[sample.outer_frames].name
        if root == "steady":
            assert sample.task_same_frames >= 2, sample  # steady, endless
            if note is not note_before:
                if sample.task_same_frames != 2 or not sample.status & NEW_TASK_CALL:
                    wrong.append(sample)
                steady += 1
        elif root in ("renewed", "twice") and note.round != note_before.round:
            if sample.task_same_frames != 1 or not sample.status & NEW_TASK_CALL:
                wrong.append(sample)
            renewed += 1
    assert steady > 5
    assert renewed > 1
    assert len(wrong) <= few(list(notes)), wrong
