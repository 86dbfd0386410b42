"""Programs whose stacks move as fast as they can, and which stacks each of them can have.

Every program goes to and fro between two chains of calls, `.._a` and `.._b`, of the same shape, so that frames of one
lie where frames of the other lay. What may call what, and from which line, is read off the source below; no stack may
hold frames of both chains; and below a program's body lies exactly what lay there when it started.
"""

# ruff: noqa: SIM105 - contextlib.suppress would bring frames of its own
from __future__ import annotations

import ast
import collections
import dataclasses
import os
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import walker_probe

TRUNCATED, ON_CPU = 2, 8  # gpf::Status

Frame = tuple[str, str, int]  # qualified name, file, line
Place = tuple[str, int]  # qualified name, line


@dataclasses.dataclass
class Trial:
    """One program being sampled."""

    limit: int = 0  # samples taken while it ran
    deadline: float = 0  # time.monotonic()
    entry: int = 0  # how many frames lay below nested() at first
    root: list[Frame] = dataclasses.field(default_factory=list)  # outermost first; below the program's body


trial = Trial()


def goes_on() -> bool:
    return walker_probe.moving_count() < trial.limit and time.monotonic() < trial.deadline


def start_moving() -> None:
    """Notes what lies below its caller, which is about to move."""
    trial.root = told_stack(sys._getframe(2))


def leaf_a() -> int:
    return sum(range(50))


def leaf_b() -> int:
    return sum(range(50))


def hot_a() -> int:
    return leaf_a()


def hot_b() -> int:
    return leaf_b()


def generate_a() -> Iterator[int]:
    yield leaf_a()


def generate_b() -> Iterator[int]:
    yield leaf_b()


def chains() -> None:
    """Functions and generators by turns; each turn changes a local."""
    start_moving()
    while goes_on():
        for _ in range(100):
            hot_a()
            hot_b()
            for _ in generate_a():
                pass
            for _ in generate_b():
                pass


def tiny_a() -> int:
    return 1


def tiny_b() -> int:
    return 2


def quick_a() -> int:
    return tiny_a()


def quick_b() -> int:
    return tiny_b()


def tight() -> None:
    """Nothing but calls: the frame of the loop looks the same in every turn."""
    start_moving()
    while True:
        quick_a()
        quick_b()
        quick_a()
        quick_b()
        quick_a()
        quick_b()
        if not goes_on():
            break


def pass_on(function: Callable[[], int]) -> int:
    return function()


def shared_a() -> int:
    return pass_on(leaf_a)


def shared_b() -> int:
    return pass_on(leaf_b)


def shared() -> None:
    """The two chains have a function in common, between their ends."""
    start_moving()
    while goes_on():
        for _ in range(100):
            shared_a()
            shared_b()


def delegate_a(depth: int) -> Iterator[int]:
    if depth == 0:
        yield tiny_a()
    else:
        yield from delegate_a(depth - 1)


def delegate_b(depth: int) -> Iterator[int]:
    if depth == 0:
        yield tiny_b()
    else:
        yield from delegate_b(depth - 1)


def generators() -> None:
    """Generators that delegate: no frame but the innermost is on the data stack."""
    start_moving()
    while goes_on():
        for depth in range(5):
            for _ in delegate_a(depth):
                quick_a()
            for _ in delegate_b(depth):
                quick_b()


async def wait_a(depth: int) -> int:
    return await wait_a(depth - 1) if depth > 0 else tiny_a()


async def wait_b(depth: int) -> int:
    return await wait_b(depth - 1) if depth > 0 else tiny_b()


