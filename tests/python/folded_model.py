"""What folded text must come to in any format, worked out apart from the C++: the oracle of the consumer tests.

The syntax of the text is described in tests/support/profile_of.h; here it is read in the plainest way. Costs are
quadruples of integers (samples, wall ns, CPU ns, wall ns with the GIL), and every sum follows the words of
docs/formats/, one sample at a time.
"""

from __future__ import annotations

import pathlib
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import gauge_testing

GOLDEN = gauge_testing.REPOSITORY / "tests/golden"
Costs = tuple[int, int, int, int]
NOTHING: Costs = (0, 0, 0, 0)


def fold_to(format_name: str, folded: str, output: pathlib.Path, *options: str) -> pathlib.Path:
    """Write the profile in a format of the table, with the test tool of the build; return `output`.

    options: words of gauge-fold-to, such as "line" or "cpu".
    """
    tool = gauge_testing.executable_path().parent.parent / "tests/gauge-fold-to"
    with output.open("wb") as sink:
        subprocess.run([tool, format_name, *options], input=folded.encode(), stdout=sink, check=True, timeout=120)
    return output


def add(first: Costs, second: Costs) -> Costs:
    """Both together."""
    return (first[0] + second[0], first[1] + second[1], first[2] + second[2], first[3] + second[3])


@dataclass(frozen=True)
class Function:
    """A code object."""

    module: str
    qualified_name: str
    file: str
    first_line: int


Frame = tuple[Function, int]  # and the executing line; that a column tells nothing apart is the point
Thread = tuple[int, str]  # pid and name


@dataclass(frozen=True)
class Line:
    """Samples of one stack in one thread."""

    thread: Thread
    frames: tuple[Frame, ...]
    costs: Costs


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)


def _frame(text: str) -> Frame:
    match = re.fullmatch(r"(.*?)(?:@(.*?)(?::(\d+))?(?::(\d+)(?::\d+)?)?)?", text, re.DOTALL)
    assert match
    name, file, first, line = match.groups()
    module, colons, qualified_name = name.partition("::")
    if not colons:
        module, qualified_name = "", name
    first_line = int(first or 1)
    function = Function(
        _unescape(module), _unescape(qualified_name), _unescape("prog.py" if file is None else file), first_line
    )
    return function, int(line or first_line)


def parse(folded: str) -> list[Line]:
    """The lines of folded text that carry samples."""
    lines = []
    for text in folded.splitlines():
        if not text or text.startswith(("#", "~ ")):
            continue
        match = re.fullmatch(r"(?:\[(?:(\d+)/)?(.*?)\] )?(.*?) (\d+)(?: (\d+))?(?: (\d+))?( gil)?", text)
        assert match, text
        pid, thread, stack, samples, wall, cpu, gil = match.groups()
        frames = () if stack == "-" else tuple(_frame(part) for part in re.split(r"(?<!\\);", stack))
        costs = (int(samples), int(wall or samples), int(cpu or 0), int(wall or samples) if gil else 0)
        lines.append(Line((int(pid or 1), thread or "MainThread"), frames, costs))
    return lines


def one_line(text: str) -> str:
    """Text with control characters spelled out."""
    return re.sub(r"[\0-\x1f\x7f]", lambda c: {"\n": r"\n", "\t": r"\t"}.get(c[0], f"\\x{ord(c[0]):02x}"), text)


def unique_names(functions: Iterable[Function]) -> dict[Function, str]:
    """Names as docs/formats/callgrind.md gives them: dotted, then with line, then with file, where they are shared."""
    names: dict[Function, str] = {}
    shared = set(functions)
    for lengthen in (
        lambda f: f"{f.module}.{f.qualified_name}" if f.module else f.qualified_name,
        lambda f: f"{names[f]}:{f.first_line}",
        lambda f: f"{names[f]} ({f.file})",
    ):
        names.update({function: one_line(lengthen(function)) for function in shared})
        counts = Counter(names.values())
        shared = {function for function in names if counts[names[function]] > 1}
    assert not shared
    return names


@dataclass
class Edge:
    """Costs of a caller's calls of a callee."""

    inclusive: Costs = NOTHING
    own: Costs = NOTHING
    outermost: int = 0
    occurrences: int = 0


