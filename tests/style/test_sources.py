"""Rules that every file of the tree keeps: length, comments, casts, versions, and nothing of the machine it is on."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterable

import pytest

from tree import REPOSITORY, Rule, is_cxx, numbered_code, violations

MAX_LINES = 400
MAX_TEST_LINES = 600  # a row of cases that do not depend on each other
# Longer files, each with its reason.
LONG_FILES: dict[str, str] = {}

# Files of recorder/cpython, besides the memory reader, that may turn bytes or addresses into pointers, with the reason.
POINTER_CASTS: dict[str, str] = {
    "recorder/cpython/process_source.cc": "asks the interpreter through its API, under the GIL",
}


def too_long(path: str, text: str) -> Iterable[str]:
    if path.endswith((".c", ".cc", ".h", ".py", ".sh")) and path not in LONG_FILES:
        lines = text.count("\n")
        limit = MAX_TEST_LINES if path.startswith("tests/") else MAX_LINES
        if lines > limit:
            yield f"{lines} lines, more than {limit}; split it, or give a reason in LONG_FILES"


def no_file_comment(path: str, text: str) -> Iterable[str]:
    """A header starts by saying what it is for."""
    if path.endswith(".h") and not text.startswith(("// ", "/* ")):
        yield "does not start with a comment that says what the file is for"
    if path.endswith(".h") and "\n#pragma once\n" not in text and "\n#ifndef GAUGE_" not in text:
        yield "has no #pragma once"


# What may stand right before a declaration: its comment, or a constant that shares it.
COMMENTS = ("//", "/*", " *", "template", "inline constexpr")
_DECLARATION = re.compile(r"^(?:\[\[nodiscard\]\] )?\w[\w:<>,&* ]*[ &*]\w+\(.*[;{]$")


def undocumented_functions(path: str, text: str) -> Iterable[str]:
    """A free function declared in a header has a doc comment, or stands right below one that has, as its sibling."""
    if not path.endswith(".h") or path.startswith("tests/") or re.search(r"_3_\d+\.h$", path):
        return  # what one CPython has is one of a row, described where it is included
    before = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if _DECLARATION.match(line) and not before.startswith(COMMENTS) and not _DECLARATION.match(before):
            yield f"line {number}: no comment says what this does: {line}"
        before = line


def versions_outside_cpython(path: str, text: str) -> Iterable[str]:
    if is_cxx(path) and not path.startswith(("recorder/cpython/", "tests/recorder/cpython/")):
        for number, line in numbered_code(text):
            if "PY_VERSION_HEX" in line or "PY_MINOR_VERSION" in line:
                yield f"line {number}: differences between CPython versions belong in recorder/cpython"


def pointer_casts(path: str, text: str) -> Iterable[str]:
    """Interpreter memory is read through MemoryReader, so nothing else there makes pointers of what it read."""
    if not path.startswith("recorder/cpython/") or "/memory_reader" in path or path in POINTER_CASTS:
        return
    for number, line in numbered_code(text):
        for target in re.findall(r"reinterpret_cast<([^>]*)>", line):
            if "*" in target:
                yield f"line {number}: cast to {target}; read through MemoryReader, or give a reason in POINTER_CASTS"


def machine_roots() -> list[str]:
    """Folders that exist where this checkout is, and not on a reader's machine."""
    common = {"/usr/", "/tmp/", "/var/", "/opt/", "/mnt/", "/srv/"}
    roots = {f"/{folder.parts[1]}/" for folder in (REPOSITORY, pathlib.Path.home()) if len(folder.parts) > 1}
    return sorted(roots - common)


# In two pieces, so that this file does not name what it forbids.
_HOSTS = re.compile(r"pypi\." r"org|pythonhosted\." r"org|npmjs\." r"(?:org|com)|deb\.debian\." r"org")


def names_of_machines(path: str, text: str) -> Iterable[str]:
    roots = machine_roots()
    for number, line in enumerate(text.splitlines(), start=1):
        for root in roots:
            if re.search(rf"(?<![\w.~$}})*>/-]){re.escape(root)}", line):
                yield f"line {number}: a path of somebody's machine ({root})"
        if _HOSTS.search(line):
            yield f"line {number}: names the host of a package registry; say which package of what kind"


def trailing_dust(path: str, text: str) -> Iterable[str]:
    if path.startswith(("tests/golden/", "tests/fuzz/corpus/", "schemas/opentelemetry/")) or not text:
        return
    if not text.endswith("\n"):
        yield "does not end with a newline"
    for number, line in enumerate(text.split("\n"), start=1):
        if line != line.rstrip():
            yield f"line {number}: space at its end"


RULES = [
    too_long,
    no_file_comment,
    undocumented_functions,
    versions_outside_cpython,
    pointer_casts,
    names_of_machines,
    trailing_dust,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    assert violations(rule) == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (too_long, "cli/main.cc", "\n" * (MAX_LINES + 1)),
        (no_file_comment, "cli/a.h", "#pragma once\n"),
        (no_file_comment, "cli/a.h", "// Does a thing.\n"),
        (undocumented_functions, "cli/a.h", "\n[[nodiscard]] int answer(int question);\n"),
        (undocumented_functions, "cli/a.h", "\nstd::span<const Format> formats() noexcept;\n"),
        (versions_outside_cpython, "recorder/recorder.cc", "#if PY_VERSION_HEX >= 0x030c0000\n"),
        (pointer_casts, "recorder/cpython/stack_walker.cc", "auto* frame = reinterpret_cast<const Frame*>(address);\n"),
        (names_of_machines, "README.md", "Look into /" + str(pathlib.Path.home()).split("/")[1] + "/notes.\n"),
        (names_of_machines, "README.md", "pip install --index-url https://pypi." + "org/simple gauge\n"),
        (trailing_dust, "README.md", "word \n"),
        (trailing_dust, "README.md", "word"),
    ],
)
def test_a_file_that_breaks_the_rule_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text))


def test_every_exception_names_a_file_that_exists() -> None:
    assert [path for path in (*LONG_FILES, *POINTER_CASTS) if not (REPOSITORY / path).is_file()] == []
