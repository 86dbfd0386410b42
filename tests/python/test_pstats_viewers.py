"""pstats and Callgrind files in the viewers from PyPI that people open them with, against an independent model.

Each viewer shows a call graph in its own way; what it cannot do with any profile is left out and said at its test.
"""

from __future__ import annotations

import ast
import html
import pathlib
import pstats
import re
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import snakeviz.stats
import tuna._runtime_profile

import gauge_testing
from folded_model import CASES, fold_to, model_of, random_folded
from pstats_model import Key, expected_rows, seconds
from test_callgrind import expected_edges, expected_inclusive, expected_own


def without_recursion(folded: str) -> str:
    """Random stacks below a main program, functions of each in one order and once: a call graph without cycles."""

    def line(text: str) -> str:
        match = re.fullmatch(r"(\S+) (\S+) (.*)", text)
        assert match
        thread, stack, costs = match.groups()
        if stack == "-":
            return text
        frames = {re.sub(r"(@.*?:\d+):.*", r"\1", frame): frame for frame in stack.split(";")}  # by function
        ordered = ";".join(frames[function] for function in sorted(frames))
        return f"{thread} <module>@/src/main.py:1:9;main@/src/main.py:3:4;{ordered} {costs}"

    return "\n".join(map(line, folded.splitlines())) + "\n"


ACYCLIC = {f"acyclic-{seed}": without_recursion(random_folded(seed, stacks=30)) for seed in range(1, 6)}
ALL = {**{name: make() for name, make in CASES.items()}, **ACYCLIC}
# Some viewers start from functions that nobody calls: what is called by some and a root for others, they lose.
ROOTED = {name: ALL[name] for name in ("program", "deep", *ACYCLIC)}


def run_viewer(*command: str | pathlib.Path) -> subprocess.CompletedProcess[bytes]:
    result = gauge_testing.run([sys.executable, "-m", *command], timeout=120, env={"PYTHONUTF8": "1"})
    assert result.returncode == 0, result.stderr.decode()
    return result


# SnakeViz


def snakeviz_name(key: Key) -> str:
    return "{}:{}({})".format(*key)


def short_name(key: Key) -> str:
    return snakeviz_name((pathlib.PurePath(key[0]).name, key[1], key[2]))


def expected_table(folded: str) -> list[list[Any]]:
    return [
        [
            [str(nc) if nc == cc else f"{nc}/{cc}", nc],
            *(f"{each:.4g}" for each in (tt, tt / cc, ct, ct / cc)),
            html.escape(short_name(key)),
            snakeviz_name(key),
        ]
        for key, ((cc, nc, tt, ct), _) in expected_rows(folded).items()
    ]


def expected_graph(folded: str) -> dict[str, Any]:
    """What the pictures are drawn from; functions that neither call nor are called are not in them."""
    rows = expected_rows(folded)
    graph: dict[str, Any] = {
        snakeviz_name(key): {
            "stats": list(numbers),
            "callers": {snakeviz_name(caller): list(edge) for caller, edge in callers.items()},
            "children": {},
            "display_name": short_name(key),
        }
        for key, (numbers, callers) in rows.items()
    }
    for name, function in graph.items():
        for caller, edge in function["callers"].items():
            graph[caller]["children"][name] = edge
    return {name: each for name, each in graph.items() if each["children"] or each["callers"]}


@pytest.mark.parametrize("folded", ALL.values(), ids=ALL)
def test_snakeviz_has_every_function_and_edge(folded: str, tmp_path: pathlib.Path) -> None:
    stats = pstats.Stats(str(fold_to("pstats", folded, tmp_path / "out.pstats")))
    by_name = {row[-1]: row for row in snakeviz.stats.table_rows(stats)}
    assert by_name == {row[-1]: row for row in expected_table(folded)}
    assert snakeviz.stats.json_stats(stats) == expected_graph(folded)


