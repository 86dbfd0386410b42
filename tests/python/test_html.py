"""The page of the html format, used in a headless Chromium: what it shows is the model's, and no key does nothing."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest

import gauge_testing
from folded_model import CASES, Costs, Model, fold_to, model_of
from record_testing import run_recorded

Step = dict[str, Any]
Use = Callable[..., list[Any]]

WEIGHTS = ("samples", "wall", "cpu", "gil")  # in the order of the model's costs
# What the page has drawn, in terms of what people see of it.
SCOPE = "({start: app[app.view].start, end: app[app.view].end, length: app[app.view].length})"
CHOSEN = "document.querySelector('#details b')?.textContent ?? null"
VIEW = "document.querySelector('[role=tab][aria-selected=true]').dataset.view"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
ROWS = """[...document.querySelectorAll('#table .sheet .row')].map((row) => ({
    self: row.querySelector('.self').title, total: row.querySelector('.total').title,
    name: row.querySelector('.name').firstChild.textContent}))"""
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(21, 23, 28)"


@pytest.fixture
def use_page(npm_packages: pathlib.Path, consumer: Callable[[str], pathlib.Path]) -> Use:
    """Open a page and take steps (tests/consumers/page.cjs); the answers of those that ask.

    Whatever is done, the page must log nothing and load nothing.
    """

    def use_page(page: pathlib.Path, *steps: Step) -> list[Any]:
        driver = gauge_testing.REPOSITORY / "tests/consumers/page.cjs"
        result = gauge_testing.run(
            [consumer("node"), driver, consumer("chromium"), page],
            timeout=150,
            env={"NODE_PATH": str(npm_packages)},
            stdin=json.dumps(steps).encode(),
        )
        assert result.returncode == 0, result.stderr.decode()
        seen = json.loads(result.stdout)
        assert seen["messages"] == []
        assert seen["requests"] == []
        return list(seen["answers"])

    return use_page


@pytest.fixture
def use(use_page: Use, tmp_path: pathlib.Path) -> Use:
    """The same of the page of a folded text."""
    return lambda folded, *steps: use_page(fold_to("html", folded, tmp_path / "page.html"), *steps)


def ask(expression: str) -> Step:
    return {"ask": expression}


def press(*keys: str) -> list[Step]:
    return [{"press": key} for key in keys]


def exact(text: str) -> int:
    """The number of "1 234 ns", whose thousands are set apart."""
    return int(re.sub(r"[^\d]", "", text))


# --- the numbers ---


def costs_in_table(weight: str) -> list[Step]:
    """Every function's own and inclusive cost, as the page has them by a weight."""
    return [
        {"click": f"[data-weight={weight}]"},
        ask(
            "app.recording.frames.map((frame, i) => "
            "[frame.name, app.costs.self[i], app.costs.total[i]]).filter((row) => row[2] > 0)"
        ),
        ask("app.tree.total[0]"),
    ]


def expected_costs(model: Model, kind: int) -> dict[str, tuple[int, int]]:
    nothing: Costs = (0, 0, 0, 0)
    costs = {
        model.names[function]: (model.own.get(function, nothing)[kind], inclusive[kind])
        for function, inclusive in model.inclusive.items()
    }
    bare = sum(each[kind] for each in model.without_frames.values())
    costs["[no Python frames]"] = (bare, bare)
    return {name: cost for name, cost in costs.items() if cost[1] > 0}


@pytest.mark.parametrize("case", ["program", "processes", "deep", "random-1", "random-2"])
def test_every_function_costs_what_the_model_says_by_every_weight(case: str, use: Use) -> None:
    folded = CASES[case]()
    model = model_of(folded)
    usable = [weight for kind, weight in enumerate(WEIGHTS) if model.total[kind] > 0]
    answers = iter(use(folded, *[step for weight in usable for step in costs_in_table(weight)]))
    for weight in usable:
        kind = WEIGHTS.index(weight)
        # Numbers of JavaScript are whole up to 2^53, some hundred days of nanoseconds; the random cases are longer.
        error = 0 if model.total[kind] < 2**53 else 1e-14 * model.total[kind]
        found = {name: (own, total) for name, own, total in next(answers)}
        expected = expected_costs(model, kind)
        assert found.keys() == expected.keys()
        for name, costs in expected.items():
            assert found[name] == pytest.approx(costs, rel=0, abs=error), name
        assert next(answers) == pytest.approx(model.total[kind], rel=0, abs=error)


