"""Our JSON lines, read line by line, and by jq with the programs that docs/formats/jsonl.md gives."""

from __future__ import annotations

import json
import pathlib
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import gauge_testing
from folded_model import CASES, Costs, add, fold_to, model_of, parse, unique_names

NOTHING: Costs = (0, 0, 0, 0)
PAGE = gauge_testing.REPOSITORY / "docs/formats/jsonl.md"


@pytest.fixture(params=["program", "processes", "random-1"])
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(case: str, tmp_path: pathlib.Path) -> pathlib.Path:
    return fold_to("jsonl", CASES[case](), tmp_path / "recording.jsonl")


def lines_of(path: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def costs_of(sample: dict[str, Any]) -> Costs:
    return (1, sample["wall_ns"], sample["cpu_ns"], sample["gil_ns"])


def test_every_number_refers_to_a_line_before_it(path: pathlib.Path) -> None:
    known = {("stack", 0)}
    for line in lines_of(path):
        for key in ("process", "thread", "task", "stack", "frame", "caller"):
            if key in line:
                assert ("stack" if key == "caller" else key, line[key]) in known, line
        if line["type"] == "frame":
            assert ("function", line["function"]) in known
        if "id" in line:
            known.add((line["type"], line["id"]))


def test_stacks_weigh_what_was_sampled(case: str, path: pathlib.Path) -> None:
    frames: dict[int, tuple[str, int]] = {}
    stacks: dict[int, tuple[tuple[str, int], ...]] = {0: ()}
    found: dict[tuple[tuple[str, int], ...], Costs] = {}
    for line in lines_of(path):
        if line["type"] == "frame":
            frames[line["id"]] = (line["name"], line["line"])
        elif line["type"] == "stack":
            stacks[line["id"]] = (*stacks[line["caller"]], frames[line["frame"]])
        elif line["type"] == "sample":
            stack = stacks[line["stack"]]
            assert (line["function"], line["line"]) == (stack[-1] if stack else (None, 0))
            found[stack] = add(found.get(stack, NOTHING), costs_of(line))
    folded = parse(CASES[case]())
    names = unique_names({function for line in folded for function, _ in line.frames})
    expected: dict[tuple[tuple[str, int], ...], Costs] = {}
    for each in folded:
        stack = tuple((names[function], line) for function, line in each.frames)
        expected[stack] = add(expected.get(stack, NOTHING), each.costs)
    assert found == expected


def test_the_file_begins_with_a_header_and_ends_with_the_sums(case: str, path: pathlib.Path) -> None:
    first, *_, last = lines_of(path)
    assert first["type"] == "header"
    assert first["version"] == 1
    assert last["type"] == "end"
    assert (last["samples"], last["wall_ns"], last["cpu_ns"], last["gil_ns"]) == model_of(CASES[case]()).total


# --- jq ---


@pytest.fixture
def documented(consumer: Callable[[str], pathlib.Path], path: pathlib.Path) -> Callable[[str], str]:
    """Run the one command of the page that has `words` in it; what it prints."""
    consumer("jq")
    commands = re.findall(r"^```\n(jq .*?)\n```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)

    def run_command(words: str) -> str:
        (command,) = [each for each in commands if words in each]
        result = gauge_testing.run(["sh", "-c", command], cwd=path.parent)
        assert (result.returncode, result.stderr) == (0, b"")
        return result.stdout.decode()

    return run_command


def test_jq_finds_the_hottest_functions(case: str, documented: Callable[[str], str]) -> None:
    model = model_of(CASES[case]())
    own = {model.names[function]: costs[2] for function, costs in model.own.items()}
    found = dict(reversed(line.split("\t")) for line in documented("group_by(.function)").splitlines())
    bare = found.pop("", None)
    assert (bare is not None) == bool(model.without_frames)
    spelled = {name.replace("\\", "\\\\"): round(cpu / 1e6, 6) for name, cpu in own.items()}  # by @tsv
    assert {name: round(float(cpu), 6) for name, cpu in found.items()} == spelled


def test_jq_adds_up_threads(case: str, documented: Callable[[str], str]) -> None:
    model = model_of(CASES[case]())
    found = json.loads(documented("thread_name"))
    expected = sorted(costs[1] for costs in model.threads.values())
    assert sorted(found.values()) == pytest.approx(expected, rel=1e-12)  # a number of jq is a double


def test_jq_picks_a_stretch_of_time(path: pathlib.Path, documented: Callable[[str], str]) -> None:
    inside = [line for line in lines_of(path) if line["type"] == "sample" and 10**9 <= line["time_ns"] < 2 * 10**9]
    counts = [int(line.split()[0]) for line in documented("uniq -c").splitlines()]
    assert sum(counts) == len(inside)


def test_jq_folds_stacks(case: str, documented: Callable[[str], str]) -> None:
    expected: Counter[str] = Counter()
    folded = parse(CASES[case]())
    names = unique_names({function for line in folded for function, _ in line.frames})
    for line in folded:
        expected[";".join(names[function] for function, _ in line.frames)] += line.costs[0]
    lines = [line.rpartition(" ") for line in documented("reduce inputs").splitlines()]
    assert {stack: int(count) for stack, _, count in lines} == expected
