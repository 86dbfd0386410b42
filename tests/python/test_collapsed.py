"""Collapsed stacks, as flamegraph.pl and inferno read them, against an independent model.

The Speedscope app reads them in test_speedscope.py, where it is started.
"""

from __future__ import annotations

import html
import pathlib
import re
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest

import gauge_testing
from collapsed_model import WEIGHTS, Stacks, expected_stacks
from folded_model import CASES, fold_to

FLAMEGRAPH = pathlib.Path("/usr/share/perl5/Devel/NYTProf/flamegraph.pl")  # where Debian has it, not on PATH
INFERNO = gauge_testing.REPOSITORY / "build/inferno/bin/inferno-flamegraph"


def read(path: pathlib.Path) -> Stacks:
    """By the plainest reading of the format."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(lines, key=str.encode)
    stacks: Stacks = Counter()
    for line in lines:
        stack, amount = re.fullmatch(r"(\S.*\S) ([1-9]\d*)", line).groups()  # type: ignore[union-attr]
        frames = tuple(stack.split(";"))
        assert frames not in stacks
        stacks[frames] = int(amount)
    return stacks


@pytest.mark.parametrize("name", CASES)
def test_lines_are_the_models_stacks_once_each_and_sorted(name: str, tmp_path: pathlib.Path) -> None:
    folded = CASES[name]()
    for weight in WEIGHTS:
        assert read(fold_to("collapsed", folded, tmp_path / weight, weight)) == expected_stacks(folded, weight)
    by_line = read(fold_to("collapsed", folded, tmp_path / "line", "line"))
    assert by_line == expected_stacks(folded, by_line=True)


def flamegraph(consumer: Callable[[str], pathlib.Path]) -> pathlib.Path:
    return FLAMEGRAPH if FLAMEGRAPH.exists() else consumer("flamegraph.pl")


def inferno(_consumer: Callable[[str], pathlib.Path]) -> pathlib.Path:
    if not INFERNO.exists():
        pytest.skip(f"{INFERNO} is missing; tests/consumers/setup.sh builds it where there is a cargo")
    return INFERNO


@pytest.fixture(params=[flamegraph, inferno], ids=["flamegraph.pl", "inferno"])
def drawer(request: pytest.FixtureRequest, consumer: Callable[[str], pathlib.Path]) -> pathlib.Path:
    """A program that draws a flame graph of the file given."""
    return pathlib.Path(request.param(consumer))


def as_drawn(text: str) -> str:
    """flamegraph.pl turns "<module>" into "(module)", to keep it out of its XML."""
    return text.replace("<", "(").replace(">", ")")


def expected_boxes(stacks: Stacks) -> Counter[str]:
    """What the boxes of a name stand for, recursion counted each time, and the one below all."""
    sums = Counter({"all": stacks.total()})
    for frames, amount in stacks.items():
        for frame in frames:
            sums[as_drawn(frame)] += amount
    return sums


def boxes(svg: str) -> Counter[str]:
    """What the titles of the boxes say."""
    sums: Counter[str] = Counter()
    for title in re.findall(r"<title>(.*?)</title>", svg):
        box = re.fullmatch(r"(.*) \(([\d,]+) samples, [\d.]+%\)", html.unescape(title))
        assert box, title  # a difference of two profiles would say more
        sums[as_drawn(box[1])] += int(box[2].replace(",", ""))
    return sums


@pytest.mark.parametrize("name", CASES)
def test_flame_graphs_show_the_models_numbers(name: str, drawer: pathlib.Path, tmp_path: pathlib.Path) -> None:
    folded = CASES[name]()
    path = fold_to("collapsed", folded, tmp_path / "out.collapsed")
    drawn = gauge_testing.run([drawer, "--minwidth", "0", path])
    assert drawn.stderr == b""  # such as "Ignored 3 lines with invalid format"
    assert boxes(drawn.stdout.decode()) == expected_boxes(expected_stacks(folded))


def test_flame_graphs_take_no_name_for_a_second_number(drawer: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = fold_to("collapsed", "main;Thread 12@prog.py:1 70\nmain;f 3@:0:0 50\n", tmp_path / "out.collapsed")
    drawn = gauge_testing.run([drawer, "--minwidth", "0", path])
    assert drawn.stderr == b""
    assert boxes(drawn.stdout.decode()) == Counter(
        {"all": 120, "main (prog.py:1)": 120, "Thread 12 (prog.py:1)": 70, "f 3 ()": 50}
    )


def test_convert_writes_what_its_options_ask_for(
    gauge: pathlib.Path, build_tool: Callable[[str], pathlib.Path], tmp_path: pathlib.Path
) -> None:
    recording = tmp_path / "in.gpf"
    subprocess.run([build_tool("gauge-generate"), "--samples", "500", "--threads", "2", "-o", recording], check=True)
    command = [gauge, "convert", "--to", "collapsed", "-o", "-", recording]
    plain = gauge_testing.run(command).stdout.decode()
    assert sum(int(line.rsplit(" ", 1)[1]) for line in plain.splitlines()) == 500
    parted = gauge_testing.run([*command, "--threads", "--processes"]).stdout.decode()
    assert {line.count(">;") for line in parted.splitlines()} == {2}
    assert re.match(r"<process \d+>;<thread \S+.*?>;", parted)
    assert " (/" in gauge_testing.run([*command, "--paths", "full"]).stdout.decode()
    assert gauge_testing.run([*command, "--weight", "wall"]).stdout.decode() != plain
