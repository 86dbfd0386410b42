"""What collapsed stacks of folded text must be, worked out apart from the C++."""

from __future__ import annotations

from collections import Counter

from folded_model import Frame, Function, parse, unique_names

WEIGHTS = ("samples", "wall", "cpu", "gil")
# As the readers count: folded stacks, their numbers added up.
Stacks = Counter[tuple[str, ...]]


def frame_text(names: dict[Function, str], frame: Frame, by_line: bool) -> str:
    """As docs/formats/collapsed.md says."""
    function, executing = frame
    name = names[function].replace(";", r"\x3b")
    if not function.file:
        return name
    file = function.file.removeprefix("/src/").replace(";", r"\x3b")
    line = executing if by_line else function.first_line
    return f"{name} ({file}:{line})" if line else f"{name} ({file})"


def expected_stacks(folded: str, weight: str = "samples", *, by_line: bool = False) -> Stacks:
    lines = parse(folded)
    names = unique_names({function for line in lines for function, _ in line.frames})
    stacks: Stacks = Counter()
    for line in lines:
        texts = [frame_text(names, frame, by_line) for frame in line.frames]
        stacks[tuple(texts or ["[no Python frames]"])] += line.costs[WEIGHTS.index(weight)]
    return +stacks
