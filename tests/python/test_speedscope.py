"""Our Speedscope files against the published schema, the rules beyond it, and the app itself in a headless Chromium.

The app reads collapsed stacks too; the browser is started once for all that it is to open.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jsonschema
import pytest

from collapsed_model import Stacks, expected_stacks
from folded_model import CASES, GOLDEN, Line, fold_to, parse, unique_names

JsonObject = dict[str, Any]
Costs = dict[str, tuple[int, int]]  # by frame: self and total, in nanoseconds

FOLDED = {
    "program": (GOLDEN / "program.folded").read_text(),
    "processes": (GOLDEN / "processes.folded").read_text(),
    # As deep as the app can be given, and deeper than it can open.
    "deep": ";".join(["main", *["f"] * 1998, "leaf"]) + " 3\nmain;leaf 1\n",
    "too-deep": ";".join(["main", *["f"] * 4998, "leaf"]) + " 3\nmain;leaf 1\n",
    "empty": "",
}


@pytest.fixture(scope="session")
def files(
    build_tool: Callable[[str], pathlib.Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pathlib.Path]:
    """What we write for each folded text, and for one of them by line."""
    folder = tmp_path_factory.mktemp("speedscope")
    written = {}
    for name, frames in [*((name, "function") for name in FOLDED), ("program", "line")]:
        key = name if frames == "function" else f"{name}-by-line"
        written[key] = folder / f"{key}.speedscope.json"
        with written[key].open("wb") as output:
            command = [build_tool("gauge-fold-to"), "speedscope", *([] if frames == "function" else [frames])]
            subprocess.run(command, input=FOLDED[name].encode(), stdout=output, check=True, timeout=60)
    return written


COLLAPSED = ("program", "random-1")


@pytest.fixture(scope="session")
def seen_by_app(
    files: dict[str, pathlib.Path],
    open_in_app: Callable[..., list[JsonObject]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, JsonObject]:
    """What the app makes of `files`, of COLLAPSED in that format, and of a file that is broken."""
    folder = tmp_path_factory.mktemp("app")
    content = load(files["program"])
    content["profiles"][0]["weights"].pop()
    broken = folder / "broken.speedscope.json"
    broken.write_text(json.dumps(content))
    collapsed = {f"{name}.collapsed": folder / f"{name}.collapsed" for name in COLLAPSED}
    for name in COLLAPSED:
        fold_to("collapsed", CASES[name](), collapsed[f"{name}.collapsed"])
    paths = files | collapsed | {"broken": broken}
    return dict(zip(paths, open_in_app(paths.values()), strict=True))


ALL = [*FOLDED, "program-by-line"]


def load(path: pathlib.Path) -> JsonObject:
    return dict(json.loads(path.read_text(encoding="utf-8")))


# --- the file ---


@pytest.mark.parametrize("name", ALL)
def test_files_are_valid_by_the_published_schema(
    name: str, files: dict[str, pathlib.Path], npm_packages: pathlib.Path
) -> None:
    schema = json.loads((npm_packages / "speedscope/dist/release/file-format-schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(load(files[name]))


@pytest.mark.parametrize("name", ALL)
def test_files_keep_the_rules_that_the_schema_does_not_state(name: str, files: dict[str, pathlib.Path]) -> None:
    content = load(files[name])
    frames = content["shared"]["frames"]
    assert content["profiles"]
    for profile in content["profiles"]:
        samples, weights = profile["samples"], profile["weights"]
        assert len(samples) == len(weights)
        assert all(0 <= frame < len(frames) for sample in samples for frame in sample)
        assert all(isinstance(weight, int) and weight > 0 for weight in weights)
        assert profile["endValue"] - profile["startValue"] == sum(weights)
        assert all(first != second for first, second in itertools.pairwise(samples))
        assert all(len(sample) <= 2000 for sample in samples)
    assert {frame for p in content["profiles"] for s in p["samples"] for frame in s} == set(range(len(frames)))
    if not name.endswith("by-line"):
        assert len({frame["name"] for frame in frames}) == len(frames)


# --- the app ---


@pytest.mark.parametrize("name", ALL)
def test_the_app_imports_without_a_complaint(name: str, seen_by_app: dict[str, JsonObject]) -> None:
    seen = seen_by_app[name]
    assert seen["imported"], seen["messages"]
    assert "Importing as speedscope json file" in seen["messages"]
    complaints = ("Failed", "exception:", "dialog:", "Tried to", "rror")
    assert not [text for text in seen["messages"] if any(word in text for word in complaints)]


@pytest.mark.parametrize("name", ["program", "processes"])
def test_the_app_counts_what_was_sampled(name: str, seen_by_app: dict[str, JsonObject]) -> None:
    lines = parse(FOLDED[name])
    exported = {
        profile["name"]: costs_of_events(seen_by_app[name]["exported"], profile)
        for profile in seen_by_app[name]["exported"]["profiles"]
    }
    several_processes = len({line.thread[0] for line in lines}) > 1
    expected = {}
    for thread in {line.thread for line in lines}:
        label = f"pid {thread[0]}: {thread[1]}" if several_processes else thread[1]
        expected[label] = costs_of_lines([line for line in lines if line.thread == thread], lines)
    assert exported == expected


@pytest.mark.parametrize("name", ["program", "processes", "deep", "too-deep", "program-by-line"])
def test_the_app_gives_back_every_profile_whole(
    name: str, files: dict[str, pathlib.Path], seen_by_app: dict[str, JsonObject]
) -> None:
    ours, exported = load(files[name]), seen_by_app[name]["exported"]
    assert [p["name"] for p in exported["profiles"]] == [p["name"] for p in ours["profiles"]]
    for profile, ours_again in zip(exported["profiles"], ours["profiles"], strict=True):
        assert list(stretches_of_events(exported, profile)) == list(stretches_of_samples(ours, ours_again))


@pytest.mark.parametrize("name", COLLAPSED)
def test_the_app_shows_the_models_stacks_of_collapsed_ones(name: str, seen_by_app: dict[str, JsonObject]) -> None:
    seen = seen_by_app[f"{name}.collapsed"]
    assert seen["imported"], seen["messages"]
    (profile,) = seen["exported"]["profiles"]
    stacks: Stacks = Counter()
    for start, end, stack in stretches_of_events(seen["exported"], profile):
        stacks[stack] += end - start
    assert stacks == expected_stacks(CASES[name]())


def test_what_the_app_cannot_open_is_reported_as_such(seen_by_app: dict[str, JsonObject]) -> None:
    assert not seen_by_app["broken"]["imported"]


# --- reading both sides ---


def costs_of_lines(lines: Sequence[Line], all_lines: Sequence[Line]) -> Costs:
    """Self and total wall time by name; a function several times in a stack counts once in its total."""
    names = unique_names({function for line in all_lines for function, _ in line.frames})
    own: defaultdict[str, int] = defaultdict(int)
    total: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        stack = [names[function] for function, _ in line.frames] or ["[no Python frames]"]
        own[stack[-1]] += line.costs[1]
        for name in set(stack):
            total[name] += line.costs[1]
    return {name: (own[name], total[name]) for name in total}


def costs_of_events(exported: JsonObject, profile: JsonObject) -> Costs:
    """The same of what the app has saved."""
    own: defaultdict[str, int] = defaultdict(int)
    total: defaultdict[str, int] = defaultdict(int)
    for start, end, stack in stretches_of_events(exported, profile):
        own[stack[-1]] += end - start
        for name in set(stack):
            total[name] += end - start
    return {name: (own[name], total[name]) for name in total}


def stretches_of_samples(content: JsonObject, profile: JsonObject) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """(start, end, stack) of every stretch with a stack: what we have written."""
    time = 0
    for sample, weight in zip(profile["samples"], profile["weights"], strict=True):
        if sample:
            yield time, time + weight, tuple(content["shared"]["frames"][frame]["name"] for frame in sample)
        time += weight


def stretches_of_events(exported: JsonObject, profile: JsonObject) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """(start, end, stack) of every stretch with a stack: what the app has saved, as frames that open and close."""
    stack: list[int] = []
    since = 0
    for event in profile["events"]:
        if event["at"] > since and stack:
            yield since, event["at"], tuple(exported["shared"]["frames"][frame]["name"] for frame in stack)
        since = event["at"]
        if event["type"] == "O":
            stack.append(event["frame"])
        else:
            assert stack.pop() == event["frame"]
    assert not stack
