"""What the corpus is made from: threads, recursion, generators and classes, for a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator


class Tree:
    def __init__(self, depth: int) -> None:
        self.branches = [Tree(depth - 1) for _ in range(2)] if depth > 0 else []

    def leaves(self) -> Iterator[int]:
        if not self.branches:
            yield sum(range(200))
        for branch in self.branches:
            yield from branch.leaves()


def work(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(leaf for leaf in Tree(5).leaves() if (lambda value: value > 0)(leaf))


if __name__ == "__main__":
    threads = [threading.Thread(target=work, args=(0.02,), name=f"worker {i}") for i in range(2)]
    for thread in threads:
        thread.start()
    work(0.02)
    for thread in threads:
        thread.join()
