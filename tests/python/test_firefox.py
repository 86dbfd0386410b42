"""Our Firefox profiles against their own rules, an independent model, and the Firefox Profiler's command line."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

import gauge_testing
from conftest import missing
from folded_model import CASES, fold_to, model_of, parse

JsonObject = dict[str, Any]
NO_FRAMES = "[no Python frames]"
WEIGHTS = {"samples": 0, "wall": 1, "cpu": 2, "gil": 3}
# Table and column -> the table whose rows it refers to; a string_array has no columns.
REFERENCES = {
    ("stackTable", "frame"): "frameTable",
    ("stackTable", "prefix"): "stackTable",
    ("frameTable", "func"): "funcTable",
    ("funcTable", "name"): "stringArray",
    ("funcTable", "resource"): "resourceTable",
    ("funcTable", "source"): "sources",
    ("sources", "filename"): "stringArray",
    ("resourceTable", "name"): "stringArray",
}


def load(path: pathlib.Path) -> JsonObject:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def columns(table: JsonObject) -> Iterator[tuple[str, list[Any]]]:
    return ((name, column) for name, column in table.items() if isinstance(column, list))


def length_of(shared: JsonObject, name: str) -> int:
    return len(shared[name]) if name == "stringArray" else int(shared[name]["length"])


@pytest.mark.parametrize("name", CASES)
def test_tables_are_whole_and_refer_to_rows_that_are_there(name: str, tmp_path: pathlib.Path) -> None:
    content = load(fold_to("firefox", CASES[name](), tmp_path / "out.firefox.json"))
    shared = content["shared"]
    tables = [table for table in shared.values() if isinstance(table, dict)]
    for thread in content["threads"]:
        tables += [thread["samples"], thread["markers"]]
        stacks = [row for row in thread["samples"]["stack"] if row is not None]
        assert all(0 <= row < shared["stackTable"]["length"] for row in stacks)
        assert all(delta >= 0 for delta in thread["samples"]["timeDeltas"])
    for table in tables:
        assert {len(column) for _, column in columns(table)} == {table["length"]}
    for (table_name, column), other in REFERENCES.items():
        rows = [row for row in shared[table_name][column] if row not in (None, -1)]
        assert all(0 <= row < length_of(shared, other) for row in rows), (table_name, column)
    prefixes = shared["stackTable"]["prefix"]
    assert all(prefix is None or prefix < row for row, prefix in enumerate(prefixes))


def stack_of(shared: JsonObject, row: int | None) -> list[tuple[str, int | None]]:
    """Names and lines, innermost first."""
    stack = []
    while row is not None:
        frame = shared["stackTable"]["frame"][row]
        function = shared["frameTable"]["func"][frame]
        name = shared["stringArray"][shared["funcTable"]["name"][function]]
        stack.append((name, shared["frameTable"]["line"][frame]))
        row = shared["stackTable"]["prefix"][row]
    return stack


def in_units(weight: float, weight_type: str) -> int:
    """Of the model: samples, or nanoseconds."""
    return int(weight) if weight_type == "samples" else round(weight * 1_000_000)


def costs_of(content: JsonObject) -> dict[str, tuple[int, int]]:
    """Self and total by function, of all threads; once a sample, however often the function is in it."""
    own: defaultdict[str, int] = defaultdict(int)
    total: defaultdict[str, int] = defaultdict(int)
    for thread in content["threads"]:
        samples = thread["samples"]
        for row, weight in zip(samples["stack"], samples["weight"], strict=True):
            if row is None:
                assert weight == 0
                continue
            stack = [name for name, _ in stack_of(content["shared"], row)]
            own[stack[0]] += in_units(weight, samples["weightType"])
            for name in set(stack):
                total[name] += in_units(weight, samples["weightType"])
    return {name: (own[name], total[name]) for name in total}


def expected_costs(folded: str, weight: str) -> dict[str, tuple[int, int]]:
    model, at = model_of(folded), WEIGHTS[weight]
    costs = {
        name: (model.own[function][at] if function in model.own else 0, model.inclusive[function][at])
        for function, name in model.names.items()
    }
    if model.without_frames:
        idle = sum(of_thread[at] for of_thread in model.without_frames.values())
        costs[NO_FRAMES] = (idle, idle)
    return costs


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("name", CASES)
def test_samples_have_the_models_costs(name: str, weight: str, tmp_path: pathlib.Path) -> None:
    path = fold_to("firefox", CASES[name](), tmp_path / "out.firefox.json", weight)
    assert costs_of(load(path)) == expected_costs(CASES[name](), weight)


@pytest.mark.parametrize("name", CASES)
def test_lines_have_the_models_costs(name: str, tmp_path: pathlib.Path) -> None:
    content = load(fold_to("firefox", CASES[name](), tmp_path / "out.firefox.json"))
    own: defaultdict[tuple[str, int | None], int] = defaultdict(int)
    for thread in content["threads"]:
        for row, weight in zip(thread["samples"]["stack"], thread["samples"]["weight"], strict=True):
            if row is not None:
                own[stack_of(content["shared"], row)[0]] += round(weight * 1_000_000)
    own.pop((NO_FRAMES, None), None)
    model = model_of(CASES[name]())
    assert own == {
        (model.names[function], line or None): costs[1] for (function, line), costs in model.own_by_line.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_threads_have_the_models_cpu_time(name: str, tmp_path: pathlib.Path) -> None:
    content = load(fold_to("firefox", CASES[name](), tmp_path / "out.firefox.json"))
    found = {
        (int(thread["pid"]), thread["name"]): sum(thread["samples"]["threadCPUDelta"]) for thread in content["threads"]
    }
    assert found == {thread: costs[2] for thread, costs in model_of(CASES[name]()).threads.items()}
    # What the app ignores: there is no sample before the first.
    assert all(thread["samples"]["threadCPUDelta"][0] == 0 for thread in content["threads"])
    assert len(found) == len({line.thread for line in parse(CASES[name]())})


# --- the Firefox Profiler ---


class Profiler:
    """profiler-cli with a profile loaded. It starts a process of its own that goes on until stop()."""

    def __init__(self, node: pathlib.Path, script: pathlib.Path, home: pathlib.Path) -> None:
        self._command = [node, script]
        self._home = home

    def ask(self, *words: str | pathlib.Path) -> subprocess.CompletedProcess[bytes]:
        """Run a command on the profile."""
        return gauge_testing.run([*self._command, *words, "--session", "test"], env={"HOME": str(self._home)})

    def json(self, *words: str) -> JsonObject:
        """What a command that must succeed prints."""
        result = self.ask(*words, "--json")
        assert result.returncode == 0, result.stderr.decode()
        return dict(json.loads(result.stdout))

    def load(self, path: pathlib.Path) -> None:
        """Load a profile. The process gives up on its own start where the machine is busy, which says nothing of it."""
        for _ in range(20):
            result = self.ask("load", path)
            if result.returncode == 0:
                return
            assert b"did not become ready" in result.stderr, result.stderr.decode()
            if self.ask("thread", "list", "--json").returncode == 0:
                return
            self.stop()
        pytest.fail(result.stderr.decode())

    def stop(self) -> None:
        """End the process."""
        gauge_testing.run([*self._command, "stop", "test"], env={"HOME": str(self._home)})


@pytest.fixture
def profiler(npm_packages: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[Profiler]:
    # Of the environment, as it wants a newer node than the system may have.
    node = pathlib.Path(sys.executable).parent / "node"
    script = npm_packages / "@firefox-devtools/profiler-cli/dist/profiler-cli.js"
    if not node.exists() or not script.exists():
        missing("profiler-cli with its node", "run `make test`, which installs them")
    with tempfile.TemporaryDirectory() as home:  # a short path: there is a socket in it
        found = Profiler(node, script, pathlib.Path(home))
        yield found
        found.stop()


@pytest.mark.parametrize(
    ("name", "weight"), [("program", "wall"), ("program", "samples"), ("processes", "cpu"), ("random-1", "wall")]
)
def test_the_profiler_counts_what_was_sampled(
    name: str, weight: str, profiler: Profiler, tmp_path: pathlib.Path
) -> None:
    profiler.load(fold_to("firefox", CASES[name](), tmp_path / "out.firefox.json", weight))
    costs: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for thread in profiler.json("thread", "list", "--limit", "0")["threads"]:
        handle = thread["threadHandle"]
        found = profiler.json("thread", "functions", "--thread", handle, "--limit", "0", "--include-idle")
        for row in found["functions"]:
            own, total = costs[row["name"]]
            amounts = (in_units(row[key], found["weightType"]) for key in ("selfSamples", "totalSamples"))
            costs[row["name"]] = (own + next(amounts), total + next(amounts))
    expected = expected_costs(CASES[name](), weight)
    assert {key: both for key, both in costs.items() if any(both)} == {
        key: both for key, both in expected.items() if any(both)
    }


@pytest.mark.parametrize("name", ["program", "processes"])
def test_the_profiler_knows_threads_and_their_cpu_time(name: str, profiler: Profiler, tmp_path: pathlib.Path) -> None:
    profiler.load(fold_to("firefox", CASES[name](), tmp_path / "out.firefox.json"))
    threads = profiler.json("thread", "list", "--limit", "0")["threads"]
    found = {(int(each["pid"]), each["name"]): round(each["cpuMs"] * 1_000_000) for each in threads}
    assert found == {thread: costs[2] for thread, costs in model_of(CASES[name]()).threads.items()}
    assert {each["processName"] for each in threads} == {"python prog.py"}
