"""Programs whose stacks move as fast as they can.

Every program goes to and fro between two chains of calls, `.._a` and `.._b`, of the same shape, so that frames of one
lie where frames of the other lay. Which stacks they can have is told by moving_stacks.py, which reads this source.
"""

# ruff: noqa: SIM105 - contextlib.suppress would bring frames of its own
from __future__ import annotations

import dataclasses
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from types import CodeType, FrameType
from typing import Any

import walker_probe

Frame = tuple[str, str, int]  # qualified name, file, line


@dataclasses.dataclass
class Trial:
    """One program being sampled."""

    limit: int = 0  # samples taken while it ran
    deadline: float = 0  # time.monotonic()
    entry: int = 0  # how many frames lay below nested() at first
    root: list[Frame] = dataclasses.field(default_factory=list)  # outermost first; below the program's body


trial = Trial()


def goes_on() -> bool:
    if walker_probe.moving_count() >= trial.limit:
        return False
    return time.monotonic() < trial.deadline or walker_probe.sample_count() == 0


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


def dive_a(depth: int) -> int:
    return plunge_a(depth - 1) if depth > 0 else tiny_a()


def plunge_a(depth: int) -> int:
    return dive_a(depth - 1) if depth > 0 else tiny_a()


def dive_b(depth: int) -> int:
    return plunge_b(depth - 1) if depth > 0 else tiny_b()


def plunge_b(depth: int) -> int:
    return dive_b(depth - 1) if depth > 0 else tiny_b()


def dives() -> None:
    """Recursions through several chunks of the stack, and back before a copy of them is done."""
    start_moving()
    while goes_on():
        for depth in (200, 60, 480):
            dive_a(depth)
            dive_b(depth)


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


PROGRAMS = (chains, tight, shared, generators, coroutines, callbacks, constructors, recursion, dives, exceptions)


def name_of(code: CodeType) -> str:
    """Qualified from 3.11 on, before that as far as the interpreter tells."""
    return getattr(code, "co_qualname", code.co_name)


def told_stack(frame: FrameType | None) -> list[Frame]:
    """The stack as the interpreter tells it, outermost first."""
    stack = [(name_of(f.f_code), f.f_code.co_filename, line) for f, line in traceback.walk_stack(frame)]
    return stack[::-1]
