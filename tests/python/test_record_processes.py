"""Programs of several processes, recorded with -s or by GAUGE_RECORD: each process in a file of its own, to its end.

Which ways of making one there are, and that each is found: test_record_forms.py. Here is what those processes do then.
"""

from __future__ import annotations

import http.client
import pathlib
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import gauge_testing
from gauge_testing import Interpreter
from record_testing import SOME, WORK, info, run_command, run_recorded, wait_until
from recorder_testing import Recorded, run_program

ALL = ("-s", "-r", "1khz")

DAEMON = """
def become_daemon():
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    os.umask(0)
    if os.fork():
        os._exit(0)
    os.closerange(0, 4096)
    for number in range(3):
        assert os.open(os.devnull, os.O_RDWR) == number

def serve():
    work(0.2)

become_daemon()
serve()
"""


def daemons_recording(folder: pathlib.Path) -> pathlib.Path:
    """The file of the process that serves, once it has ended: nobody waits for a daemon."""

    def ended() -> list[pathlib.Path]:
        return [path for path in folder.glob("*.gpf") if Recorded(path).end and Recorded(path).with_function("serve")]

    wait_until(lambda: len(ended()) == 1, "the daemon's recording has not ended")
    return ended()[0]


def test_a_daemon_is_recorded_on(representative: Interpreter, tmp_path: pathlib.Path) -> None:
    outcome = run_recorded(representative, tmp_path, DAEMON, options=ALL)
    assert (outcome.status, outcome.errors) == (0, "")
    daemon = daemons_recording(tmp_path)
    assert Recorded(daemon).leaves("MainThread")["work"] > SOME
    described = {pathlib.Path(each["path"]): each for each in info(*tmp_path.glob("*.gpf"))}
    assert len(described) == 3
    assert len({each["run_id"] for each in described.values()}) == 1
    assert described[daemon]["end_reason"] == "exit"
    assert described[daemon]["cwd"] == "/"


