"""Callgrind files, read by callgrind_annotate and by a strict parser, against an independent model."""

from __future__ import annotations

import pathlib
import re
import shutil
from collections import Counter

import pytest

import gauge_testing
from callgrind_grammar import CallgrindFile, parse_callgrind
from conftest import missing
from folded_model import CASES, NOTHING, Costs, Function, Model, Thread, add, fold_to, model_of, one_line

EVENTS = ["Samples", "WallNs", "CpuNs", "GilNs"]
Edges = dict[tuple[str, str], tuple[int, Costs]]  # (caller, callee): calls, inclusive


@pytest.fixture(params=CASES)
def folded(request: pytest.FixtureRequest) -> str:
    return CASES[request.param]()


@pytest.fixture
def path(folded: str, tmp_path: pathlib.Path) -> pathlib.Path:
    return fold_to("callgrind", folded, tmp_path / "out.callgrind")


# The model in the format's terms: functions are called "file:name [object]", as callgrind_annotate prints them.


def symbol(model: Model, function: Function) -> str:
    name = model.names[function]
    if function.module:
        name = f"{function.module}::{name[len(function.module) + 1 :]}"
    package = function.module.split(".")[0] or "???"
    return f"{one_line(function.file) or '???'}:{name} [{package}]"


def thread_labels(model: Model) -> dict[Thread, str]:
    """profile_of numbers native ids from the pid, in order of all threads."""
    shared = Counter(name for _, name in model.threads)
    return {
        (pid, name): name if shared[name] == 1 else f"{name} {pid + number}"
        for number, (pid, name) in enumerate(model.threads)
    }


def thread_symbol(label: str) -> str:
    return f"???:<thread {label}> [???]"


def process_symbol(pid: int) -> str:
    return f"???:<process {pid}> [???]"


def expected_own(model: Model) -> dict[str, Costs]:
    own = {symbol(model, function): model.own.get(function, NOTHING) for function in model.names}
    for thread, label in thread_labels(model).items():
        own[thread_symbol(label)] = model.without_frames.get(thread, NOTHING)
        own[process_symbol(thread[0])] = NOTHING
    return own


def expected_inclusive(model: Model) -> dict[str, Costs]:
    inclusive = {symbol(model, function): model.inclusive[function] for function in model.names}
    for thread, label in thread_labels(model).items():
        inclusive[thread_symbol(label)] = model.threads[thread]
        process = process_symbol(thread[0])
        inclusive[process] = add(inclusive.get(process, NOTHING), model.threads[thread])
    return inclusive


def expected_edges(model: Model) -> Edges:
    edges: Edges = {}

    def count(caller: str, callee: str, calls: int, costs: Costs) -> None:
        known_calls, known = edges.get((caller, callee), (0, NOTHING))
        edges[caller, callee] = (known_calls + max(calls, 1), add(known, costs))

    labels = thread_labels(model)
    for ((caller, _), callee), edge in model.edges.items():
        count(symbol(model, caller), symbol(model, callee), edge.outermost, edge.inclusive)
    for (thread, root), costs in model.roots.items():
        count(thread_symbol(labels[thread]), symbol(model, root), costs[0], costs)
    for thread, costs in model.threads.items():
        count(process_symbol(thread[0]), thread_symbol(labels[thread]), costs[0], costs)
    return edges


# callgrind_annotate


class Annotation:
    """What callgrind_annotate prints with --tree=both: rows of functions between rows of their callers and callees."""

    def __init__(self, output: str) -> None:
        self.totals: Costs | None = None
        self.functions: dict[str, Costs] = {}
        self.calls: Edges = {}  # as printed below the caller
        self.called: Edges = {}  # as printed above the callee
        pending: list[tuple[str, int, Costs]] = []
        last = ""
        for line in output.splitlines():
            match = re.fullmatch(r" *([\d,.]+) +([\d,.]+) +([\d,.]+) +([\d,.]+)  (PROGRAM TOTALS|[<*>] )(.*)", line)
            if not match:
                continue
            costs = tuple(0 if cell == "." else int(cell.replace(",", "")) for cell in match.groups()[:4])
            assert len(costs) == 4
            if match[5] == "PROGRAM TOTALS":
                self.totals = costs
                continue
            sign = match[5][0]
            name, calls = self.split(match[6].strip())
            if sign == "<":
                pending.append((name, calls, costs))
            elif sign == "*":
                assert name not in self.functions, f"two rows of {name}"
                last = name
                self.functions[name] = costs
                self.called.update({(caller, name): (count, own) for caller, count, own in pending})
                pending = []
            else:
                self.calls[last, name] = (calls, costs)

    @staticmethod
    def split(text: str) -> tuple[str, int]:
        match = re.fullmatch(r"(.*?)(?: \((\d+)x\))?( \[[^\[\]]*\])", text)
        assert match, text
        return match[1] + match[3], int(match[2] or 0)


def annotate(path: pathlib.Path, *options: str) -> str:
    """Run the tool in the root folder: it cuts its working directory from some file names and not from others."""
    tool = shutil.which("callgrind_annotate")
    if tool is None:
        missing("callgrind_annotate", "apt-get install valgrind")
    result = gauge_testing.run([str(tool), *options, str(path)], cwd="/", timeout=120)
    assert result.stderr == b""
    assert result.returncode == 0
    return result.stdout.decode()


ALL = ("--threshold=100", "--auto=no", "--show-percs=no", "--tree=both")