@contextmanager
def snakeviz_page(path: pathlib.Path) -> Iterator[str]:
    """The address of the page, while its server runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # should it be taken meanwhile, SnakeViz takes another and says so
    command = [sys.executable, "-u", "-m", "snakeviz", "--server", "--port", str(port), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield next(line.strip() for line in server.stdout if line.startswith("http://"))
        finally:
            server.kill()


def test_snakeviz_serves_the_page(tmp_path: pathlib.Path) -> None:
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with snakeviz_page(fold_to("pstats", ALL["program"], tmp_path / "out.pstats")) as address:
        page = without_proxy.open(address, timeout=60).read().decode()
    table, stats = (
        ast.literal_eval(re.search(rf"var {name} = (.*);\n", page)[1])  # type: ignore[index]
        for name in ("table_data", "stats")
    )
    assert sorted(table) == sorted(expected_table(ALL["program"]))
    assert stats == expected_graph(ALL["program"])


# tuna: a tree, in which a function of several callers shows what each of them called, and ends the branch


def weight(node: dict[str, Any]) -> float:
    return node["value"] if "value" in node else sum(map(weight, node["children"]))


def tuna_nodes(node: dict[str, Any], caller: str | None = None) -> Iterator[tuple[str | None, str, float]]:
    """(caller, name, weight) of every function and every "::self" below a node."""
    name = node["text"][0]
    if name == "Possible calls of":
        return
    yield caller, name, weight(node)
    for child in node.get("children", []):
        yield from tuna_nodes(child, None if name == "root" else name)


@pytest.mark.parametrize("folded", ROOTED.values(), ids=ROOTED)
def test_tuna_draws_what_each_function_and_call_took(folded: str, tmp_path: pathlib.Path) -> None:
    tree = tuna._runtime_profile.read_runtime_profile(str(fold_to("pstats", folded, tmp_path / "out.pstats")))
    expected: dict[tuple[str | None, str], float] = {}
    for key, ((_, _, own, inclusive), callers) in expected_rows(folded).items():
        name = "{}::{}::{}".format(*key)
        expected[None, name] = inclusive
        expected[name, f"{name}::self"] = own  # where there is one caller, or none
        expected.update({("{}::{}::{}".format(*caller), name): edge[3] for caller, edge in callers.items()})
    total = seconds(model_of(folded).total[1])
    expected[None, "root"] = total
    assert weight(tree) == pytest.approx(total)
    for caller, name, took in tuna_nodes(tree):
        assert took == pytest.approx(expected[caller, name], rel=1e-9, abs=1e-9), (caller, name)


# flameprof: stacks made up from the call graph. Of what is recursive it shows less time, as it breaks off every cycle;
# where the costliest function below the roots has less than a fifth of all time, it takes that for a root as well.


@pytest.mark.parametrize("folded", ACYCLIC.values(), ids=ACYCLIC)
def test_flameprof_draws_each_functions_own_time(folded: str, tmp_path: pathlib.Path) -> None:
    path = fold_to("pstats", folded, tmp_path / "out.pstats")
    result = run_viewer("flameprof", "--format=log", "--threshold=0", "--log-mult=1000000000", path)
    assert result.stderr == b""  # such as that there are no proper roots
    own: Counter[str] = Counter()
    lines = result.stdout.decode().splitlines()
    for line in lines:
        stack, nanoseconds = line.rsplit(" ", 1)
        own[stack.rsplit(";", 1)[-1]] += int(nanoseconds)
    expected = {"{}:{}:{}".format(*key): tt * 1e9 for key, ((_, _, tt, _), _) in expected_rows(folded).items()}
    assert own == pytest.approx(expected, abs=len(lines))  # each is rounded


# pyprof2calltree


class CallTree(NamedTuple):
    own: dict[Key, int]  # nanoseconds
    calls: dict[tuple[Key, Key], tuple[int, int]]  # (caller, callee): calls, nanoseconds


def parse_calltree(text: str) -> CallTree:
    tree = CallTree({}, {})
    header, *blocks = re.split(r"(?m)^(?=fl=)", text)
    assert re.fullmatch(r"event: ns : Nanoseconds\nevents: ns\nsummary: \d+\n", header)
    for block in blocks:
        match = re.fullmatch(r"fl=(.*)\nfn=(.*)\n(\d+) (\d+)\n((?:c.*\n|\d.*\n)*)\n", block)
        assert match, block
        caller = (match[1], int(match[3]), match[2])
        assert caller not in tree.own
        tree.own[caller] = int(match[4])
        calls = re.findall(r"cfl=(.*)\ncfn=(.*)\ncalls=(\d+) (\d+)\n\d+ (\d+)\n", match[5])
        assert 4 * len(calls) == match[5].count("\n")
        for file, name, count, line, nanoseconds in calls:
            assert (caller, (file, int(line), name)) not in tree.calls
            tree.calls[caller, (file, int(line), name)] = (int(count), int(nanoseconds))
    return tree


@pytest.mark.parametrize("folded", ALL.values(), ids=ALL)
def test_pyprof2calltree_keeps_every_number(folded: str, tmp_path: pathlib.Path) -> None:
    def nanoseconds(number: float) -> int:
        return int(number * 1e9)  # as it does, so that some end up 1 ns lower

    path = fold_to("pstats", folded, tmp_path / "out.pstats")
    run_viewer("pyprof2calltree", "-i", path, "-o", tmp_path / "out.calltree")
    tree = parse_calltree((tmp_path / "out.calltree").read_text("utf-8"))
    rows = expected_rows(folded)
    assert tree.own == {key: nanoseconds(tt) for key, ((_, _, tt, _), _) in rows.items()}
    assert tree.calls == {
        (caller, key): (nc, nanoseconds(ct))
        for key, (_, callers) in rows.items()
        for caller, (nc, _, _, ct) in callers.items()
    }
    assert sum(tree.own.values()) == pytest.approx(model_of(folded).total[1], abs=len(rows))


# gprof2dot

Shares = tuple[float, float, int]  # percentages of total and of own, times


class Graph(NamedTuple):
    nodes: dict[str, Shares]
    packages: dict[str, str]  # of nodes; empty where there is none
    edges: dict[tuple[str, str], tuple[float, int]]


_ID = r'("(?:[^"\\]|\\.)*"|\w+)'
_LABEL = r'.*\blabel=("(?:[^"\\]|\\.)*"|\w+)'


def unquote(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text.strip('"'))


def draw(format_name: str, path: pathlib.Path) -> Graph:
    result = run_viewer("gprof2dot", "-f", format_name, "--node-thres=0", "--edge-thres=0", path)
    assert result.stderr == b""  # such as a ratio greater than one, or a call to what is not defined
    graph = Graph({}, {}, {})
    names = {}
    edges = []
    for line in result.stdout.decode().splitlines():
        if match := re.match(rf"\t{_ID} \[{_LABEL}", line):
            *package, name, total, own, times = unquote(match[2]).split("\n")
            assert name not in graph.nodes
            names[match[1]] = name
            graph.packages[name] = "".join(package)
            graph.nodes[name] = (float(total.strip("%")), float(own.strip("(%)")), int(times.strip("×")))
        elif match := re.match(rf"\t{_ID} -> {_ID} \[{_LABEL}", line):
            *total, times = unquote(match[3]).split("\n")
            edges.append((match[1], match[2], float(total[0].strip("%")) if total else 0.0, int(times.strip("×"))))
    graph.edges.update({(names[caller], names[callee]): numbers for caller, callee, *numbers in edges})
    return graph


def assert_same(shown: dict[Any, Any], expected: dict[Any, Any]) -> None:
    assert shown.keys() == expected.keys()
    for key, numbers in shown.items():
        assert numbers == pytest.approx(expected[key], abs=0.00501), key  # rounded to hundredths of a percent


@pytest.mark.parametrize("folded", ALL.values(), ids=ALL)
def test_gprof2dot_draws_every_function_and_edge_of_pstats(folded: str, tmp_path: pathlib.Path) -> None:
    graph = draw("pstats", fold_to("pstats", folded, tmp_path / "out.pstats"))
    percent = 100 / seconds(model_of(folded).total[1])
    rows = expected_rows(folded)

    def name(key: Key) -> str:
        return f"{pathlib.PurePath(key[0]).stem}:{key[1]}:{key[2]}"

    assert_same(
        graph.nodes, {name(key): (ct * percent, tt * percent, nc) for key, ((_, nc, tt, ct), _) in rows.items()}
    )
    assert_same(
        graph.edges,
        {
            (name(caller), name(key)): (ct * percent, cc)
            for key, (_, callers) in rows.items()
            for caller, (_, cc, _, ct) in callers.items()
        },
    )


# From Callgrind files it works out inclusive costs anew, sharing out the cost of a function among its callers. Within
# a cycle of several ways in, this gives other numbers than the file's, or ends with an assertion (its issue, with any
# correct file); those of "program" and "deep" have one way in.
@pytest.mark.parametrize("name", ["program", "deep", *ACYCLIC])
def test_gprof2dot_draws_every_function_and_edge_of_callgrind(name: str, tmp_path: pathlib.Path) -> None:
    graph = draw("callgrind", fold_to("callgrind", ALL[name], tmp_path / "out.callgrind"))
    model = model_of(ALL[name])
    percent = 100 / model.total[0]  # of samples, the first event
    own = expected_own(model)
    edges = expected_edges(model)
    called: Counter[str] = Counter()
    for (_, callee), (calls, _) in edges.items():
        called[callee] += calls

    def bare(symbol: str) -> str:
        """Without file and package: gprof2dot knows functions by their names alone."""
        return symbol.partition(":")[2].rpartition(" [")[0]

    assert graph.packages == {bare(each): each.rpartition(" [")[2].removesuffix("]") for each in own}

    inclusive = expected_inclusive(model).items()
    assert_same(
        graph.nodes,
        {bare(each): (costs[0] * percent, own[each][0] * percent, called[each]) for each, costs in inclusive},
    )
    assert graph.edges.keys() == {(bare(caller), bare(callee)) for caller, callee in edges}
    for (caller, callee), (calls, costs) in edges.items():
        share, times = graph.edges[bare(caller), bare(callee)]
        assert times == calls
        assert share == pytest.approx(costs[0] * percent, abs=0.00501)


def test_recording_without_samples_can_be_opened(tmp_path: pathlib.Path) -> None:
    """Not in tuna and flameprof: they end with an error where there is no time at all."""
    path = fold_to("pstats", "", tmp_path / "empty.pstats")
    assert [row[-1] for row in snakeviz.stats.table_rows(pstats.Stats(str(path)))] == ["~:0([no samples])"]
    assert draw("pstats", path).nodes.keys() == {"~:0:[no samples]"}
    assert draw("callgrind", fold_to("callgrind", "", tmp_path / "empty.callgrind")).nodes == {}
    run_viewer("pyprof2calltree", "-i", path, "-o", tmp_path / "out.calltree")
    assert parse_calltree((tmp_path / "out.calltree").read_text()) == CallTree({("~", 0, "[no samples]"): 0}, {})
