"""Forks while other threads use malloc: forks.py FORKS CHILD_MS [AT_ONCE].

Each child works for that many milliseconds of CPU time and leaves, every other one by os._exit, which is how workers
do. Prints how many children ended well and how many had to be killed after 20 s.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

DEADLINE = 20.0


def use_malloc(stop: threading.Event) -> None:
    """Large and small blocks, through C code that gives the GIL up and code that does not."""
    while not stop.is_set():
        blocks = [bytes(size) for size in range(1, 200_000, 9_999)]
        b"".join(blocks)
        os.stat(".")


def child(milliseconds: float, number: int) -> None:
    """What a forked process does. Does not return."""
    until = time.process_time() + milliseconds / 1000
    while time.process_time() < until:
        sum(range(500))
    if number % 2:
        os._exit(0)
    sys.exit(0)


def reap(running: dict[int, float], counts: dict[str, int], at_most: int) -> None:
    """Wait until no more than `at_most` children run; kill those that hang."""
    while len(running) > at_most:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            del running[pid]
            counts["good" if status == 0 else "bad"] += 1
            continue
        for late in [pid for pid, begin in running.items() if time.monotonic() - begin > DEADLINE]:
            os.kill(late, signal.SIGKILL)
            counts["hung"] += 1
        time.sleep(0.0005)


def main() -> None:
    forks, milliseconds = int(sys.argv[1]), float(sys.argv[2])
    at_once = int(sys.argv[3]) if len(sys.argv) > 3 else 4
    stop = threading.Event()
    threads = [threading.Thread(target=use_malloc, args=(stop,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    running: dict[int, float] = {}
    counts = {"good": 0, "bad": 0, "hung": 0}
    for number in range(forks):
        pid = os.fork()
        if pid == 0:
            child(milliseconds, number)
        running[pid] = time.monotonic()
        reap(running, counts, at_once - 1)
    reap(running, counts, 0)
    stop.set()
    for thread in threads:
        thread.join()
    print("good {good}, bad {bad}, hung {hung}".format(**counts))


if __name__ == "__main__":
    main()
