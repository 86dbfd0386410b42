"""THREADS threads, each DEPTH frames deep, calling small functions for SECONDS.

Usage: threads.py THREADS DEPTH SECONDS. Uses nothing that CPython 3.9 to 3.15 do not share.
"""

import sys
import threading
import time


def leaf(n):
    return sum(range(n))


def work(end):
    calls = 0
    while time.monotonic() < end:
        leaf(50)
        calls += 1
    return calls


def descend(depth, end):
    if depth <= 0:
        return work(end)
    return descend(depth - 1, end)


def main(threads, depth, seconds):
    end = time.monotonic() + seconds
    # A worker stands on _bootstrap, _bootstrap_inner and run; work and leaf are above descend: so DEPTH in all.
    workers = [
        threading.Thread(target=descend, args=(depth - 6, end), name=f"worker-{number}")
        for number in range(threads - 1)
    ]
    for worker in workers:
        worker.start()
    descend(depth - 5, end)
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