@dataclass
class Model:
    """Everything the call-graph formats state, by function."""

    names: dict[Function, str]
    total: Costs = NOTHING
    own: dict[Function, Costs] = field(default_factory=dict)
    own_by_line: dict[Frame, Costs] = field(default_factory=dict)
    inclusive: dict[Function, Costs] = field(default_factory=dict)
    occurrences: Counter[Function] = field(default_factory=Counter)
    edges: dict[tuple[Frame, Function], Edge] = field(default_factory=dict)  # by call site
    roots: dict[tuple[Thread, Function], Costs] = field(default_factory=dict)
    threads: dict[Thread, Costs] = field(default_factory=dict)
    without_frames: dict[Thread, Costs] = field(default_factory=dict)

    def edges_of_functions(self) -> dict[tuple[Function, Function], Edge]:
        """Edges with the call sites of a caller taken together."""
        sums: dict[tuple[Function, Function], Edge] = {}
        for ((caller, _), callee), edge in self.edges.items():
            known = sums.setdefault((caller, callee), Edge())
            known.inclusive = add(known.inclusive, edge.inclusive)
            known.own = add(known.own, edge.own)
            known.outermost += edge.outermost
            known.occurrences += edge.occurrences
        return sums


def _count(sums: dict[Hashable, Costs], key: Hashable, costs: Costs) -> None:
    sums[key] = add(sums.get(key, NOTHING), costs)


def _count_frames(model: Model, frames: Sequence[Frame], costs: Costs) -> None:
    seen: set[Function] = set()
    for depth, (function, _) in enumerate(frames):
        model.occurrences[function] += costs[0]
        is_outermost = function not in seen
        seen.add(function)
        if is_outermost:
            _count(model.inclusive, function, costs)  # type: ignore[arg-type]
        if depth == 0:
            continue
        edge = model.edges.setdefault((frames[depth - 1], function), Edge())
        edge.occurrences += costs[0]
        if is_outermost:
            edge.inclusive = add(edge.inclusive, costs)
            edge.outermost += costs[0]
        if depth == len(frames) - 1:
            edge.own = add(edge.own, costs)


def model_of(folded: str) -> Model:
    """The model of a folded text."""
    lines = parse(folded)
    model = Model(unique_names({function for line in lines for function, _ in line.frames}))
    for line in lines:
        model.total = add(model.total, line.costs)
        _count(model.threads, line.thread, line.costs)  # type: ignore[arg-type]
        if not line.frames:
            _count(model.without_frames, line.thread, line.costs)  # type: ignore[arg-type]
            continue
        _count(model.roots, (line.thread, line.frames[0][0]), line.costs)  # type: ignore[arg-type]
        _count(model.own, line.frames[-1][0], line.costs)  # type: ignore[arg-type]
        _count(model.own_by_line, line.frames[-1], line.costs)  # type: ignore[arg-type]
        _count_frames(model, line.frames, line.costs)
    return model


def random_folded(seed: int, stacks: int = 400) -> str:
    """Stacks in which few functions recur much: recursion of every kind, equal names, several threads and processes."""
    choose = random.Random(seed)
    functions = [
        f"{module}::{name}@/src/{module.replace('.', '/')}/{file}:{line}"
        for module in ("app", "app.core", "lib")
        for name in ("run", "Task.__init__", "<module>", "größe")
        for file, line in (("__init__.py", 1), ("__init__.py", 20), ("other.py", 1))
    ]

    def line() -> str:
        few = choose.sample(functions, 4)
        depth = choose.choice((1, 2, 5, 12))
        columns = ("", ":5", ":17")
        frames = ";".join(
            f"{choose.choice(few)}:{choose.choice((0, 3, 7))}{choose.choice(columns)}" for _ in range(depth)
        )
        stack = "-" if choose.random() < 0.02 else frames
        samples = choose.randint(1, 9)
        wall = choose.randint(samples, 10 ** choose.choice((4, 9, 15)))
        thread = f"{choose.choice((70, 90))}/{choose.choice(('MainThread', 'Pool', 'idle'))}"
        gil = choose.choice(("", " gil"))
        return f"[{thread}] {stack} {samples} {wall} {choose.randint(0, wall)}{gil}"

    return "\n".join(line() for _ in range(stacks)) + "\n"


def deep_folded() -> str:
    """A stack of 5 000 frames of two functions that call each other, and a short one beside it."""
    pair = ";down@/src/deep.py:3:4;up@/src/deep.py:8:9" * 2500
    return f"main@/src/deep.py:1:12{pair} 6 60000000 50000000\nmain@/src/deep.py:1:13 1 10000000 10000000\n"


CASES: dict[str, Callable[[], str]] = {
    "program": (GOLDEN / "program.folded").read_text,
    "processes": (GOLDEN / "processes.folded").read_text,
    "deep": deep_folded,
    **{f"random-{seed}": (lambda seed=seed: random_folded(seed)) for seed in range(1, 6)},  # type: ignore[misc]
}
