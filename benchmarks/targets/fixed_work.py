"""Fixed amounts of work of five kinds, for measuring what sampling does to them.

Usage: fixed_work.py KIND ROUNDS. A round takes some 20 ms. Uses nothing that CPython 3.9 to 3.15 do not share.
"""

import asyncio
import json
import re
import sys
import threading
import time
import zlib

FAULTING_THREADS = 8
PAGE = 4096
PAGES = 256  # that each of those threads touches in a round


# --- mixed: pure Python, loops, containers, strings, some calls and generators ---


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def sieve(limit):
    flags = bytearray([1]) * limit
    for number in range(2, int(limit**0.5) + 1):
        if flags[number]:
            flags[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return sum(flags) - 2


def words(count):
    state = 1
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2147483648
        yield f"w{state % 997}"


def histogram(count):
    totals = {}
    for word in words(count):
        totals[word] = totals.get(word, 0) + len(word)
    return min(totals.items(), key=lambda item: (-item[1], item[0]))


def mixed():
    fib(17)
    sieve(60_000)
    histogram(20_000)


# --- calls: nothing but small functions, above a hundred frames ---


def descend(depth, function):
    return function() if depth == 0 else descend(depth - 1, function)


def calls():
    descend(100, lambda: fib(24))


# --- c_code: what programs spend in the standard library's C ---


def c_code():
    rows = [{"id": number, "name": f"item {number}", "tags": ["a", "b"], "price": number / 7} for number in range(1500)]
    text = json.dumps(rows)
    found = json.loads(text)
    found.sort(key=lambda row: (-row["price"], row["name"]))
    re.sub(r"item (\d+)", r"thing \1", text)


# --- tasks: coroutines that take turns ---


async def ask(number):
    total = 0
    for turn in range(80):
        total += sum(range(number % 7 + turn))
        await asyncio.sleep(0)
    return total


async def ask_all():
    return sum(await asyncio.gather(*(ask(number) for number in range(40))))


def tasks():
    asyncio.run(ask_all())


# --- page_faults: many threads, all of them getting memory, touching it and giving it back ---


def touch(cpu):
    before = time.thread_time()
    for _ in range(2):
        memory = bytearray(PAGE * PAGES)  # large enough for malloc to map it, and to unmap it after
        memory[::PAGE] = bytes([1]) * PAGES  # a fault for each page, with the GIL
        zlib.crc32(bytes(PAGE * PAGES))  # and without it
    cpu.append(time.thread_time() - before)


def page_faults():
    cpu = []
    threads = [threading.Thread(target=touch, args=(cpu,)) for _ in range(FAULTING_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(cpu)


KINDS = {function.__name__: function for function in (mixed, calls, c_code, tasks, page_faults)}


def work(kind, rounds):
    """Returns the CPU time, in seconds, of the threads that it started and that have ended."""
    function = KINDS[kind]
    return sum(function() or 0.0 for _ in range(rounds))


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
