"""THREADS threads that read the sources of the standard library, over and over, for SECONDS: a real program, all busy.

Usage: read_library.py THREADS SECONDS. Each thread splits a file into tokens, parses it, walks over the tree and writes
it out as source again: recursion, generators, and code of a few hundred functions that nobody wrote for a benchmark.
Each begins at another file. Uses nothing that CPython 3.9 to 3.15 do not share.
"""

import ast
import collections
import io
import pathlib
import sys
import threading
import time
import tokenize

LARGEST_FILE = 100_000  # bytes


class Outline(ast.NodeVisitor):
    """Counts what names are bound and used for, and how deep they lie."""

    def __init__(self):
        self.names = collections.Counter()
        self.depth = 0
        self.deepest = 0

    def visit_FunctionDef(self, node):
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        self.names[node.name, "def"] += 1
        self.generic_visit(node)
        self.depth -= 1

    def visit_ClassDef(self, node):
        self.visit_FunctionDef(node)

    def visit_Name(self, node):
        self.names[node.id, type(node.ctx).__name__] += 1


def read(path):
    text = path.read_text(encoding="utf-8")
    kinds = collections.Counter(token.type for token in tokenize.generate_tokens(io.StringIO(text).readline))
    tree = ast.parse(text)
    outline = Outline()
    outline.visit(tree)
    return sum(kinds.values()), len(ast.unparse(tree)), outline.deepest


def library():
    folder = pathlib.Path(ast.__file__).parent
    files = (path for path in sorted(folder.glob("*.py")) if path.stat().st_size <= LARGEST_FILE)
    return list(files)


def work(files, first, end):
    number = first
    while time.monotonic() < end:
        read(files[number % len(files)])
        number += 1


def main(threads, seconds):
    end = time.monotonic() + seconds
    files = library()
    firsts = [number * len(files) // threads for number in range(threads)]
    workers = [threading.Thread(target=work, args=(files, first, end), name=f"reader-{first}") for first in firsts[1:]]
    for worker in workers:
        worker.start()
    work(files, firsts[0], end)
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
