"""Samples this interpreter, busy with all sorts of things, through a reader that lies (unreliable_reader.h).

usage: fuzz_reader.py [--seconds N] [--seed N]

Every read may fail, be short or bring something else. Ends with 1, and says why, where a rule of StackSource is broken,
memory grows, or sampling does not come right again once the reader tells the truth; where a look does not end, with
SIGABRT. The seed decides when and how the reader lies, not what it is asked: that depends on time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import gc
import importlib
import platform
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator

import fuzz_probe
from parked_threads import WAYS, Parked, plainly, through_generators, through_recursion

MIB = 1 << 20
# Lies make threads, as many as the recorder has records for, which take 110 MiB; the rest is the program's own.
GROWTH_LIMIT = 180 * MIB
RECOVERY_SECONDS = 60


def leaf() -> int:
    return sum(range(20))


def deep() -> None:
    through_recursion(random.randrange(10, 800), leaf)


def code_that_dies() -> None:
    """Names are few: some interpreters keep every one for ever."""
    name = f"made_{random.randrange(20)}"
    scope: dict[str, Callable[[], int]] = {}
    exec(compile(f"def {name}():\n return sum(range(50))", f"<{name}>", "exec"), scope)
    scope[name]()


def exceptions() -> None:
    def fall(depth: int) -> None:
        if depth == 0:
            raise ValueError
        fall(depth - 1)

    with contextlib.suppress(ValueError):
        fall(random.randrange(40))


def threads_that_come_and_go() -> None:
    names = ("worker", "w\u00f6rker \U0001f40d", "x" * 300)
    threads = [threading.Thread(target=leaf, name=random.choice(names)) for _ in range(8)]
    for thread in threads:
        thread.start()
    threading.current_thread().name = random.choice(names)
    for thread in threads:
        thread.join()


async def step() -> None:
    leaf()
    await asyncio.sleep(0)
    leaf()


async def steps(count: int) -> None:
    for _ in range(count):
        await step()


async def many_tasks() -> None:
    names = (None, "task", "t\u00e4sk \U0001f40d", "x" * 300)
    await asyncio.gather(*[asyncio.create_task(steps(5), name=random.choice(names)) for _ in range(20)])


def tasks() -> None:
    asyncio.run(many_tasks())


WORK = (
    *(functools.partial(way, leaf) for way in WAYS),
    deep,
    code_that_dies,
    exceptions,
    threads_that_come_and_go,
    tasks,
)


class Busy:
    """Threads that work until the block ends, one of them in another interpreter where this CPython can make one."""

    def __init__(self) -> None:
        self._is_over = False
        self._threads = [threading.Thread(target=body) for body in (self._work, self._work, self._work_elsewhere)]

    def _work(self) -> None:
        while not self._is_over:
            random.choice(WORK)()

    def _work_elsewhere(self) -> None:
        interpreters = interpreters_module()
        if interpreters is None:
            return
        other = interpreters.create()
        while not self._is_over:
            interpreters.run_string(other, "def f(n):\n return f(n - 1) if n else sum(range(99))\nf(50)")
        interpreters.destroy(other)

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        for thread in self._threads:
            thread.join()


def interpreters_module() -> object | None:
    for name in ("_interpreters", "_xxsubinterpreters"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


def memory(key: str) -> int:
    """Of this process, in bytes: VmRSS, now, or VmHWM, at most."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(f"{key}:"))


def complaints(seconds: float) -> Iterator[str]:
    """What is wrong, for as long as it is not over."""
    start = time.monotonic()
    warm_up = min(10.0, seconds / 3)
    before = 0
    while (passed := time.monotonic() - start) < seconds:
        time.sleep(0.1)
        if passed > warm_up and before == 0:
            before = memory("VmRSS")
        if before and memory("VmRSS") > before + GROWTH_LIMIT:
            yield f"memory grew from {before // MIB} to {memory('VmRSS') // MIB} MiB"
        if rule := fuzz_probe.broken_rule():
            yield rule
        gc.collect()


def recovers() -> bool:
    """Every thread is seen, and no other, once the reader tells the truth."""
    fuzz_probe.tell_the_truth()
    deadline = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < deadline:
        if fuzz_probe.samples_of_last_look() == len(sys._current_frames()):
            return True
        time.sleep(0.01)
    return False


def fuzz(seconds: float) -> str:
    """What is wrong; empty if nothing is."""
    with Parked(plainly), Parked(through_generators), Parked(functools.partial(through_recursion, 300)):
        with Busy():
            complaint = next(complaints(seconds), "")
        if complaint or recovers():
            return complaint
        seen = fuzz_probe.samples_of_last_look()
        return f"told the truth at last, {seen} threads are seen of {len(sys._current_frames())}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    subject = f"fuzz_reader: CPython {platform.python_version()}, seed {options.seed}"
    print(f"{subject}: {options.seconds:g} s", flush=True)
    random.seed(options.seed)
    fuzz_probe.start(options.seed)
    complaint = fuzz(options.seconds)
    facts = ", ".join(f"{name} {value:.10g}" for name, value in fuzz_probe.stop().items())
    print(f"{subject}: {facts}, peak memory {memory('VmHWM') // MIB} MiB", flush=True)
    if complaint:
        print(f"{subject}: {complaint}", file=sys.stderr)
    return 1 if complaint else 0


if __name__ == "__main__":
    sys.exit(main())
