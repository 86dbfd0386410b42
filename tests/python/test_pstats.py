"""pstats files, read by the pstats module of every CPython here, against an independent model."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest

import gauge_testing
from folded_model import CASES, fold_to, model_of
from pstats_model import Key, Rows, expected_rows, seconds

_answers: dict[str, dict[str, Any]] = {}  # by interpreter, then by case
PROBE = pathlib.Path(__file__).with_name("pstats_probe.py")

# Two halves of one program; no name of a half is shared, so both give their functions the same names.
HALVES = (
    "main@/src/m.py:1:2;f@/src/m.py:5:6;g@/src/n.py:1:1 3 30000000\nmain@/src/m.py:1:3 1 10000000\n",
    "main@/src/m.py:1:2;f@/src/m.py:5:7 2 25000000\nmain@/src/m.py:1:2;g@/src/n.py:1:2;g@/src/n.py:1:1 4 40000000\n",
)


def read_rows(rows: list[Any]) -> Rows:
    """Rows as the probe tells them."""
    read: Rows = {}
    for (file, line, name), numbers, callers in rows:
        assert (file, line, name) not in read
        edges = {tuple(caller): tuple(edge) for caller, edge in callers}
        assert len(edges) == len(callers)
        read[file, line, name] = (tuple(numbers), edges)  # type: ignore[assignment]
    return read


def probe(interpreter: gauge_testing.Interpreter, *paths: pathlib.Path) -> dict[str, Any]:
    result = gauge_testing.run([interpreter.path, "-I", PROBE, *paths], timeout=120)
    assert result.stderr == b""
    assert result.returncode == 0
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    folder = tmp_path_factory.mktemp("pstats")
    return {name: fold_to("pstats", make(), folder / f"{name}.pstats") for name, make in CASES.items()}


@pytest.fixture
def answers(interpreter: gauge_testing.Interpreter, files: dict[str, pathlib.Path]) -> dict[str, Any]:
    """What the interpreter's pstats says of each case; asked once."""
    if interpreter.id not in _answers:
        _answers[interpreter.id] = dict(zip(files, probe(interpreter, *files.values())["files"]))
    return _answers[interpreter.id]


def test_every_number_is_the_models(answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        expected = expected_rows(CASES[name]())
        assert read_rows(answer["rows"]) == expected, name
        assert read_rows(answer["again"]) == expected, name
        calls, primitive_calls, total = answer["total"]
        assert calls == sum(numbers[1] for numbers, _ in expected.values())
        assert primitive_calls == sum(numbers[0] for numbers, _ in expected.values())
        assert total == pytest.approx(seconds(model_of(CASES[name]()).total[1]), rel=1e-12)


def printed_function(key: Key) -> str:
    file, line, name = key
    return name if (file, line) == ("~", 0) else f"{file}:{line}({name})"


def test_printed_table_has_a_row_for_every_function(answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        table = {}
        for line in answer["stats"].splitlines():
            match = re.fullmatch(r" *(\d+)(?:/(\d+))? +([\d.]+) +[\d.]+ +([\d.]+) +[\d.]+ (.*)", line)
            if match:
                table[match[5]] = (int(match[2] or match[1]), int(match[1]), match[3], match[4])
        assert table == {
            printed_function(key): (cc, nc, f"{tt:.3f}", f"{ct:.3f}")
            for key, ((cc, nc, tt, ct), _) in expected_rows(CASES[name]()).items()
        }


def test_printed_callers_and_callees_name_every_edge(answers: dict[str, Any]) -> None:
    answer = answers["program"]
    rows = expected_rows(CASES["program"]())
    edges = [(caller, callee) for callee, (_, callers) in rows.items() for caller in callers]
    for report in ("callers", "callees"):
        lines = [line for line in answer[report].splitlines() if re.search(r"\d+\.\d+ +\d+\.\d+  ", line)]
        assert len(lines) == len(edges)
    for caller, callee in edges:
        assert printed_function(caller) in answer["callers"]
        assert printed_function(callee) in answer["callees"]


def test_strip_dirs_merges_no_functions(answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        expected = expected_rows(CASES[name]())
        assert read_rows(answer["stripped"]) == {
            (pathlib.Path(file).name, line, function): (
                numbers,
                {(pathlib.Path(each[0]).name, each[1], each[2]): edge for each, edge in callers.items()},
            )
            for (file, line, function), (numbers, callers) in expected.items()
        }


def test_stats_profile_has_every_function_under_its_name(answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        expected = expected_rows(CASES[name]())
        assert answer["profile"] == {
            key[2]: [
                str(nc) if nc == cc else f"{nc}/{cc}",
                float(f"{tt:8.3f}"),
                float(f"{ct:8.3f}"),
                key[0],
                key[1],
            ]
            for key, ((cc, nc, tt, ct), _) in expected.items()
        }


def test_halves_add_up_to_the_whole(interpreter: gauge_testing.Interpreter, tmp_path: pathlib.Path) -> None:
    paths = [fold_to("pstats", half, tmp_path / f"{number}.pstats") for number, half in enumerate(HALVES)]
    total = read_rows(probe(interpreter, *paths)["sum"])
    expected = expected_rows("".join(HALVES))
    assert total.keys() == expected.keys()
    for key, (numbers, callers) in expected.items():
        assert total[key][0] == pytest.approx(numbers)
        assert total[key][1].keys() == callers.keys()
        for caller, edge in callers.items():
            assert total[key][1][caller] == pytest.approx(edge)


def test_empty_profile_loads_and_says_so(interpreter: gauge_testing.Interpreter, tmp_path: pathlib.Path) -> None:
    (answer,) = probe(interpreter, fold_to("pstats", "", tmp_path / "empty.pstats"))["files"]
    assert read_rows(answer["rows"]) == {("~", 0, "[no samples]"): ((0, 0, 0.0, 0.0), {})}
