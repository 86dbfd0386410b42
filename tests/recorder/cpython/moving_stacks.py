"""Which stacks the programs of moving_programs.py can have, and what sampling them comes to.

What may call what, and from which line, is read off their source; no stack may hold frames of both chains; and below a
program's body lies exactly what lay there when it started.
"""

from __future__ import annotations

import ast
import collections
import dataclasses
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import moving_programs
import walker_probe
from moving_programs import PROGRAMS, Frame, nested, start_moving, told_stack, trial

PARTIAL, TRUNCATED, ON_CPU = 1, 2, 8  # gpf::Status

Place = tuple[str, int]  # qualified name, line


def read_calls(*files: str) -> dict[str, set[Place]]:
    """Who is called, or handed to somebody who will call it, in which line of whom. What is called through an argument
    can be anything: such calls are kept under the name ``*``."""
    places = collections.defaultdict[str, set[Place]](set)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    top = [node for file in files for node in ast.parse(Path(file).read_text()).body]
    names = {node.name: node.name for node in top if isinstance(node, functions)}
    names |= {node.name: f"{node.name}.__init__" for node in top if isinstance(node, ast.ClassDef)}
    for scope in (node for node in top if isinstance(node, (*functions, ast.ClassDef))):
        for node in ast.walk(scope):
            if isinstance(node, ast.Name) and node.id in names:
                places[names[node.id]].add((names[scope.name], node.lineno))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("body", "coroutine.send", "function"):
                places["*"].add((names[scope.name], node.lineno))
    return dict(places)


def read_methods(source: str) -> dict[int, str]:
    """The method that each line belongs to: what it is called alone does not tell whose it is."""
    classes = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    methods = ((scope, node) for scope in classes for node in scope.body if isinstance(node, ast.FunctionDef))
    return {
        line: f"{scope.name}.{node.name}"
        for scope, node in methods
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


SOURCES = (moving_programs.__file__, __file__)  # the second has who calls the first of them
CALLS = read_calls(*SOURCES)
METHODS = read_methods(Path(moving_programs.__file__).read_text())
BODIES = {body.__name__ for body in PROGRAMS}


def with_class(frame: Frame) -> Frame:
    name, file, line = frame
    return (METHODS.get(line, name), file, line) if file == moving_programs.__file__ else frame


def chain_of(name: str) -> str:
    """The chain a function belongs to: a, b, or none."""
    function = name.removesuffix(".__init__")
    return function[-1].lower() if function[-2:] in ("_a", "_b") or function in ("MadeA", "MadeB") else ""


def may_call(caller: Frame, callee: Frame) -> bool:
    place = (caller[0], caller[2])
    return callee[1] not in SOURCES or place in CALLS["*"] or place in CALLS.get(callee[0], ())


def root_flaw(stack: list[Frame], is_partial: bool) -> str:
    known = min(trial.entry, len(stack)) if is_partial else trial.entry  # callers alone may be fewer
    if [frame[:2] for frame in stack[: trial.entry]] != [frame[:2] for frame in trial.root[:known]]:
        return "another root"
    body = next((i for i, frame in enumerate(stack) if frame[0] in BODIES), None)
    return "" if body is None or stack[:body] == trial.root else "not what the body lies on"


def flaw(sample: dict[str, Any]) -> str:
    """Why the program cannot have had the stack of this sample; empty if it can."""
    stack = [with_class(frame) for frame in sample["frames"][::-1]]
    names = [name for name, _, _ in stack]
    if sample["status"] & TRUNCATED == 0:
        if why := root_flaw(stack, sample["status"] & PARTIAL != 0):
            return why
        stack = stack[trial.entry - 1 :]
    elif nested.__name__ in names:  # of what lies below, not even all that is there has its callers in SOURCES
        stack = stack[names.index(nested.__name__) :]
    names = [name for name, _, _ in stack]
    if start_moving.__name__ in names:
        stack = stack[: names.index(start_moving.__name__) + 1]
    if len({chain_of(name) for name, _, _ in stack} - {""}) > 1:
        return "frames of both chains"
    for caller, callee in zip(stack, stack[1:]):
        if not may_call(caller, callee):
            return f"{callee[0]} is not called in line {caller[2]} of {caller[0]}"
    return ""


def folded(lines: list[str]) -> list[str]:
    """The same, but what is repeated, one line or two by turns, stands there once, and how often."""
    told: list[str] = []
    while lines:
        for period in (1, 2):
            block = lines[:period]
            times = 1
            while lines[times * period : (times + 1) * period] == block:
                times += 1
            if times > 2:
                break
        else:
            period = times = 1
        told += lines[:period]
        if times > 1:
            told.append(f"        {times} times")
        lines = lines[times * period :]
    return told


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
            lines += folded([f"    {name}:{line}" for name, _, line in sample["frames"]])
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
    trial.limit = limit
    trial.entry = len(told_stack(sys._getframe()))
    cores = os.sched_getaffinity(0)
    start_apart(interval_ns, limit)
    trial.deadline = time.monotonic() + seconds
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