def drive_a(coroutine: Coroutine[Any, Any, int]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        pass


def drive_b(coroutine: Coroutine[Any, Any, int]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        pass


def coroutines() -> None:
    """Coroutines, resumed from C."""
    start_moving()
    while goes_on():
        for depth in range(5):
            drive_a(wait_a(depth))
            drive_b(wait_b(depth))


def key_a(_: int) -> int:
    return tiny_a()


def key_b(_: int) -> int:
    return tiny_b()


def order_a() -> list[int]:
    return sorted((1, 2), key=key_a)


def order_b() -> list[int]:
    return sorted((1, 2), key=key_b)


def callbacks() -> None:
    """Into C and back."""
    start_moving()
    while goes_on():
        for _ in range(100):
            order_a()
            order_b()


class MadeA:
    def __init__(self) -> None:
        tiny_a()


class MadeB:
    def __init__(self) -> None:
        tiny_b()


def make_a() -> object:
    return MadeA()


def make_b() -> object:
    return MadeB()


def constructors() -> None:
    """Objects made: the interpreter puts frames of its own between."""
    start_moving()
    while goes_on():
        for _ in range(100):
            make_a()
            make_b()


def fall_a(depth: int) -> int:
    return fall_a(depth - 1) if depth > 0 else tiny_a()


def fall_b(depth: int) -> int:
    return fall_b(depth - 1) if depth > 0 else tiny_b()


def recursion() -> None:
    """Recursions of several depths."""
    start_moving()
    while goes_on():
        for depth in (1, 7, 2, 30):
            fall_a(depth)
            fall_b(depth)


def raise_a(depth: int) -> None:
    if depth == 0:
        raise ValueError
    raise_a(depth - 1)


def raise_b(depth: int) -> None:
    if depth == 0:
        raise ValueError
    raise_b(depth - 1)


def exceptions() -> None:
    """Frames left by exceptions, which take hold of them."""
    start_moving()
    while goes_on():
        for depth in (0, 3):
            try:
                raise_a(depth)
            except ValueError:
                pass
            try:
                raise_b(depth)
            except ValueError:
                pass


def nested(depth: int, body: Callable[[], object]) -> None:
    if depth == 0:
        body()
    else:
        nested(depth - 1, body)


PROGRAMS = (chains, tight, shared, generators, coroutines, callbacks, constructors, recursion, exceptions)


def told_stack(frame: FrameType | None) -> list[Frame]:
    """The stack as the interpreter tells it, outermost first."""
    stack = [(f.f_code.co_qualname, f.f_code.co_filename, line) for f, line in traceback.walk_stack(frame)]
    return stack[::-1]


def read_calls(source: str) -> dict[str, set[Place]]:
    """Who is called, or handed to somebody who will call it, in which line of whom. What is called through an argument
    can be anything: such calls are kept under the name ``*``."""
    places = collections.defaultdict[str, set[Place]](set)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    top = ast.parse(source).body
    names = {node.name: node.name for node in top if isinstance(node, functions)}
    names |= {node.name: f"{node.name}.__init__" for node in top if isinstance(node, ast.ClassDef)}
    for scope in (node for node in top if isinstance(node, (*functions, ast.ClassDef))):
        for node in ast.walk(scope):
            if isinstance(node, ast.Name) and node.id in names:
                places[names[node.id]].add((names[scope.name], node.lineno))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("body", "coroutine.send", "function"):
                places["*"].add((names[scope.name], node.lineno))
    return dict(places)


SOURCE = __file__
CALLS = read_calls(Path(SOURCE).read_text())
BODIES = {body.__name__ for body in PROGRAMS}


def chain_of(name: str) -> str:
    """The chain a function belongs to: a, b, or none."""
    function = name.removesuffix(".__init__")
    return function[-1].lower() if function[-2:] in ("_a", "_b") or function in ("MadeA", "MadeB") else ""


def may_call(caller: Frame, callee: Frame) -> bool:
    place = (caller[0], caller[2])
    return callee[1] != SOURCE or place in CALLS["*"] or place in CALLS.get(callee[0], ())


def root_flaw(stack: list[Frame]) -> str:
    if [frame[:2] for frame in stack[: trial.entry]] != [frame[:2] for frame in trial.root[: trial.entry]]:
        return "another root"
    body = next((i for i, frame in enumerate(stack) if frame[0] in BODIES), None)
    return "" if body is None or stack[:body] == trial.root else "not what the body lies on"


def flaw(sample: dict[str, Any]) -> str:
    """Why the program cannot have had the stack of this sample; empty if it can."""
    stack: list[Frame] = sample["frames"][::-1]
    if sample["status"] & TRUNCATED == 0:
        if why := root_flaw(stack):
            return why
        stack = stack[trial.entry - 1 :]
    names = [name for name, _, _ in stack]
    if start_moving.__name__ in names:
        stack = stack[: names.index(start_moving.__name__) + 1]
    if len({chain_of(name) for name, _, _ in stack} - {""}) > 1:
        return "frames of both chains"
    for caller, callee in zip(stack, stack[1:]):
        if not may_call(caller, callee):
            return f"{callee[0]} is not called in line {caller[2]} of {caller[0]}"
    return ""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What sampling a program came to; counts are of samples."""

    accepted: int
    moving: int  # of those, taken while the program ran; the others saw it wait for a core
    partial: int
    failed: int
    impossible: list[tuple[int, str, dict[str, Any]]]  # how many, why, one of them

    def told(self) -> str:
        """The stacks that cannot have been, innermost frame first."""
        lines = [f"{sum(count for count, _, _ in self.impossible)} of {self.accepted} samples are impossible"]
        for count, why, sample in sorted(self.impossible, key=lambda flawed: -flawed[0])[:10]:
            lines.append(f"{count} times, status {sample['status']}, {why}:")
            lines += [f"    {name}:{line}" for name, _, line in sample["frames"][:20]]
        return "\n".join(lines)


def start_apart(interval_ns: int, limit: int) -> None:
    """Starts the sampler on a core of its own: where the two share one, the program stands still in every sample."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])  # threads inherit it
    try:
        walker_probe.start(interval_ns, lines=True, limit=limit)
    finally:
        os.sched_setaffinity(0, cores[: max(1, len(cores) - 1)])


def sample_program(body: Callable[[], None], depth: int, limit: int, seconds: float, interval_ns: int = 0) -> Outcome:
    """Samples `body`, called by `depth` + 1 frames of its own, until `limit` samples were taken while it ran, or the
    time is over."""
    trial.limit, trial.deadline = limit, time.monotonic() + seconds
    trial.entry = len(told_stack(sys._getframe()))
    cores = os.sched_getaffinity(0)
    start_apart(interval_ns, limit)
    try:
        nested(depth, body)
    finally:
        result = walker_probe.stop()
        os.sched_setaffinity(0, cores)
    return Outcome(
        accepted=result["count"],
        moving=sum(sample["count"] for sample in result["samples"] if sample["status"] & ON_CPU),
        partial=result["partial_stacks"],
        failed=result["failed_reads"],
        impossible=[(sample["count"], why, sample) for sample in result["samples"] if (why := flaw(sample))],
    )
