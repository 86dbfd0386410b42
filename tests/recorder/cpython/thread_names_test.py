"""What ThreadNames reads of real threads, on the interpreter that runs this."""

# ruff: noqa: PT009 - unittest, since the interpreters under test have no pytest
from __future__ import annotations

import _thread
import subprocess
import sys
import threading
import unittest
from collections.abc import Callable
from typing import Any

import names_probe


def name_of(thread: threading.Thread) -> bytes:
    return names_probe.thread_name(thread.ident, thread.native_id)


def ids() -> tuple[int, int]:
    return threading.get_ident(), threading.get_native_id()


class Running:
    """A started thread that stays until the block ends."""

    def __init__(self, make: Callable[..., threading.Thread] = threading.Thread, **arguments: Any) -> None:
        self.release = threading.Event()
        self.thread = make(target=self.release.wait, **arguments)

    def __enter__(self) -> threading.Thread:
        self.thread.start()
        return self.thread

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self.thread.join()


class NamesOfThreads(unittest.TestCase):
    def test_main_thread(self) -> None:
        self.assertEqual(name_of(threading.main_thread()), b"MainThread")

    def test_names_as_given(self) -> None:
        for name in ("worker", "a;b c\n", "f\u00e9", "\u540d\u524d", "\U0001f40d", "x" * 10_000, "\udc80"):
            with Running(name=name) as thread:
                self.assertEqual(name_of(thread), name.encode("utf-8", "surrogatepass"))

    def test_names_made_by_threading(self) -> None:
        with Running() as thread:
            self.assertEqual(name_of(thread), thread.name.encode())

    def test_new_name_is_seen(self) -> None:
        with Running(name="before") as thread:
            self.assertEqual(name_of(thread), b"before")
            thread.name = "after; \u540d"
            self.assertEqual(name_of(thread), "after; \u540d".encode())

    def test_subclasses(self) -> None:
        class Plain(threading.Thread):
            pass

        class WithAttributes(threading.Thread):
            def __init__(self, **arguments: Any) -> None:
                self.first = 1  # before _name: another place among the shared keys
                super().__init__(**arguments)
                self.last = 2

        class WithSlots(threading.Thread):
            __slots__ = ("one", "two")

        for kind in (Plain, WithAttributes, WithSlots):
            with Running(kind, name=f"a {kind.__name__}") as thread:
                self.assertEqual(name_of(thread), b"a " + kind.__name__.encode())

    def test_thread_whose_dict_was_asked_for(self) -> None:
        with Running(name="with dict") as thread:
            thread.__dict__["extra"] = 1
            self.assertEqual(name_of(thread), b"with dict")
            for i in range(100):
                setattr(thread, f"attribute{i}", i)
            self.assertEqual(name_of(thread), b"with dict")
            thread.name = "renamed"
            self.assertEqual(name_of(thread), b"renamed")

    def test_thread_whose_dict_was_replaced(self) -> None:
        with Running(name="replaced") as thread:
            thread.__dict__ = dict(thread.__dict__)
            self.assertEqual(name_of(thread), b"replaced")

    def test_many_threads_each_have_their_own(self) -> None:
        release = threading.Event()
        threads = [threading.Thread(target=release.wait, name=f"number {i}") for i in range(200)]
        for thread in threads:
            thread.start()
        try:
            self.assertEqual([name_of(thread) for thread in threads], [b"number %d" % i for i in range(200)])
        finally:
            release.set()
            for thread in threads:
                thread.join()

    def test_ended_thread_has_no_name(self) -> None:
        with Running(name="short") as thread:
            pass
        self.assertEqual(names_probe.thread_name(thread.ident, 0), b"")

    def test_thread_of_the_thread_module_has_no_name_until_it_asks_for_one(self) -> None:
        seen: list[tuple[int, int]] = []
        steps = [threading.Lock() for _ in range(3)]
        for step in steps:
            step.acquire()

        def run() -> None:
            seen.append((threading.get_ident(), threading.get_native_id()))
            steps[0].release()
            steps[1].acquire()
            threading.current_thread()  # enters a dummy in threading._active
            steps[2].release()
            steps[0].acquire()

        _thread.start_new_thread(run, ())
        steps[0].acquire()
        self.assertEqual(names_probe.thread_name(*seen[0]), b"")
        steps[1].release()
        steps[2].acquire()
        self.assertRegex(names_probe.thread_name(*seen[0]), rb"^Dummy-\d+$")
        steps[0].release()

    def test_thread_made_by_c_has_the_name_the_kernel_knows(self) -> None:
        names: list[bytes] = []
        names_probe.call_from_c_thread(lambda: names.append(names_probe.thread_name(*ids())), "io-worker;7")
        names_probe.call_from_c_thread(lambda: names.append(names_probe.thread_name(*ids())), "")
        self.assertEqual(names, [b"io-worker;7", b""])

    def test_unknown_threads_have_no_name(self) -> None:
        for ident, native_id in ((0, 0), (1, 1), (1 << 63, 1 << 40), (id(self), 0)):
            self.assertEqual(names_probe.thread_name(ident, native_id), b"")

    def test_threading_is_not_imported_and_found_when_it_is(self) -> None:
        script = (
            "import sys, _thread, names_probe\n"
            "for name in [name for name in sys.modules if name == 'threading']: del sys.modules[name]\n"
            "print(names_probe.thread_name(_thread.get_ident(), 0))\n"
            "print('threading' in sys.modules)\n"
            "import threading\n"
            "threading.current_thread().name = 'late'\n"
            "print(names_probe.thread_name(_thread.get_ident(), 0))\n"
        )
        output = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, check=True, text=True).stdout
        self.assertEqual(output.split(), ["b''", "False", "b'late'"])

    def test_names_while_threads_come_and_go(self) -> None:
        """Reading the dict while it changes yields the name or nothing, never another thread's."""
        stop = threading.Event()

        def churn() -> None:
            while not stop.is_set():
                thread = threading.Thread(target=lambda: None, name="passing")
                thread.start()
                thread.join()

        churners = [threading.Thread(target=churn, name=f"churner {i}") for i in range(3)]
        for thread in churners:
            thread.start()
        try:
            for _ in range(400):
                for i, thread in enumerate(churners):
                    self.assertIn(name_of(thread), (b"churner %d" % i, b""))
        finally:
            stop.set()
            for thread in churners:
                thread.join()


if __name__ == "__main__":
    print(sys.version)
    unittest.main()
