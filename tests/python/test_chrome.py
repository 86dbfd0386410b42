"""Our Trace Event JSON against its own rules, an independent model, and Perfetto's trace processor."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

import gauge_testing
from folded_model import CASES, fold_to, parse
from trace_slices import (
    NO_ERRORS,
    THREADS,
    AskPerfetto,
    costs_of,
    expected_costs,
    expected_times_by_line,
    is_of_thread,
    own_times_by_line,
    read_slices,
    rows_of,
    slices_query,
)

MAX_DEPTH = 500


@pytest.mark.parametrize("name", CASES)
def test_slices_have_the_models_costs(name: str, tmp_path: pathlib.Path) -> None:
    slices = read_slices(fold_to("chrome", CASES[name](), tmp_path / "out.chrome.json"))
    assert costs_of(each for each in slices if is_of_thread(each.lane)) == expected_costs(CASES[name]())


@pytest.mark.parametrize("name", CASES)
def test_lines_have_the_models_costs(name: str, tmp_path: pathlib.Path) -> None:
    slices = read_slices(fold_to("chrome", CASES[name](), tmp_path / "out.chrome.json", "line"))
    assert own_times_by_line(slices) == expected_times_by_line(CASES[name]())


def test_a_gap_is_between_slices(tmp_path: pathlib.Path) -> None:
    path = fold_to("chrome", "main;f 1 10000\n~ 500000\nmain;f 1 20000\n", tmp_path / "out.chrome.json")
    assert [(each.names[-1], each.start, each.end) for each in read_slices(path)] == [
        ("f", 0, 10_000),
        ("main", 0, 10_000),
        ("f", 510_000, 530_000),
        ("main", 510_000, 530_000),
    ]


# --- Perfetto ---

SLICES = slices_query("args")


def as_perfetto_has_it(text: str) -> str:
    """Version 52 leaves some backslashes of JSON texts escaped."""
    return text.replace("\\\\", "\\")


@pytest.mark.parametrize("name", ["program", "processes", "deep"])
def test_perfetto_shows_every_slice_as_it_is(name: str, ask_perfetto: AskPerfetto, tmp_path: pathlib.Path) -> None:
    path = fold_to("chrome", CASES[name](), tmp_path / "out.chrome.json")
    errors, slices, threads = ask_perfetto(path, (NO_ERRORS, SLICES, THREADS))
    assert errors == []
    assert sorted((*row[:3], as_perfetto_has_it(row[3]), *row[4:]) for row in slices) == rows_of(read_slices(path))
    named = {line.thread for line in parse(CASES[name]())}
    assert sorted(threads) == sorted((pid, "python prog.py", thread) for pid, thread in named)


def test_perfetto_takes_stacks_as_deep_as_we_write_them(ask_perfetto: AskPerfetto, tmp_path: pathlib.Path) -> None:
    # Of 4,999 frames a multiple of 125 is hidden, so that as many are shown as can be.
    stack = ";".join(["main", *["even", "odd"] * 2499])
    path = fold_to("chrome", f"{stack} 1 10000\n", tmp_path / "out.chrome.json")
    errors, depth = ask_perfetto(path, (NO_ERRORS, "select max(depth) from slice"))
    assert errors == []
    assert depth == [(MAX_DEPTH - 1,)]


def test_perfetto_shows_text_that_is_not_ascii(ask_perfetto: AskPerfetto, tmp_path: pathlib.Path) -> None:
    path = fold_to("chrome", 'pkg::größe 😀\\\\ "x" 1\n', tmp_path / "out.chrome.json")
    assert ask_perfetto(path, ("select name from slice",)) == [[('pkg.größe 😀\\ "x"',)]]


def test_perfetto_opens_an_empty_file(ask_perfetto: AskPerfetto, tmp_path: pathlib.Path) -> None:
    path = fold_to("chrome", "", tmp_path / "empty.chrome.json")
    assert ask_perfetto(path, (NO_ERRORS, "select count(*) from slice")) == [[], [(0,)]]


# A task is a track of its own, called by the first slice in it.
LANES = """
    select track.name, depth, slice.name, ts, dur, extract_arg(slice.arg_set_id, 'args.samples')
    from slice join track on slice.track_id = track.id where category = 'asyncio'"""


def test_perfetto_shows_each_task_in_a_lane_of_its_own(
    gauge: pathlib.Path, build_tool: Callable[[str], pathlib.Path], ask_perfetto: AskPerfetto, tmp_path: pathlib.Path
) -> None:
    recording = tmp_path / "in.gpf"
    gauge_testing.run([build_tool("gauge-generate"), "--samples", "3000", "--tasks", "4", "-o", recording])
    assert gauge_testing.run([gauge, "convert", "--to", "chrome", recording]).returncode == 0
    path = tmp_path / "in.chrome.json"
    errors, slices, lanes = ask_perfetto(path, (NO_ERRORS, SLICES, LANES))
    assert errors == []
    assert sorted(slices) == rows_of(read_slices(path))
    expected = [each for each in read_slices(path) if not is_of_thread(each.lane)]
    assert len({each.lane for each in expected}) == 4
    assert sorted(lanes) == sorted(
        (each.names[0], len(each.names) - 1, each.names[-1], each.start, each.end - each.start, each.args["samples"])
        for each in expected
    )
