"""The model of folded_model.py in the terms of pstats: what a file must hold for each function and each caller."""

from __future__ import annotations

import functools

from folded_model import Function, Model, model_of, one_line

Key = tuple[str, int, str]  # file, line, name
Numbers = tuple[int, int, float, float]
Rows = dict[Key, tuple[Numbers, dict[Key, Numbers]]]


def seconds(nanoseconds: int) -> float:
    """As the file has it."""
    return nanoseconds / 1e9


@functools.cache
def expected_rows(folded: str) -> Rows:
    """(cc, nc, tt, ct) of functions, (nc, cc, tt, ct) of callers: the two orders are pstats' own. Not to be changed."""
    model = model_of(folded)

    def key(function: Function) -> Key:
        return (one_line(function.file) or "~", function.first_line, model.names[function])

    rows: Rows = {}
    for function in model.names:
        inclusive = model.inclusive[function]
        own = model.own.get(function, (0, 0, 0))
        rows[key(function)] = (
            (inclusive[0], model.occurrences[function], seconds(own[1]), seconds(inclusive[1])),
            {},
        )
    for (caller, callee), edge in model.edges_of_functions().items():
        rows[key(callee)][1][key(caller)] = (
            edge.occurrences,
            edge.outermost,
            seconds(edge.own[1]),
            seconds(edge.inclusive[1]),
        )
    _add_row_without_frames(model, rows)
    return rows


def _add_row_without_frames(model: Model, rows: Rows) -> None:
    samples = sum(costs[0] for costs in model.without_frames.values())
    wall = sum(costs[1] for costs in model.without_frames.values())
    if samples:
        rows["~", 0, "[no Python frames]"] = ((samples, samples, seconds(wall), seconds(wall)), {})