def test_the_table_shows_these_numbers_exactly(use: Use) -> None:
    model = model_of(CASES["program"]())
    (rows,) = use(CASES["program"](), *press("3"), ask(ROWS))
    assert {row["name"]: (exact(row["self"]), exact(row["total"])) for row in rows} == expected_costs(model, 1)
    assert [exact(row["self"]) for row in rows] == sorted((exact(row["self"]) for row in rows), reverse=True)


def test_a_thread_is_shown_by_itself(use: Use) -> None:
    model = model_of(CASES["program"]())
    totals = {thread[1]: costs[1] for thread, costs in model.threads.items()}
    steps = [step for i in range(len(totals)) for step in ({"choose": ["#threads", str(i)]}, ask("app.tree.total[0]"))]
    names, *found = use(
        CASES["program"](), ask("[...document.querySelectorAll('#threads option')].map((o) => o.text)"), *steps
    )
    assert names[0] == "all 3 threads"
    assert dict(zip(names[1:], found, strict=True)) == totals


def test_the_timeline_has_each_threads_time_and_gaps(use: Use) -> None:
    folded = "main;load 2 20\n~ 500\nmain;parse 1 10\n[Worker] run 3 30\n"
    boxes = """app.timeline.rows.map((row) => row.title || row.node.map((node, i) =>
        `${app.timeline.labelOf(node)} ${row.start[i]}-${row.end[i]}`).join(', '))"""
    (rows,) = use(folded, *press("2"), ask(boxes))
    assert rows == [
        "MainThread",
        "main 0-20, main 520-530",
        "load 0-20, parse 520-530",
        "",
        "Worker",
        "run 0-30",
    ]


TASKS = """
import asyncio

def work(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass

async def fetch(first):
    await asyncio.sleep(first)
    for _ in range(10):
        work(0.02)
        await asyncio.sleep(0.02)

async def main():
    await asyncio.gather(*(asyncio.create_task(fetch(first), name=f"fetch {first}") for first in (0, 0.02)))

asyncio.run(main())
"""


def test_tasks_are_lanes_in_which_calls_go_on_while_they_wait(
    use_page: Use, tmp_path: pathlib.Path, representative: gauge_testing.Interpreter
) -> None:
    run_recorded(representative, tmp_path, TASKS)
    page = tmp_path / "page.html"
    gauge_testing.run([gauge_testing.executable_path(), "convert", "--to", "html", "-o", page, tmp_path / "out.gpf"])
    lanes = """app.timeline.rows.map((row) => row.title || row.node.map((node, i) =>
        [app.timeline.labelOf(node), row.end[i] - row.start[i]]))"""
    choose = """(() => {
        const lane = app.timeline.rows.findIndex((row) => row.title === '↳ fetch 0.02');
        app.timeline.choose(app.timeline.box(lane + 1, 0));
        return document.getElementById('details').textContent;
    })()"""
    rows, chosen, zoomed, opened = use_page(
        page,
        *press("2"),
        ask(lanes),
        ask(choose),
        *press("Enter"),
        ask(SCOPE),
        *press("c"),
        ask("document.getElementById('chosen').textContent"),
    )
    lengths = {}
    for name in ("fetch 0", "fetch 0.02"):
        (call, *others) = rows[rows.index(f"↳ {name}") + 1]
        assert call[0].endswith("fetch")
        assert others == []
        lengths[name] = call[1]
        assert call[1] > 0.3e9  # half of it waiting
        parts = rows[rows.index(f"↳ {name}") + 2]
        # Half of it, where the machine leaves time for every look, and its core to the program.
        assert 0.1 < sum(part[1] for part in parts if part[0].endswith("work")) / call[1] < 0.9
    assert chosen.startswith(opened)
    assert zoomed["end"] - zoomed["start"] == pytest.approx(lengths["fetch 0.02"])
    assert opened.endswith("fetch")


def test_callers_and_callees_share_out_a_functions_total(use: Use) -> None:
    shares = """(view) => view.rows.flatMap((row, depth) =>
        row.node.map((node, i) => `${depth} ${view.labelOf(node)} ${row.end[i] - row.start[i]}`))"""
    name, callers, callees = use(
        "main;a;f;g 3\nmain;b;f;g 2\nmain;b;f;f;h 4\nmain;f 1\n",
        *press("3", "/"),
        {"type": "/^f$/"},
        *press("Enter"),
        ask("document.querySelector('#chosen').textContent"),
        ask(f"({shares})(app.callers)"),
        ask(f"({shares})(app.callees)"),
    )
    assert name == "f"
    assert callers == ["0 f 10", "1 b 6", "1 a 3", "1 main 1", "2 main 6", "2 main 3"]
    assert callees == ["0 f 10", "1 g 5", "1 f 4", "2 h 4"]


# --- the page ---


