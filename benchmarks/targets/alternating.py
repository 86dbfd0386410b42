"""Work of fixed_work.py in pieces, some sampled and some not, in one process; prints what each took, as JSON.

Usage: alternating.py RECORDING RATE QUADRUPLES KIND ROUNDS, with gauge importable. RATE 0 = never sampled. A piece is
ROUNDS rounds of work. A quadruple is four pieces: paused, sampled, sampled, paused, or the other way round, so that a
steady drift of the machine falls out. Prints for each [wall paused, wall sampled, CPU paused, CPU sampled] in seconds,
CPU being that of the threads that do the work, and the number of samples that were taken.
"""

import json
import random
import sys
import time

import fixed_work

import gauge


def piece(kind, rounds):
    """Seconds of wall and of CPU time."""
    wall, cpu = time.perf_counter(), time.thread_time()
    of_others = fixed_work.work(kind, rounds)
    return time.perf_counter() - wall, time.thread_time() - cpu + of_others


def quadruple(sample, pause, kind, rounds):
    wall, cpu = [0.0, 0.0], [0.0, 0.0]
    # In one order or the other: the collector may come in every fourth piece, and would always hit the same.
    first = random.randrange(2)
    for sampled in (first, 1 - first, 1 - first, first):
        (sample if sampled else pause)()
        took = piece(kind, rounds)
        wall[sampled] += took[0]
        cpu[sampled] += took[1]
    return [*wall, *cpu]


def main(path, rate, quadruples, kind, rounds):
    recorder = gauge.Recorder(path, rate=rate or 100.0)
    with recorder:
        recorder.pause()
        sample = recorder.resume if rate else recorder.pause
        results = [quadruple(sample, recorder.pause, kind, rounds) for _ in range(quadruples)]
    print(json.dumps({"quadruples": results, "samples": recorder.stats.samples}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
