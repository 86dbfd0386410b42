"""No stack that the recorder's walker accepts is one that the program cannot have had."""

from __future__ import annotations

import unittest
from collections.abc import Callable

from moving_programs import PROGRAMS, chains, recursion
from moving_stacks import sample_program


class StacksThatMove(unittest.TestCase):
    """As many samples of a running program as show a mistake that is made once in some thousand; those made more
    rarely are found by benchmarks/impossible_stacks.py, which takes millions. Where the cores are not free there are
    fewer: what must hold, holds for each."""

    samples_wanted = 1_000
    seconds = 0.1  # at most, for one program
    attempts = 20  # until there is a sample: a machine that is shared stands still now and then

    def setUp(self) -> None:
        self.accepted = self.failed = 0

    def tearDown(self) -> None:
        # Read while the program runs as fast as it can, some stacks never rest for as many tries as there are.
        assert self.failed <= self.accepted

    def check(self, body: Callable[[], None], depth: int, samples: int, interval_ns: int = 0) -> None:
        with self.subTest(program=body.__name__, depth=depth):
            for _ in range(self.attempts):
                outcome = sample_program(body, depth, samples, self.seconds, interval_ns)
                assert not outcome.impossible, outcome.told()
                self.accepted += outcome.accepted
                self.failed += outcome.failed
                if outcome.accepted > 0:
                    break
            assert outcome.accepted > 0

    def test_no_stack_is_impossible(self) -> None:
        for body in PROGRAMS:
            self.check(body, 0, self.samples_wanted)

    def test_no_deep_stack_is_impossible(self) -> None:
        for body in PROGRAMS:
            self.check(body, 40, self.samples_wanted)

    def test_no_stack_across_chunks_is_impossible(self) -> None:
        for body in PROGRAMS:
            self.check(body, 400, self.samples_wanted // 5)

    def test_no_stack_at_the_end_of_a_chunk_is_impossible(self) -> None:
        for depth in range(100, 180, 8):
            self.check(recursion, depth, self.samples_wanted // 10)

    def test_no_stack_sampled_at_a_rate_is_impossible(self) -> None:
        self.check(chains, 0, 300, interval_ns=100_000)


if __name__ == "__main__":
    unittest.main()
