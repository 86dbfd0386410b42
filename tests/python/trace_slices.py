"""The slices of our trace files, read without Perfetto or the writers, and what Perfetto should say of them."""

from __future__ import annotations

import json
import pathlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from folded_model import NOTHING, Costs, add, model_of

NO_FRAMES = "[no Python frames]"
HIDDEN = "[frames not shown]"
JsonObject = dict[str, Any]
AskPerfetto = Callable[[pathlib.Path, Sequence[str]], list[list[tuple[Any, ...]]]]
# What Perfetto counts when it meets something that it cannot show.
NO_ERRORS = "select name, value from stats where severity in ('error', 'data_loss') and value != 0"


@dataclass
class Slice:
    """A pair of events. Times in nanoseconds."""

    lane: tuple[Any, ...]
    names: tuple[str, ...]  # of it and what is around it, outermost first
    start: int
    args: JsonObject
    end: int = 0
    own: Costs = NOTHING
    total: Costs = NOTHING
    children: list[Slice] = field(default_factory=list)


def nanoseconds(event: str) -> int:
    """Of an event's text: a time has three decimals, and no exponent."""
    match = re.search(r'"ts":(\d+)\.(\d{3}),', event)
    assert match, event
    return int(match[1] + match[2])


def lane_of(event: JsonObject) -> tuple[Any, ...]:
    return (event["pid"], event["id"]) if "id" in event else (event["pid"], event["tid"])


def read_slices(path: pathlib.Path) -> Iterator[Slice]:
    """Every slice, once it ends. Checks that each event stands in a line and that slices nest in order of time."""
    text = path.read_text(encoding="utf-8")
    events = [line.rstrip(",") for line in text.splitlines()[1:-1]]
    assert len(json.loads(text)["traceEvents"]) == len(events)
    open_slices: defaultdict[tuple[Any, ...], list[Slice]] = defaultdict(list)
    last: defaultdict[tuple[Any, ...], int] = defaultdict(int)
    for line in events:
        event = json.loads(line)
        if event["ph"] == "M":
            continue
        lane, time = lane_of(event), nanoseconds(line)
        assert time >= last[lane]
        last[lane] = time
        stack = open_slices[lane]
        if event["ph"] in "Bb":
            names = (*(stack[-1].names if stack else ()), event["name"])
            stack.append(Slice(lane, names, time, event.get("args", {})))
            continue
        assert event["ph"] in "Ee"
        ended = stack.pop()
        if event["ph"] == "e":
            assert event["name"] == ended.names[-1]
        ended.end = time
        ended.args |= event["args"]
        if stack:
            stack[-1].children.append(ended)
        yield ended
    assert not any(open_slices.values())


def is_of_thread(lane: tuple[Any, ...]) -> bool:
    return isinstance(lane[1], int)


def rows_of(slices: Iterable[Slice]) -> list[tuple[Any, ...]]:
    """What slices_query() should give: the slices of threads."""
    return sorted(
        (*each.lane, len(each.names) - 1, each.names[-1], each.start, each.end - each.start,
         each.args["samples"], each.args["cpu_ns"], each.args["gil_ns"])
        for each in slices if is_of_thread(each.lane)
    )  # fmt: skip


def costs_of(slices: Iterable[Slice]) -> dict[str, tuple[Costs, Costs]]:
    """Own and inclusive costs by name, of all threads; a slice within one of its own name counts no more."""
    costs: defaultdict[str, tuple[Costs, Costs]] = defaultdict(lambda: (NOTHING, NOTHING))
    for each in slices:
        each.total = (each.args["samples"], each.end - each.start, each.args["cpu_ns"], each.args["gil_ns"])
        inner = NOTHING
        for child in each.children:
            inner = add(inner, child.total)
        each.children.clear()
        own, inclusive = costs[each.names[-1]]
        own = add(own, tuple(of_all - of_inner for of_all, of_inner in zip(each.total, inner, strict=True)))  # type: ignore[arg-type]
        if each.names[-1] not in each.names[:-1]:
            inclusive = add(inclusive, each.total)
        costs[each.names[-1]] = (own, inclusive)
    own_of_hidden, _ = costs.pop(HIDDEN, (NOTHING, NOTHING))
    assert own_of_hidden == NOTHING
    return dict(costs)


def expected_costs(folded: str) -> dict[str, tuple[Costs, Costs]]:
    """What costs_of() should give for the folded text."""
    model = model_of(folded)
    costs = {
        name: (model.own.get(function, NOTHING), model.inclusive[function]) for function, name in model.names.items()
    }
    for idle in model.without_frames.values():
        own, _ = costs.get(NO_FRAMES, (NOTHING, NOTHING))
        costs[NO_FRAMES] = (add(own, idle), add(own, idle))
    return costs


def own_times_by_line(slices: Iterable[Slice]) -> dict[tuple[str, int], int]:
    """Wall time by name and line, without that of the slices within; where there is any."""
    own: defaultdict[tuple[str, int], int] = defaultdict(int)
    for each in slices:
        inner = sum(child.end - child.start for child in each.children)
        own[each.names[-1], each.args.get("line", 0)] += each.end - each.start - inner
    return {key: time for key, time in own.items() if time}


def expected_times_by_line(folded: str) -> dict[tuple[str, int], int]:
    """What own_times_by_line() should give for the folded text."""
    model = model_of(folded)
    times = {(model.names[function], line): costs[1] for (function, line), costs in model.own_by_line.items()}
    if model.without_frames:
        times[NO_FRAMES, 0] = sum(costs[1] for costs in model.without_frames.values())
    return {key: time for key, time in times.items() if time}


def slices_query(prefix: str) -> str:
    """SQL for the slices of threads, not of tasks. prefix: that of the arguments in Perfetto's tables."""
    return f"""
        with slices as (
            select slice.*, thread.tid, process.pid from slice
            join thread_track on slice.track_id = thread_track.id join thread using (utid) join process using (upid))
        select pid, tid, depth, name, ts, dur,
            extract_arg(arg_set_id, '{prefix}.samples'), extract_arg(arg_set_id, '{prefix}.cpu_ns'),
            extract_arg(arg_set_id, '{prefix}.gil_ns')
        from slices where category = 'python'"""


THREADS = """
    select process.pid, process.name, thread.name from thread join process using (upid)
    where utid in (select utid from thread_track)"""