def test_a_variable_with_a_relative_path_records_a_daemon_on(newest: Interpreter, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "100 %p"  # what stands in the working directory's name is no place to fill in
    folder.mkdir()
    variables = {"GAUGE_RECORD": "out-%p.gpf", "GAUGE_RATE": "1khz"}
    # What gauge-record.pth does at start-up where the package is installed.
    done = run_program(newest, folder, "import gauge._activate\n" + WORK + DAEMON, env=variables)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Recorded(daemons_recording(folder)).leaves("MainThread")["work"] > SOME
    assert len(list(folder.glob("out-*.gpf"))) == 3


FORK_IN_A_THREAD = """
import threading

def serve():
    work(0.2)

def divide():
    pid = os.fork()
    if pid == 0:
        serve()
        return  # the last thread ends, and the process with it
    print(os.waitpid(pid, 0)[1])

thread = threading.Thread(target=divide)
thread.start()
thread.join()
"""


def without_pids(errors: str) -> str:
    return re.sub(r"pid=\d+", "pid=", errors)


def test_a_process_whose_last_thread_returns_ends(recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    bare = run_recorded(recordable, tmp_path, FORK_IN_A_THREAD, options=None)
    outcome = run_recorded(recordable, tmp_path, FORK_IN_A_THREAD, options=ALL)
    assert (outcome.status, outcome.output) == (bare.status, bare.output)
    assert without_pids(outcome.errors) == without_pids(bare.errors)  # CPython's warning of the thread, since 3.12
    child = outcome.with_function("serve")
    assert child != tmp_path / "out.gpf"
    assert Recorded(child).end == "exit"


LEAVE_AT_ONCE = """
def serve():
    work(0.2)

pid = os.fork()
serve()
if pid == 0:
    os._exit(3)
assert os.waitpid(pid, 0)[1] == 3 << 8
os._exit(4)
"""


def test_what_leaves_by_os_exit_leaves_its_samples(representative: Interpreter, tmp_path: pathlib.Path) -> None:
    outcome = run_recorded(representative, tmp_path, LEAVE_AT_ONCE, options=ALL)
    assert (outcome.status, outcome.output, outcome.errors) == (4, "", "")
    recordings = outcome.recordings()
    assert len(recordings) == 2
    for path, recording in recordings.items():
        assert len(recording.with_function("serve")) > SOME, path


@pytest.fixture
def own_python() -> str:
    """The interpreter that runs the tests: it has their packages."""
    own = gauge_testing.describe_interpreter(pathlib.Path(sys.executable))
    if own is None or not own.recorder.exists():
        pytest.skip(f"no recorder was built for {sys.executable}, which runs the tests")
    return sys.executable


APPLICATION = (
    WORK
    + """
def application(environ, start_response):
    work(0.02)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % os.getpid()]
"""
)


def is_listening(path: str) -> bool:
    """Whether the socket takes calls: it is there, bound, a moment before."""
    with socket.socket(socket.AF_UNIX) as end:
        return end.connect_ex(path) == 0


class UnixConnection(http.client.HTTPConnection):
    """To a socket in the file system; its path is relative, since a long one does not fit."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def ask(path: str) -> str:
    connection = UnixConnection(path)
    connection.request("GET", "/")
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer


def test_a_prefork_server_is_recorded_with_its_workers(
    own_python: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    monkeypatch.chdir(tmp_path)
    server = [own_python, "-m", "gunicorn", "--workers", "2", "--bind", "unix:socket", "app:application"]
    command = [gauge_testing.executable_path(), "record", *ALL, "-o", "out.gpf", "--", *server]
    with gauge_testing.running(command, stderr=subprocess.PIPE) as process:
        wait_until(lambda: is_listening("socket"), "the server does not listen")
        with ThreadPoolExecutor(4) as clients:  # more than there are workers: each gets its share
            workers = set(clients.map(ask, ["socket"] * 40))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert len(workers) == 2
    for pid in workers:
        path = tmp_path / f"out-{pid}.gpf"
        assert len(Recorded(path).with_function("application")) > SOME
    described = info(tmp_path / "out.gpf", *(tmp_path / f"out-{pid}.gpf" for pid in workers))
    assert {each["end_reason"] for each in described} == {"exit"}
    assert {each["ppid"] for each in described[1:]} == {described[0]["pid"]}
    assert all(each["samples"] > SOME for each in described)


POOL = """
import billiard

def serve(_):
    work(0.1)
    return os.getpid()

if __name__ == "__main__":
    with billiard.Pool(2) as pool:
        print(*set(pool.map(serve, range(4), chunksize=2)))
        pool.close()
        pool.join()
"""


def test_a_pool_as_celery_has_it_is_recorded_with_its_workers(own_python: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "program.py").write_text(WORK + POOL)
    outcome = run_command([own_python, "program.py"], tmp_path, ALL)
    assert outcome.status == 0, outcome.errors
    workers = outcome.output.split()
    assert workers
    for pid in workers:
        assert len(Recorded(tmp_path / f"out-{pid}.gpf").with_function("serve")) > SOME


GENERATIONS = """
import multiprocessing
import multiprocessing.util

def begin(generations, seen):
    seen.send(len(multiprocessing.util._afterfork_registry))
    if generations:
        child = fork.Process(target=begin, args=(generations - 1, seen))
        child.start()
        child.join()

fork = multiprocessing.get_context("fork")
if __name__ == "__main__":
    receiver, sender = fork.Pipe(False)
    begin(5, sender)
    print([receiver.recv() for _ in range(6)])
"""


def test_workers_of_workers_find_in_multiprocessing_what_they_find_bare(
    recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    bare = run_recorded(recordable, tmp_path, GENERATIONS, options=None)
    recorded = run_recorded(recordable, tmp_path, GENERATIONS, options=ALL)
    assert (recorded.status, recorded.output) == (0, bare.output)
    assert len(list(tmp_path.glob("*.gpf"))) == 6
