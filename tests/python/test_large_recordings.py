"""What is written of recordings that are longer than viewers can open, opened by the viewers all the same.

The limits are those of the formats' documentation. The recording's stacks are deep and many: Speedscope's limit is
reached by totals alone, Chrome's by the order of time.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

import gauge_testing
from test_html import Use, ask
from test_html import use_page as use_page
from trace_slices import NO_ERRORS, AskPerfetto

MEGABYTE = 1_000_000
# Of a file, as documented, and a tenth for what the limits do not count.
LIMITS = {"speedscope": 110, "chrome": 220, "html": 5}


@pytest.fixture(scope="module")
def recording(build_tool: Callable[[str], pathlib.Path], tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("large") / "large.gpf"
    shape = ["--samples", "3000000", "--depth", "300", "--threads", "2"]
    assert gauge_testing.run([build_tool("gauge-generate"), *shape, "-o", path]).returncode == 0
    return path


@pytest.fixture(scope="module")
def total(recording: pathlib.Path) -> dict[str, int]:
    """What the samples stand for, by weight."""
    done = gauge_testing.run([gauge_testing.executable_path(), "report", "--json", recording])
    return dict(json.loads(done.stdout)["total"])


@pytest.fixture
def convert(recording: pathlib.Path, tmp_path: pathlib.Path) -> Callable[[str], pathlib.Path]:
    """The recording in a format, no larger than its limit."""

    def convert(name: str) -> pathlib.Path:
        path = tmp_path / f"large.{name}"
        command = [gauge_testing.executable_path(), "convert", "--to", name, "-o", path, recording]
        done = gauge_testing.run(command, timeout=120)
        assert done.returncode == 0, done.stderr
        assert path.stat().st_size < LIMITS[name] * MEGABYTE
        return path

    return convert


def test_speedscope_opens_it(
    convert: Callable[[str], pathlib.Path], open_in_app: Callable[..., list[dict[str, Any]]], total: dict[str, int]
) -> None:
    path = convert("speedscope")
    (seen,) = open_in_app([path])
    assert seen["imported"], seen["messages"]
    ours = json.loads(path.read_bytes())
    assert all(", order kept to " in profile["name"] for profile in ours["profiles"])
    assert all(profile["name"].endswith(", calls below 0.01 % put together") for profile in ours["profiles"])
    spans = {profile["name"]: profile["endValue"] - profile["startValue"] for profile in ours["profiles"]}
    exported = seen["exported"]["profiles"]
    assert {profile["name"]: profile["endValue"] - profile["startValue"] for profile in exported} == spans
    weights = (
        weight
        for profile in ours["profiles"]
        for sample, weight in zip(profile["samples"], profile["weights"], strict=True)
        if sample
    )
    assert sum(weights) == total["wall_ns"]


def test_perfetto_opens_it(
    convert: Callable[[str], pathlib.Path], ask_perfetto: AskPerfetto, total: dict[str, int]
) -> None:
    query = "select sum(dur) from slice where depth = 0 and category = 'python'"
    threads = "select name from thread where name glob '*, order kept to *'"
    errors, times, coarse = ask_perfetto(convert("chrome"), (NO_ERRORS, query, threads))
    assert errors == []
    assert times == [(total["wall_ns"],)]
    assert len(coarse) == 2


def test_our_page_opens_it(convert: Callable[[str], pathlib.Path], use_page: Use, total: dict[str, int]) -> None:
    weights = ("samples", "wall", "cpu")
    steps = [step for weight in weights for step in ({"click": f"[data-weight={weight}]"}, ask("app.tree.total[0]"))]
    assert use_page(convert("html"), *steps) == [total[key] for key in ("samples", "wall_ns", "cpu_ns")]