def test_a_click_zooms_and_escape_shows_everything_again(use: Use) -> None:
    canvas = (
        "(() => { const r = document.querySelector('#flame canvas').getBoundingClientRect(); return [r.x, r.y]; })()"
    )
    ((x, y),) = use("main;a 30\nmain;b 10\n", ask(canvas))
    answers = use(
        "main;a 30\nmain;b 10\n",
        {"at": [x + 1300, y + 2 * 19 + 9, 1]},
        ask(SCOPE),
        ask(CHOSEN),
        *press("Escape"),
        ask(SCOPE),
    )
    assert answers == [{"start": 30, "end": 40, "length": 40}, "b", {"start": 0, "end": 40, "length": 40}]


def test_pointing_tells_name_place_and_cost(use: Use) -> None:
    text = "document.querySelector('#tooltip').hidden ? null : document.querySelector('#tooltip').innerText"
    canvas = "document.querySelector('#flame canvas').getBoundingClientRect().y"
    (top,) = use("app::main@/src/app.py:3:5 1 30000000\n", ask(canvas))
    steps = [{"at": [400, top + 19 + 9, 0]}, ask(text), {"at": [400, top + 300, 0]}, ask(text)]
    shown, gone = use("app::main@/src/app.py:3:5 1 30000000\n", *steps)
    assert shown.split("\n") == ["app.main", "app.py:3", "30.0 ms (100 %), self 30.0 ms"]
    assert gone is None


def test_keys_move_among_boxes_and_zoom(use: Use) -> None:
    folded = "main;a;x 30\nmain;b;y 10\n"
    answers = use(
        folded,
        *press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"),
        ask(CHOSEN),
        *press("ArrowDown"),
        ask(CHOSEN),
        *press("Enter"),
        ask(SCOPE),
        *press("ArrowUp", "ArrowLeft"),
        ask(CHOSEN),
        *press("0", "+"),
        ask(SCOPE),
        *press("s"),
        ask(SCOPE),
        *press("-"),
        ask(SCOPE),
    )
    whole = {"start": 0, "end": 40, "length": 40}
    assert answers == [
        "b",
        "y",
        {**whole, "start": 30},
        "a",
        {**whole, "start": 10, "end": 30},
        {**whole, "start": 15, "end": 35},
        whole,
    ]


def test_keys_change_view_thread_and_weight(use: Use) -> None:
    weight = "document.querySelector('[data-weight][aria-checked=true]').dataset.weight"
    thread = "document.querySelector('#threads').selectedOptions[0].text"
    answers = use(
        CASES["program"](),
        *press("2"),
        ask(VIEW),
        *press("3"),
        ask(VIEW),
        *press("1"),
        ask(VIEW),
        *press("w"),
        ask(weight),
        *press("t"),
        ask(thread),
        *press("T"),
        ask(thread),
    )
    assert answers == ["timeline", "functions", "flame", "cpu", "MainThread", "all 3 threads"]


def test_lanes_of_the_timeline_can_be_gone_to(use: Use) -> None:
    lanes = "[...document.getElementById('lanes').options].map((option) => option.text)"
    is_hidden = "document.getElementById('lanes').parentElement.hidden"
    at = """[document.getElementById('lanes').selectedOptions[0].text,
        app.timeline.rows[Math.round(app.timeline.element.scrollTop / ROW)].title]"""
    choose = """(() => {
        const lanes = document.getElementById('lanes');
        lanes.selectedIndex = 2;
        lanes.dispatchEvent(new Event('change'));
    })()"""
    calls = ";".join(f"f{level}" for level in range(60))  # the last rows, too, can be scrolled to the top
    answers = use(
        "".join(f"[{name}] {calls} 10\n" for name in ("one", "two", "three")),
        ask(is_hidden),
        *press("2"),
        ask(is_hidden),
        ask(lanes),
        *press("l"),
        ask(at),
        *press("L", "L"),
        ask(at),
        *press("l"),
        ask(at),
        ask(choose),
        ask(at),
        *press("t"),
        ask(is_hidden),
    )
    two, three, one = (["two"] * 2, ["three"] * 2, ["one"] * 2)
    assert answers == [True, False, ["one", "two", "three"], two, three, one, None, three, True]


def test_every_key_of_the_help_does_something_without_complaint(use: Use) -> None:
    keys = "[...document.querySelectorAll('#keys kbd')].length"
    everything = "SHORTCUTS.flatMap(({keys}) => keys)"
    (names,) = use("main;a 30\n", ask(everything))
    steps = [step for view in "123" for key in names for step in (*press(view, key), *press("Escape", "Escape"))]
    assert use(CASES["program"](), *steps, ask(keys)) == [len(names)]


