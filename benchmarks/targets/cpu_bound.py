"""A fixed amount of pure Python work: calls, loops, containers, strings, and some generators.

Usage: cpu_bound.py ROUNDS. One round takes some 20 ms.
"""

import sys


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


def main(rounds):
    for _ in range(rounds):
        fib(17)
        sieve(60_000)
        histogram(20_000)


if __name__ == "__main__":
    main(int(sys.argv[1]))
