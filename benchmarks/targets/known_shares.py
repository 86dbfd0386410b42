"""A program that knows where its time goes.

Usage: known_shares.py KIND SECONDS TRUTH. Calls its parts in turns, each for some milliseconds, and writes to the file
TRUTH what each took, in seconds, as a JSON object: an array of wall time, one of CPU time and one of the time that it
held the GIL. The last item of each is what the loop that calls the parts took. KIND says what a part does meanwhile,
and when:

    standing   looks at the clock; order and times are random
    moving     calls small functions, some of them deep, so that its stack never stands still; likewise random
    periodic   looks at the clock; 0.3 ms of one part, 0.7 ms of another, in step with a sampler of 1 kHz
    mixed      some parts look at the clock, one sleeps, two are in C and have given up the GIL; random

Uses nothing that CPython 3.9 to 3.15 do not share.
"""

import hashlib
import json
import random
import sys
import time

SHARES = (0.4, 0.3, 0.15, 0.1, 0.05)
MEAN_SECONDS = 0.002
PERIODIC_SHARES = (0.3, 0.7)
PERIOD_SECONDS = 0.001

BLOCK = bytes(1 << 20)  # hashed in about a millisecond

now = time.perf_counter


def stand(until):
    while now() < until:
        pass


def fall(depth):
    return fall(depth - 1) if depth > 0 else now()


def move(until):
    while fall(1) < until and fall(12) < until and fall(4) < until:
        pass


class Meter:
    """Seconds of each part, and of the loop that calls them."""

    def __init__(self, parts):
        self.wall = [0.0] * parts
        self.cpu = [0.0] * parts
        self.gil = [0.0] * parts
        self.released = 0.0  # of the part that is running: without the GIL
        self.hasher = hashlib.sha256()
        self.start = now(), time.thread_time()

    def sleep(self, until):
        begin = now()
        time.sleep(max(0.0, until - begin))
        self.released += now() - begin

    def hash(self, until):
        while now() < until:
            begin = now()
            self.hasher.update(BLOCK)  # has the GIL for a microsecond at either end
            self.released += now() - begin

    def call(self, part, spend, until):
        self.released = 0.0
        cpu, begin = time.thread_time(), now()
        PARTS[part](spend, until)
        wall = now() - begin
        self.wall[part] += wall
        self.cpu[part] += time.thread_time() - cpu
        self.gil[part] += wall - self.released

    def result(self):
        wall = now() - self.start[0] - sum(self.wall)
        cpu = time.thread_time() - self.start[1] - sum(self.cpu)
        return {"wall": [*self.wall, wall], "cpu": [*self.cpu, cpu], "gil": [*self.gil, wall]}


def part_0(spend, until):
    spend(until)


def part_1(spend, until):
    spend(until)


def part_2(spend, until):
    spend(until)


def part_3(spend, until):
    spend(until)


def part_4(spend, until):
    spend(until)


PARTS = (part_0, part_1, part_2, part_3, part_4)


def drawn(seconds):
    """Parts and their times, drawn at random: made beforehand, so that between the parts there is next to nothing."""
    choice = random.Random(20261126)
    schedule = []
    while seconds > 0:
        (part,) = choice.choices(range(len(PARTS)), SHARES)
        schedule.append((part, choice.expovariate(1 / MEAN_SECONDS)))
        seconds -= schedule[-1][1]
    return schedule


def follow_schedule(meter, spend, schedule):
    for part, duration in schedule:
        meter.call(part, spend[part], now() + duration)


def take_turns(meter, seconds):
    """Two parts, on a grid of time that is fixed when they begin."""
    start = now()
    for period in range(round(seconds / PERIOD_SECONDS)):
        until = period
        for part, share in enumerate(PERIODIC_SHARES):
            until += share
            meter.call(part, stand, start + until * PERIOD_SECONDS)


def measure(kind, seconds):
    if kind == "periodic":
        meter = Meter(len(PERIODIC_SHARES))
        take_turns(meter, seconds)
        return meter.result()
    schedule = drawn(seconds)
    meter = Meter(len(SHARES))
    spend = {
        "standing": [stand] * len(SHARES),
        "moving": [move] * len(SHARES),
        "mixed": [meter.hash, stand, meter.sleep, stand, meter.hash],
    }
    follow_schedule(meter, spend[kind], schedule)
    return meter.result()


if __name__ == "__main__":
    truth = measure(sys.argv[1], float(sys.argv[2]))
    with open(sys.argv[3], "w") as file:
        json.dump(truth, file)
