"""The files of the repository, for the tests that hold the whole tree to its rules."""

from __future__ import annotations

import functools
import pathlib
import re
import subprocess
from collections.abc import Callable, Iterable

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

# A rule takes a path, relative to the repository, and the file's text, and says what is wrong: "line 3: ...".
Rule = Callable[[str, str], Iterable[str]]


@functools.cache
def files() -> dict[str, str]:
    """Every text file that is or could be committed, by its path relative to the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout.decode()
    found = {}
    for path in filter(None, listing.split("\0")):
        whole = REPOSITORY / path
        if not whole.is_file() or whole.is_symlink():
            continue
        content = whole.read_bytes()
        if b"\0" not in content:
            found[path] = content.decode(errors="replace")
    return found


def violations(rule: Rule) -> list[str]:
    """What `rule` finds wrong in the whole tree, one line each."""
    return [f"{path}: {complaint}" for path, text in files().items() for complaint in rule(path, text)]


def is_cxx(path: str) -> bool:
    return path.endswith((".c", ".cc", ".h"))


def numbered_code(text: str) -> Iterable[tuple[int, str]]:
    """The lines of a C++ file with their numbers, without comments that end on their line."""
    for number, line in enumerate(text.splitlines(), start=1):
        yield number, re.sub(r"//.*|/\*.*?\*/", "", line)


def includes(text: str) -> Iterable[tuple[int, str]]:
    """What a C++ file includes, with line numbers, without quotes or brackets."""
    for number, line in numbered_code(text):
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if match:
            yield number, match[1]
