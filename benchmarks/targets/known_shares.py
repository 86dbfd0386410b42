"""A program that knows where its time goes.

Usage: known_shares.py KIND SECONDS TRUTH. Calls its parts in turns, each for some milliseconds, and writes to the file
TRUTH what each took, in seconds of wall time, as a JSON array; its last item is what the loop that calls them took.
KIND says what a part does meanwhile, and when:

    standing   looks at the clock; order and times are random
    moving     calls small functions, some of them deep, so that its stack never stands still; likewise random
    periodic   looks at the clock; 0.3 ms of one part, 0.7 ms of another, in step with a sampler of 1 kHz

Uses nothing that CPython 3.9 to 3.15 do not share.
"""

import json
import random
import sys
import time

SHARES = (0.4, 0.3, 0.15, 0.1, 0.05)
MEAN_SECONDS = 0.002
PERIODIC_SHARES = (0.3, 0.7)
PERIOD_SECONDS = 0.001

now = time.perf_counter


def stand(until):
    while now() < until:
        pass


def fall(depth):
    return fall(depth - 1) if depth > 0 else now()


def move(until):
    while fall(1) < until and fall(12) < until and fall(4) < until:
        pass


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


def follow_schedule(spend, schedule):
    """Seconds of each part, and of the loop itself."""
    spent = [0.0] * len(PARTS)
    start = now()
    for part, duration in schedule:
        begin = now()
        PARTS[part](spend, begin + duration)
        spent[part] += now() - begin
    return with_rest(spent, now() - start)


def take_turns(seconds):
    """Seconds of each part, of two that take turns, and of the loop itself."""
    spent = [0.0] * len(PERIODIC_SHARES)
    start = now()
    for period in range(round(seconds / PERIOD_SECONDS)):
        until = period
        for part, share in enumerate(PERIODIC_SHARES):
            until += share
            begin = now()
            PARTS[part](stand, start + until * PERIOD_SECONDS)
            spent[part] += now() - begin
    return with_rest(spent, now() - start)


def with_rest(spent, total):
    return [*spent, total - sum(spent)]


def measure(kind, seconds):
    if kind == "periodic":
        return take_turns(seconds)
    return follow_schedule(stand if kind == "standing" else move, drawn(seconds))


if __name__ == "__main__":
    spent_in_parts = measure(sys.argv[1], float(sys.argv[2]))
    with open(sys.argv[3], "w") as file:
        json.dump(spent_in_parts, file)
