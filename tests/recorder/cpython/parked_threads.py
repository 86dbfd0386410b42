"""Threads that stand still at a known place, and many ways of calling to get there."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any


class Parked:
    """A thread that calls `enter(park)`, and stands still in park() until it is released."""

    def __init__(self, enter: Callable[[Callable[[], object]], object]) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()
        self._arrived = threading.Event()
        self._thread = threading.Thread(target=enter, args=(self._park,), daemon=True)

    def _park(self) -> None:
        self._arrived.set()
        self._gate.acquire()
        self._gate.release()

    def __enter__(self) -> int:
        self._thread.start()
        assert self._arrived.wait(30)
        assert self._thread.ident is not None
        while sys._current_frames()[self._thread.ident].f_code.co_name != "_park":
            time.sleep(0.001)
        time.sleep(0.01)
        return self._thread.ident

    def __exit__(self, *_: object) -> None:
        self._gate.release()
        self._thread.join()


# Ways to get to park().


def plainly(park: Callable[[], object]) -> None:
    park()


def through_lambda_and_comprehension(park: Callable[[], object]) -> None:
    [(lambda: [park() for _ in range(1)])() for _ in range(1)]


def over_several_lines(park: Callable[[], object]) -> None:
    dict(  # noqa: C408 - a call whose arguments stand on several lines
        a=1,
        b=park(),
        c=2,
    )


def generated(park: Callable[[], object]) -> Iterator[int]:
    yield 1
    park()
    yield 2


def delegated(park: Callable[[], object]) -> Iterator[int]:
    yield from generated(park)


def through_generators(park: Callable[[], object]) -> None:
    for _ in delegated(park):
        pass


def through_generator_expression(park: Callable[[], object]) -> None:
    sum(1 for _ in generated(park))


def through_a_long_chain_of_generators(park: Callable[[], object]) -> None:
    def chain(depth: int) -> Iterator[int]:
        if depth == 0:
            park()
        else:
            yield from chain(depth - 1)
        yield depth

    for _ in chain(120):
        pass


def through_coroutines(park: Callable[[], object]) -> None:
    async def inner() -> None:
        await asyncio.sleep(0)
        park()

    async def outer() -> None:
        await inner()

    asyncio.run(outer())


def through_sort_and_partial(park: Callable[[], object]) -> None:
    sorted([1, 2], key=functools.partial(lambda park, _: park() or 0, park))


class Built:
    def __init__(self, park: Callable[[], object]) -> None:
        park()


def through_a_constructor(park: Callable[[], object]) -> None:
    for turn in range(200):  # specialised by the interpreter after a few turns
        Built(park if turn == 199 else (lambda: None))


class Descriptor:
    def __init__(self, park: Callable[[], object]) -> None:
        self.park = park

    @property
    def value(self) -> int:
        self.park()
        return 1

    def __add__(self, other: int) -> int:
        return self.value + other

    def __getattr__(self, name: str) -> int:
        return self + 1


def through_special_methods(park: Callable[[], object]) -> None:
    Descriptor(park).missing  # noqa: B018 - the look-up is what matters


def through_an_exception_handler(park: Callable[[], object]) -> None:
    try:
        raise ValueError
    except ValueError:
        with contextlib.suppress(KeyError):
            try:
                raise KeyError
            finally:
                with contextlib.ExitStack() as stack:
                    stack.callback(park)


def through_exec(park: Callable[[], object]) -> None:
    exec(compile("def made():\n  park()\n\nmade()", "<made>", "exec"), {"park": park})


def through_a_class_body(park: Callable[[], object]) -> None:
    class Body:
        park()


def through_recursion(depth: int, park: Callable[[], object]) -> None:
    if depth == 0:
        park()
    else:
        through_recursion(depth - 1, park)


def through_cached_recursion(park: Callable[[], object]) -> None:
    @functools.cache
    def recurse(depth: int) -> int:
        if depth == 0:
            park()
            return 0
        return recurse(depth - 1) + 1

    recurse(60)


def with_many_locals(park: Callable[[], object]) -> None:
    scope: dict[str, Any] = {}
    names = "; ".join(f"v{i} = {i}" for i in range(400))
    exec(f"def wide(park):\n  {names}\n  park()\n  return v399", scope)
    scope["wide"](lambda: scope["wide"](park))


WAYS: list[Callable[[Callable[[], object]], object]] = [
    plainly,
    through_lambda_and_comprehension,
    over_several_lines,
    through_generators,
    through_generator_expression,
    through_a_long_chain_of_generators,
    through_coroutines,
    through_sort_and_partial,
    through_a_constructor,
    through_special_methods,
    through_an_exception_handler,
    through_exec,
    through_a_class_body,
    functools.partial(through_recursion, 500),
    through_cached_recursion,
    with_many_locals,
]
