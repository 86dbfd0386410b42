"""Draws an atlas of the standard library: how large it is, how well it packs, which of its names look alike.

A program worth recording: some seconds of real work on the sources of the very Python that runs it. One thread reads
and packs files (C code that releases the GIL), two parse them (C and recursive Python under the GIL), one fills a
database, and the main thread, at the end, compares names: the hot spot to be found. The amount of work is fixed.
"""

from __future__ import annotations

import ast
import collections
import hashlib
import itertools
import json
import pathlib
import queue
import re
import sqlite3
import sys
import sysconfig
import tempfile
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_FILES = 560
LARGEST_FILE = 250_000  # bytes
MOST_NAMES = 1_050
SKIPPED_FOLDERS = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "pydoc_data"}
PARSERS = 2

_WORD = re.compile(r"[A-Za-z][a-z]+")


@dataclass
class Source:
    """A file of the library, as the scanner found it."""

    path: pathlib.Path
    text: str
    packed_size: int
    digest: str


@dataclass
class Outline:
    """What the parser found in a source."""

    source: Source
    names: list[str] = field(default_factory=list)
    words: collections.Counter[str] = field(default_factory=collections.Counter)
    depth: int = 0


def library_files(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """The library's own modules in a fixed order, by a generator that calls itself; no tests, nothing installed."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in SKIPPED_FOLDERS:
                yield from library_files(path)
        elif path.suffix == ".py" and path.stat().st_size <= LARGEST_FILE:
            yield path


# Thread "scanner": reads, fingerprints and packs.


def pack(content: bytes) -> int:
    """Size after compression."""
    return len(zlib.compress(content, 9))


def fingerprint(content: bytes) -> str:
    """A digest slow enough to matter, as a checked archive would want it."""
    return hashlib.pbkdf2_hmac("sha256", content, b"atlas", 3_000).hex()


def scan(root: pathlib.Path, sources: queue.Queue[Source | None]) -> None:
    """Put every source of the library on the queue, then one None per parser."""
    for path in itertools.islice(library_files(root), MOST_FILES):
        content = path.read_bytes()
        sources.put(Source(path, content.decode(errors="replace"), pack(content), fingerprint(content)))
    for _ in range(PARSERS):
        sources.put(None)


# Threads "parser-1" and "parser-2": syntax trees, names and words.


def walk_tree(node: ast.AST, outline: Outline, depth: int = 0) -> None:
    """Note the names that the tree below `node` defines, and how deep it goes. Recursive, as trees are."""
    outline.depth = max(outline.depth, depth)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        outline.names.append(node.name)
    for child in ast.iter_child_nodes(node):
        walk_tree(child, outline, depth + 1)


def comment_lines(text: str) -> Iterator[str]:
    """A generator below a generator: the comments of a file, line by line."""
    for line in text.splitlines():
        code, mark, comment = line.partition("#")
        if mark and code.count('"') % 2 == 0:
            yield comment


def words_of(lines: Iterator[str]) -> Iterator[str]:
    """The words of some lines, in small letters."""
    for line in lines:
        for match in _WORD.finditer(line):
            yield match.group().lower()


def outline_of(source: Source) -> Outline:
    """Parse one source."""
    outline = Outline(source)
    walk_tree(ast.parse(source.text), outline)
    outline.words.update(words_of(comment_lines(source.text)))
    return outline


def parse(sources: queue.Queue[Source | None], outlines: queue.Queue[Outline | None]) -> None:
    """Turn sources into outlines until a None comes."""
    while True:
        source = sources.get()
        if source is None:
            outlines.put(None)
            return
        try:
            outlines.put(outline_of(source))
        except SyntaxError:
            continue  # a template that only looks like a module


# Thread "keeper": owns the database.


def store(database: sqlite3.Connection, outline: Outline) -> None:
    """Add one outline."""
    source = outline.source
    row = (source.path.name, len(source.text), source.packed_size, source.digest, outline.depth)
    module = database.execute("INSERT INTO module VALUES (NULL, ?, ?, ?, ?, ?)", row).lastrowid
    database.executemany("INSERT INTO name VALUES (?, ?)", ((module, name) for name in outline.names))
    database.executemany("INSERT INTO word VALUES (?, ?, ?)", ((module, *entry) for entry in outline.words.items()))


def keep(path: pathlib.Path, outlines: queue.Queue[Outline | None]) -> None:
    """Fill the database at `path` until every parser has ended."""
    database = sqlite3.connect(path)
    database.executescript(
        """
        CREATE TABLE module (id INTEGER PRIMARY KEY, name, size INTEGER, packed INTEGER, digest, depth INTEGER);
        CREATE TABLE name (module INTEGER, name);
        CREATE TABLE word (module INTEGER, word, count INTEGER);
        """
    )
    open_parsers = PARSERS
    while open_parsers:
        outline = outlines.get()
        if outline is None:
            open_parsers -= 1
        else:
            store(database, outline)
    database.commit()
    database.close()


# The main thread, when the others are done: questions to the database.


def edit_distance(left: str, right: str) -> int:
    """How many letters to add, drop or change. Here goes the time: quadratic, in pure Python, for every pair."""
    previous = list(range(len(right) + 1))
    for row, letter in enumerate(left, start=1):
        current = [row]
        for column, other in enumerate(right, start=1):
            current.append(min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + (letter != other)))
        previous = current
    return previous[-1]


def find_lookalikes(names: list[str]) -> list[tuple[str, str]]:
    """Pairs of different names that differ in one letter."""
    pairs = []
    for position, left in enumerate(names):
        for right in names[position + 1 :]:
            if left[0] == right[0] and abs(len(left) - len(right)) <= 1 and edit_distance(left, right) == 1:
                pairs.append((left, right))
    return pairs


def describe(database: sqlite3.Connection) -> dict[str, object]:
    """The atlas, as plain data."""
    modules, size, packed, depth = database.execute(
        "SELECT count(*), sum(size), sum(packed), max(depth) FROM module"
    ).fetchone()
    words = database.execute(
        "SELECT word FROM word WHERE length(word) > 4 GROUP BY word ORDER BY sum(count) DESC, word LIMIT 8"
    )
    names = database.execute(
        "SELECT DISTINCT name FROM name WHERE length(name) >= 6 ORDER BY length(name) DESC, name LIMIT ?", (MOST_NAMES,)
    )
    return {
        "modules": modules,
        "size": size,
        "packed": packed,
        "deepest_tree": depth,
        "commonest_words": [word for (word,) in words],
        "lookalikes": find_lookalikes([name for (name,) in names]),
    }


def build(folder: pathlib.Path) -> dict[str, object]:
    """Run the four threads, then ask."""
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    sources: queue.Queue[Source | None] = queue.Queue(maxsize=16)
    outlines: queue.Queue[Outline | None] = queue.Queue(maxsize=16)
    path = folder / "atlas.sqlite"
    threads = [
        threading.Thread(target=scan, name="scanner", args=(root, sources)),
        *(
            threading.Thread(target=parse, name=f"parser-{number}", args=(sources, outlines))
            for number in range(1, PARSERS + 1)
        ),
        threading.Thread(target=keep, name="keeper", args=(path, outlines)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite3.connect(path) as database:
        return describe(database)


def main() -> int:
    """Print the atlas as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        atlas = build(pathlib.Path(folder))
    json.dump(atlas, sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