def test_a_search_marks_counts_and_finds(use: Use) -> None:
    found = "document.querySelector('#matches').textContent"
    marked = """app.flame.rows.flatMap((row) => row.node).filter(app.flame.isMatch).map((node) =>
        app.flame.labelOf(node))"""
    answers = use(
        "main;load;read 30\nmain;load 10\nmain;parse 40\n",
        *press("/"),
        {"type": "LOAD"},
        ask(found),
        ask(marked),
        *press("Enter"),
        ask(CHOSEN),
        *press("/"),
        {"type": "/^(read|parse)$/"},
        ask(found),
        ask(marked),
        *press("Escape"),
        ask(found),
    )
    assert answers == ["1 found, 50.0 %", ["load"], "load", "2 found, 87.5 %", ["parse", "read"], ""]


def test_the_table_shows_what_the_search_finds_and_sorts(use: Use) -> None:
    names = f"({ROWS}).map((row) => row.name)"
    answers = use(
        "main;load;read 30\nmain;load 10\nmain;parse 40\n",
        *press("3"),
        ask(names),
        {"click": "#table .head .total"},
        ask(names),
        {"click": "#table .head .name"},
        ask(names),
        *press("/"),
        {"type": "oa"},
        ask(names),
    )
    assert answers == [
        ["parse", "read", "load", "main"],
        ["main", "parse", "load", "read"],
        ["load", "main", "parse", "read"],
        ["load"],
    ]


def test_the_theme_is_the_systems_until_it_is_switched(use: Use) -> None:
    answers = use(
        "main 1\n",
        {"dark": False},
        ask(BACKGROUND),
        {"dark": True},
        ask(BACKGROUND),
        {"click": "#theme"},
        ask(BACKGROUND),
        *press("d"),
        ask(BACKGROUND),
    )
    assert answers == [LIGHT, DARK, LIGHT, DARK]


def test_what_was_lost_stands_at_the_top(use: Use) -> None:
    says = "document.querySelector('#losses summary').textContent"
    losses = """lossesOf({...app.recording, threshold: 1e-5, windowNs: 1e8, processes: [{truncated: true}],
        health: {...app.recording.health, ticks: 90, missed_ticks: 10, partial_stacks: 1}})"""
    nothing, some = use("main 1\n", ask(says), ask(losses))
    assert nothing == "Nothing lost"
    assert some == {
        "matters": True,
        "lines": [
            "the recording was cut: its end is missing",
            "10 ticks of 100 missed (10.0 %)",
            "1 stack partial: innermost frames are missing",
            "this page: calls below 0.001 % are put together",
            "this page: the timeline keeps order to 100 ms",
        ],
    }


def test_an_empty_recording_says_so(use: Use) -> None:
    shown = "!document.querySelector('#nothing').hidden"
    assert use("", ask(shown), *press("2", "3", "ArrowDown", "1", "t", "w"), ask(shown)) == [True, True]


def test_a_name_is_text_whatever_it_says(use: Use) -> None:
    name = "</script><img src=x onerror=alert(1)>"
    (names, images) = use(f"{name} 1\n", ask("app.recording.frames[0].name"), ask("document.images.length"))
    assert (names, images) == (name, 0)


# --- large recordings ---


def large_folded(functions: int, depth: int) -> str:
    """Many functions beside a deep stack, in ten thousand turns."""
    deep = "main" + ";down;up" * (depth // 2)
    lines = [f"main;package.module.function_{i % functions};helper_{i % 7} 1 {1000 + i}" for i in range(30_000)]
    lines[::1000] = [f"{deep};leaf_{i} 1 1000000" for i in range(30)]
    return "\n".join(lines) + "\n"


def test_of_deep_stacks_and_many_functions_only_what_is_in_sight_is_drawn(use: Use) -> None:
    drawn = """(() => {
        const view = app[app.view];
        let count = 0;
        view.context.fillRect = () => { count++; };
        const counts = [0, 20_000, 90_000].map((top) => {
            view.element.scrollTop = top;
            count = 0;
            view.draw();
            return count;
        });
        return [Math.max(...counts), Math.ceil(view.height / ROW + 1) * view.width];
    })()"""
    rows, flame, timeline, elements = use(
        large_folded(20_000, 5_000),
        ask("app.flame.rows.length"),
        ask(drawn),
        *press("2"),
        ask(drawn),
        *press("3", "PageDown", "PageDown"),
        ask("document.querySelectorAll('*').length"),
    )
    assert rows > 5_000
    for most, pixels in (flame, timeline):
        assert 0 < most <= pixels
    assert elements < 1_000
