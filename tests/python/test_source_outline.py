"""Qualified names told from source, against those that compilers give."""

from __future__ import annotations

import pathlib
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable

import pytest

import gauge_testing
from gauge_testing import find_interpreters

MINORS = ("3.9", "3.10")
Question = tuple[str, str, str]  # file, co_name, co_firstlineno
Ask = Callable[[Iterable[Question]], list[str]]


@pytest.fixture
def ask(build_tool: Callable[[str], pathlib.Path]) -> Ask:
    """What the outlines answer, "" where nothing."""

    def ask(questions: Iterable[Question]) -> list[str]:
        text = "".join("\t".join(question) + "\n" for question in questions)
        result = gauge_testing.run([build_tool("gauge-outline")], stdin=text.encode())
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout.decode().split("\n")[:-1]

    return ask


@pytest.mark.parametrize("minor", MINORS)
def test_the_standard_library_is_named_as_its_compiler_names_it(minor: str, ask: Ask) -> None:
    interpreter = next((each for each in find_interpreters() if each.minor == minor), None)
    if interpreter is None:
        pytest.skip(f"no CPython {minor} on this machine")
    script = gauge_testing.REPOSITORY / "tests/python/dump_code_names.py"
    dump = gauge_testing.run([interpreter.path, "-I", script], timeout=150)
    assert dump.returncode == 0, dump.stderr.decode()

    rows = [line.split("\t") for line in dump.stdout.decode().split("\n")[:-1]]
    names = defaultdict(set)
    for file, name, line, qualified in rows:
        names[file, name, line].add(qualified)
    wanted = {question: found.copy().pop() if len(found) == 1 else "" for question, found in names.items()}
    answers = dict(zip(wanted, ask(wanted)))

    assert len(rows) > 30_000  # with its tests or without them
    assert {question: answer for question, answer in answers.items() if answer != wanted[question]} == {}
    # Several names on one line: a few dozen in the whole library.
    assert sum(answer == "" for answer in answers.values()) < len(rows) / 1000


def rewritten_letters() -> set[str]:
    """Letters that do not stay as they are, alone or because of what stands before them."""
    letters = {chr(code) for code in range(sys.maxunicode + 1) if f"a{chr(code)}".isidentifier()}
    seconds = {mark for letter in letters for mark in unicodedata.normalize("NFD", letter)[1:]}
    return (letters & seconds) | {each for each in letters if unicodedata.normalize("NFKC", f"a{each}") != f"a{each}"}


def test_a_name_that_the_compiler_rewrites_is_not_told(ask: Ask, tmp_path: pathlib.Path) -> None:
    kept = "zéøŁπЯжあアー大한"
    letters = [*kept, *rewritten_letters()]
    source = tmp_path / "letters.py"
    source.write_text("".join(f"class a{letter}:\n def f(self): pass\n" for letter in letters), "utf-8")
    answers = ask((str(source), "f", str(2 * index + 2)) for index in range(len(letters)))
    assert answers == [f"a{letter}.f" for letter in kept] + [""] * (len(letters) - len(kept))