def test_annotate_prints_the_models_self_costs(folded: str, path: pathlib.Path) -> None:
    model = model_of(folded)
    annotation = Annotation(annotate(path, *ALL, "--inclusive=no"))
    assert annotation.totals == model.total
    expected = expected_own(model)
    # With a threshold of 100 % the tool stops where the rest has no samples.
    assert {name: costs for name, costs in expected.items() if costs[0]}.keys() <= annotation.functions.keys()
    for name, costs in annotation.functions.items():
        assert costs == expected[name], name


def test_annotate_prints_the_models_inclusive_costs(folded: str, path: pathlib.Path) -> None:
    model = model_of(folded)
    annotation = Annotation(annotate(path, *ALL, "--inclusive=yes"))
    assert annotation.totals == model.total
    assert annotation.functions == expected_inclusive(model)


def test_annotate_prints_the_models_edges_both_ways(folded: str, path: pathlib.Path) -> None:
    annotation = Annotation(annotate(path, *ALL, "--inclusive=yes"))
    expected = expected_edges(model_of(folded))
    assert annotation.calls == expected
    assert annotation.called == expected


def test_annotate_shows_costs_at_the_right_source_lines(tmp_path: pathlib.Path) -> None:
    source = tmp_path / "work.py"
    source.write_text("def leaf():\n    return sum(range(9))\n\ndef caller():\n    x = 1\n    return leaf()\n")
    folded = f"caller@{source}:4:6;leaf@{source}:1:2 30 300 200 gil\ncaller@{source}:4:5 7 70 7\n"
    path = fold_to("callgrind", folded, tmp_path / "out.callgrind")
    output = annotate(path, "--threshold=100", "--auto=yes", "--show-percs=no", "--tree=none")
    assert re.search(r"\n +30 +300 +200 +300 +return sum\(range\(9\)\)\n", output.replace("      ", "  "))
    assert re.search(r"\n +7 +70 +7 +[.0] +x = 1\n", output)
    assert re.search(r"\n +30 +300 +200 +300 +=> .*work\.py:leaf \(30x\)", output)


def test_annotate_takes_an_empty_profile(tmp_path: pathlib.Path) -> None:
    annotation = Annotation(annotate(fold_to("callgrind", "", tmp_path / "empty.callgrind"), *ALL))
    assert annotation.functions == {}
    assert annotation.totals == NOTHING


# The strict parser


def spelled(symbol: tuple[str, str, str]) -> str:
    return f"{symbol[1]}:{symbol[2]} [{symbol[0]}]"


def test_file_keeps_to_the_grammar_and_to_the_model(folded: str, path: pathlib.Path) -> None:
    model = model_of(folded)
    file = parse_callgrind(path.read_text("utf-8"))
    assert file.events == EVENTS
    assert file.totals == model.total
    assert {spelled(each) for each in file.functions} == expected_own(model).keys()
    own = {(spelled(function), line): costs for (function, line), costs in file.own.items()}
    expected = {(symbol(model, function), line): costs for (function, line), costs in model.own_by_line.items()}
    for thread, costs in model.without_frames.items():
        expected[thread_symbol(thread_labels(model)[thread]), 0] = costs
    assert own == expected


def test_calls_stand_at_their_sites_and_lead_to_definitions(folded: str, path: pathlib.Path) -> None:
    model = model_of(folded)
    calls = {
        (spelled(call.caller), call.line, spelled(call.callee), call.target_line): (call.count, call.costs)
        for call in parse_callgrind(path.read_text("utf-8")).calls
        if not call.caller[2].startswith(("<process ", "<thread "))
    }
    assert calls == {
        (symbol(model, caller), line, symbol(model, callee), callee.first_line): (
            max(edge.outermost, 1),
            edge.inclusive,
        )
        for ((caller, line), callee), edge in model.edges.items()
    }


def inclusive_by_incoming(file: CallgrindFile) -> dict[str, Costs]:
    sums: dict[str, Costs] = {}
    for call in file.calls:
        callee = spelled(call.callee)
        costs = call.costs
        sums[callee] = add(sums.get(callee, NOTHING), (costs[0], costs[1], costs[2], costs[3]))
    return sums


def test_incoming_calls_add_up_to_inclusive_and_never_pass_the_total(folded: str, path: pathlib.Path) -> None:
    model = model_of(folded)
    incoming = inclusive_by_incoming(parse_callgrind(path.read_text("utf-8")))
    for function in model.names:
        assert incoming[symbol(model, function)] == model.inclusive[function]
    assert all(cost <= total for costs in incoming.values() for cost, total in zip(costs, model.total))


@pytest.mark.parametrize(
    "broken",
    [
        "calls=0 1\n",  # callgrind_annotate takes the next line for self cost
        "fn=(99) far\n",  # ids with holes
        "7 1 2 3 4 5\n",  # more costs than events
        "+1 1 2 3 4\n",  # no position of ours
        "fn=(1) again\n",  # a name defined twice
        "what=1\n",
    ],
)
def test_strict_parser_is_strict(broken: str, tmp_path: pathlib.Path) -> None:
    text = fold_to("callgrind", "main;f 1\n", tmp_path / "out.callgrind").read_text("utf-8")
    parse_callgrind(text)
    with pytest.raises((AssertionError, KeyError, ValueError)):
        parse_callgrind(text.replace("\ntotals", broken + "\ntotals"))
