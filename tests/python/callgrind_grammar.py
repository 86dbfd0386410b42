"""Reads a Callgrind file as strictly as the format is specified, and as its readers need it beyond that.

Specification: https://valgrind.org/docs/manual/cl-format.html, "File Format". Everything not understood is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

Costs = tuple[int, ...]
Symbol = tuple[str, str, str]  # object, file, function

HEADER = ("version", "creator", "pid", "cmd", "desc", "positions", "event", "events", "summary")


@dataclass
class Call:
    """A calls= line and the cost line after it."""

    caller: Symbol
    line: int
    callee: Symbol
    target_line: int
    count: int
    costs: Costs


@dataclass
class CallgrindFile:
    """What a file says."""

    header: list[tuple[str, str]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    own: dict[tuple[Symbol, int], Costs] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    functions: list[Symbol] = field(default_factory=list)  # in the order of their blocks
    totals: Costs = ()


class Names:
    """One space of compressed names: "(3) text" defines, "(3)" refers."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}

    def resolve(self, text: str) -> str:
        match = re.fullmatch(r"\((\d+)\)(?: (.+))?", text)
        assert match, f"no compressed name: {text!r}"
        number = int(match[1])
        if match[2] is None:
            return self.texts[number]
        assert number not in self.texts, f"defined twice: {text!r}"
        assert number == len(self.texts) + 1, f"ids are not dense: {text!r}"
        self.texts[number] = match[2]
        return match[2]


class _Parser:
    def __init__(self, text: str) -> None:
        assert text.endswith("\n")
        assert not re.search(r"[^\n -~\u0080-\U0010ffff]", text), "control characters"
        self.lines: Iterator[str] = iter(text.split("\n")[:-1])
        self.file = CallgrindFile()
        self.spaces = {"ob": Names(), "fl": Names(), "fn": Names()}

    def parse(self) -> CallgrindFile:
        assert next(self.lines) == "# callgrind format"
        self.parse_header()
        for line in self.lines:
            if line.startswith("ob="):
                self.parse_block(line)
            elif line.startswith("totals: "):
                self.file.totals = self.costs(line.removeprefix("totals: "))
                assert next(self.lines, None) is None, "something after totals"
            else:
                assert line == "", line
        assert self.file.totals == self.costs(dict(self.file.header)["summary"])
        return self.file

    def parse_header(self) -> None:
        for line in self.lines:
            if not line:
                break
            key, colon, value = line.partition(": ")
            assert colon, line
            self.file.header.append((key, value))
        keys = [key for key, _ in self.file.header]
        assert [HEADER.index(key) for key in keys] == sorted(HEADER.index(key) for key in keys), keys
        values = dict(self.file.header)
        assert values["version"] == "1"
        assert values["positions"] == "line"
        assert re.fullmatch(r"\d+", values.get("pid", "0"))
        self.file.events = values["events"].split(" ")
        described = [value.split(" : ")[0] for key, value in self.file.header if key == "event"]
        assert described == self.file.events
        assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", event) for event in self.file.events)
        assert all(re.fullmatch(r"[A-Za-z ]+: .+", value) for key, value in self.file.header if key == "desc")

    def parse_block(self, line: str) -> None:
        obj = self.name("ob", line)
        file = self.name("fl", next(self.lines))
        symbol = (obj, file, self.name("fn", next(self.lines)))
        assert symbol not in self.file.functions, f"two blocks of {symbol}"
        self.file.functions.append(symbol)
        for line in self.lines:
            if not line:
                return
            if line[0].isdigit():
                number, costs = self.cost_line(line)
                assert (symbol, number) not in self.file.own, f"two lines {number} of {symbol}"
                self.file.own[symbol, number] = costs
            else:
                self.parse_call(symbol, line)

    def parse_call(self, caller: Symbol, line: str) -> None:
        obj, file, _ = caller
        if line.startswith("cob="):
            obj, line = self.name("ob", line[1:]), next(self.lines)
        if line.startswith("cfi="):
            file, line = self.name("fl", line.replace("cfi", "fl")), next(self.lines)
        callee = (obj, file, self.name("fn", line.removeprefix("c")))
        match = re.fullmatch(r"calls=([1-9]\d*) (\d+)", next(self.lines))
        assert match
        number, costs = self.cost_line(next(self.lines))
        self.file.calls.append(Call(caller, number, callee, int(match[2]), int(match[1]), costs))

    def name(self, key: str, line: str) -> str:
        assert line.startswith(key + "="), f"expected {key}=, not {line!r}"
        return self.spaces[key].resolve(line.removeprefix(key + "="))

    def costs(self, text: str) -> Costs:
        assert re.fullmatch(r"\d+( \d+)*", text), text
        costs = tuple(int(number) for number in text.split(" "))
        assert len(costs) == len(self.file.events)
        return costs

    def cost_line(self, line: str) -> tuple[int, Costs]:
        position, _, costs = line.partition(" ")
        return int(position), self.costs(costs)


def parse_callgrind(text: str) -> CallgrindFile:
    """The content of a file. AssertionError where it is not what it must be."""
    return _Parser(text).parse()
