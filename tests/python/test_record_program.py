"""`gauge record` is the program it runs: same status, signals, input, output, terminal, environment.

What the command line does between the program and its caller is the same whatever the interpreter: there the newest is
asked for every case, and the others for one of them.
"""

from __future__ import annotations

import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from typing import Any

import pytest

from gauge_testing import Interpreter, run, running

SLOW_MACHINE = 30.0  # seconds a step may take before the test gives up


def record(gauge: pathlib.Path, output: pathlib.Path, *words: str | os.PathLike[str]) -> list[str]:
    """The command line that records `words` into `output`."""
    return [str(gauge), "record", "-o", str(output), "--", *map(str, words)]


def wait_for(path: pathlib.Path) -> None:
    """Until the program says that it is ready."""
    deadline = time.monotonic() + SLOW_MACHINE
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)


def test_the_exit_status_is_the_programs(gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path) -> None:
    command = [interpreter.path, "-c", "import sys; sys.exit(3)"]
    assert run(record(gauge, tmp_path / "out.gpf", *command)).returncode == 3


@pytest.mark.parametrize("status", [0, 1, 3, 127, 255])
def test_every_exit_status_is_passed_on(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path, status: int
) -> None:
    command = [newest.path, "-c", f"import sys; sys.exit({status})"]
    assert run(record(gauge, tmp_path / "out.gpf", *command)).returncode == status


def status_of_killed(gauge: pathlib.Path, folder: pathlib.Path, interpreter: Interpreter, name: str) -> int:
    """How `gauge record` ends where the program kills itself with that signal."""
    code = "import os, signal"
    if name != "SIGKILL":
        code += f"; signal.signal(signal.{name}, signal.SIG_DFL)"
    command = [interpreter.path, "-c", f"{code}; os.kill(os.getpid(), signal.{name})"]
    return run(record(gauge, folder / "out.gpf", *command), cwd=folder).returncode


def test_a_signal_that_kills_the_program_is_how_gauge_ends(
    gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path
) -> None:
    assert status_of_killed(gauge, tmp_path, interpreter, "SIGTERM") == -signal.SIGTERM


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGABRT", "SIGINT"])
def test_death_by_signal_is_death_by_that_signal(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path, name: str
) -> None:
    assert status_of_killed(gauge, tmp_path, newest, name) == -signal.Signals[name]
    assert not list(tmp_path.glob("core*"))


def test_of_a_killed_program_one_file_has_all_but_the_last_moments(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    code = """
        import os, signal, time
        end = time.monotonic() + 0.5
        while time.monotonic() < end: pass
        print(time.clock_gettime_ns(time.CLOCK_MONOTONIC), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    outcome = run(record(gauge, tmp_path / "out.gpf", newest.path, "-c", textwrap.dedent(code)))
    assert outcome.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["out.gpf"]
    [facts] = json.loads(run([gauge, "info", "--json", tmp_path / "out.gpf"]).stdout)
    assert facts["damaged_blocks"] == 0
    # Milliseconds: half of the half second, where the first block would have been written after a whole one.
    assert (int(outcome.stdout) - facts["last_sample_monotonic_ns"]) / 1e6 < 250


def test_a_shell_sees_what_it_would_see(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    words = " ".join(
        f"'{word}'"
        for word in record(gauge, tmp_path / "o.gpf", newest.path, "-c", "import os; os.kill(os.getpid(), 15)")
    )
    assert run(["sh", "-c", f"{words}; echo $?"]).stdout == b"143\n"


def test_input_and_output_pass_through_byte_by_byte(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    data = bytes(range(256)) * 40_000  # 10 MB: more than any pipe holds
    code = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    outcome = run(record(gauge, tmp_path / "out.gpf", newest.path, "-c", code), stdin=data)
    assert outcome.returncode == 0
    assert outcome.stdout == data


def test_gauge_speaks_on_stderr_only(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    outcome = run(record(gauge, tmp_path / "out.gpf", newest.path, "-c", "print('hello')"))
    assert outcome.stdout == b"hello\n"
    assert all(line.startswith(b"gauge: ") for line in outcome.stderr.splitlines())


RELAYED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"]


def times_seen(gauge: pathlib.Path, folder: pathlib.Path, interpreter: Interpreter, name: str) -> int:
    """How often the program gets a signal that is sent to gauge once."""
    code = textwrap.dedent(f"""
        import pathlib, signal, time
        seen = []
        signal.signal(signal.{name}, lambda *_: seen.append(1))
        pathlib.Path("ready").touch()
        deadline = time.monotonic() + {SLOW_MACHINE}
        while not seen and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)  # a second one would have come by now
        print(len(seen), flush=True)
    """)
    command = record(gauge, folder / "out.gpf", interpreter.path, "-c", code)
    with running(command, stdout=subprocess.PIPE, cwd=folder) as process:
        wait_for(folder / "ready")
        process.send_signal(signal.Signals[name])
        output, _ = process.communicate(timeout=SLOW_MACHINE)
    assert process.returncode == 0
    return int(output)


def test_a_signal_sent_to_gauge_reaches_the_program_once(
    gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path
) -> None:
    assert times_seen(gauge, tmp_path, interpreter, "SIGUSR1") == 1


@pytest.mark.parametrize("name", RELAYED)
def test_every_signal_sent_to_gauge_reaches_the_program_once(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path, name: str
) -> None:
    assert times_seen(gauge, tmp_path, newest, name) == 1


def test_killing_gauge_kills_the_program(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); os.rename('pid', 'ready'); time.sleep(60)"
    with running(record(gauge, tmp_path / "out.gpf", newest.path, "-c", code), cwd=tmp_path) as process:
        wait_for(tmp_path / "ready")
        pid = int((tmp_path / "ready").read_text())
        process.kill()
    deadline = time.monotonic() + SLOW_MACHINE
    while is_running(pid):
        assert time.monotonic() < deadline, "the program outlived gauge"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def test_ignored_signals_stay_ignored(gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path) -> None:
    code = (
        "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, "
        "sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    )
    command = record(gauge, tmp_path / "out.gpf", interpreter.path, "-c", code)
    quoted = " ".join(f"'{word}'" for word in command)
    bare = run(["sh", "-c", f"trap '' HUP; '{interpreter.path}' -c '{code}'"]).stdout
    assert run(["sh", "-c", f"trap '' HUP; {quoted}"]).stdout == bare


class Terminal:
    """A session with a terminal of its own, and a command as its foreground job."""

    def __init__(self, command: Sequence[str], cwd: pathlib.Path) -> None:
        self.output = b""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ["PS1"] = ""
            os.execvp(command[0], list(command))

    def read_until(self, text: bytes) -> None:
        deadline = time.monotonic() + SLOW_MACHINE
        while text not in self.output:
            assert time.monotonic() < deadline, f"waited for {text!r}, got {self.output!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.output += os.read(self.master, 65536)
                except OSError:  # the other side is closed
                    assert text in self.output, self.output
                    return

    def wait_for_a_job(self) -> None:
        """Until the foreground belongs to another than the command, which is a shell."""
        deadline = time.monotonic() + SLOW_MACHINE
        while os.tcgetpgrp(self.master) == self.pid:
            assert time.monotonic() < deadline, f"no job in the foreground: {self.output!r}"
            time.sleep(0.01)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_the_program_has_the_terminal(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    code = "import os; print([os.isatty(fd) for fd in range(3)], os.tcgetpgrp(0) == os.getpgrp(), input())"
    terminal = Terminal(record(gauge, tmp_path / "out.gpf", newest.path, "-c", code), tmp_path)
    terminal.type(b"typed\n")
    terminal.read_until(b"[True, True, True] True typed")
    assert terminal.wait() == 0


def test_ctrl_c_reaches_the_program_once(gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path) -> None:
    code = textwrap.dedent("""
        import signal, time
        seen = []
        signal.signal(signal.SIGINT, lambda *_: seen.append(1))
        print("ready", flush=True)
        while not seen:
            time.sleep(0.01)
        time.sleep(0.2)
        print("seen", len(seen), flush=True)
    """)
    terminal = Terminal(record(gauge, tmp_path / "out.gpf", recordable.path, "-c", code), tmp_path)
    terminal.read_until(b"ready")
    terminal.type(b"\x03")
    terminal.read_until(b"seen 1")
    assert terminal.wait() == 0


def test_ctrl_c_ends_both_as_it_ends_the_program(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    # In steps: a signal that comes just before time.sleep() is not looked at until it is over.
    code = "import time\nprint('ready', flush=True)\nfor _ in range(600): time.sleep(0.1)"
    terminal = Terminal(record(gauge, tmp_path / "out.gpf", newest.path, "-c", code), tmp_path)
    terminal.read_until(b"ready")
    terminal.type(b"\x03")
    terminal.read_until(b"KeyboardInterrupt")
    assert terminal.wait() == -signal.SIGINT


def test_ctrl_z_stops_the_job_and_fg_continues_it(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "prog.py").write_text("print('rea' + 'dy', flush=True)\nprint('got', input(), flush=True)\n")
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path)
    command = " ".join(record(gauge, tmp_path / "out.gpf", newest.path, "prog.py"))
    terminal.type(command.encode() + b"\n")
    terminal.read_until(b"ready")
    terminal.type(b"\x1a")
    terminal.read_until(b"Stopped")
    terminal.type(b"fg\n")
    terminal.wait_for_a_job()
    terminal.type(b"on\n")
    terminal.read_until(b"got on")
    terminal.type(b"exit\n")
    terminal.wait()


DUMP = """
import json, os, sys
json.dump({
    "environ": {k: v for k, v in os.environ.items() if k not in ("_", "SHLVL")},
    "path": sys.path, "modules": sorted(sys.modules), "argv": sys.argv, "flags": list(sys.flags),
    "executable": sys.executable, "prefix": [sys.prefix, sys.base_prefix],
    "cache": sorted(sys.path_importer_cache), "meta_path": [str(type(each)) for each in sys.meta_path],
    "hooks": len(sys.path_hooks), "descriptors": sorted(os.listdir("/proc/self/fd")),
    "limits": os.getcwd(), "umask": os.umask(0),
}, sys.stdout, indent=1, sort_keys=True)
"""


@pytest.mark.parametrize("path", [None, "", "lib", "lib:other", ":lib"], ids=["unset", "empty", "one", "two", "hole"])
def test_the_program_sees_no_trace_of_gauge(
    gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path, path: str | None
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "dump.py").write_text(DUMP)
    command = [str(interpreter.path), "dump.py", "an argument"]
    bare = run(command, env={"PYTHONPATH": path}, cwd=tmp_path)
    recorded = run(record(gauge, tmp_path / "out.gpf", *command), env={"PYTHONPATH": path}, cwd=tmp_path)
    expected, found = json.loads(bare.stdout), json.loads(recorded.stdout)
    forgive_atexit(interpreter, found, expected)
    assert found == expected


def test_functions_are_reported_by_their_qualified_names(
    gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "program.py").write_text(
        textwrap.dedent("""
            import time

            class Outer:
                class Inner:
                    @staticmethod
                    def spin():
                        def until(end):
                            while time.process_time() < end:
                                [sum(range(100)) for _ in range(100)]
                        until(time.process_time() + 0.2)

            Outer.Inner.spin()
        """)
    )
    run(record(gauge, tmp_path / "out.gpf", recordable.path, "program.py"), cwd=tmp_path)
    report = json.loads(run([gauge, "report", "--json", tmp_path / "out.gpf"]).stdout)
    names = {each["qualified_name"] for each in report["functions"] if each["module"] == "__main__"}
    assert {"<module>", "Outer.Inner.spin", "Outer.Inner.spin.<locals>.until"} <= names
    (tmp_path / "program.py").unlink()
    gone = run([gauge, "report", "--json", tmp_path / "out.gpf"])
    # CPython 3.9 and 3.10 keep no qualified names: only the source tells them.
    has_none = recordable.minor in ("3.9", "3.10")
    assert (b"shown by bare name" in gone.stderr) == has_none
    expected = {"until"} if has_none else {"Outer.Inner.spin.<locals>.until"}
    assert expected <= {each["qualified_name"] for each in json.loads(gone.stdout)["functions"]}


def forgive_atexit(interpreter: Interpreter, recorded: dict[str, Any], bare: dict[str, Any]) -> None:
    """The atexit of CPython 3.9 keeps the callbacks in the module, which must stay."""
    if interpreter.minor == "3.9":
        recorded["modules"] = [name for name in recorded["modules"] if name != "atexit" or name in bare["modules"]]


def test_options_of_python_keep_their_meaning(
    gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "dump.py").write_text(DUMP)
    for options in (["-S"], ["-I"], ["-E"], ["-s"], ["-B", "-O", "-X", "dev"]):
        command = [str(interpreter.path), *options, "dump.py"]
        bare = json.loads(run(command, cwd=tmp_path).stdout)
        recorded = json.loads(run(record(gauge, tmp_path / "out.gpf", *command), cwd=tmp_path).stdout)
        (tmp_path / "out.gpf").unlink(missing_ok=True)
        if set(options) & {"-S", "-I", "-E"}:  # our bootstrap was never run, and left the environment as it is
            for name in ("PYTHONPATH", "GAUGE_BOOTSTRAP"):
                recorded["environ"].pop(name, None)
            if options == ["-S"]:
                recorded["path"] = [entry for entry in recorded["path"] if not entry.endswith("gauge/bootstrap")]
                recorded["cache"] = [entry for entry in recorded["cache"] if not entry.endswith("gauge/bootstrap")]
        forgive_atexit(interpreter, recorded, bare)
        assert recorded == bare, options


def test_a_program_that_limits_itself_is_unharmed(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    bare = run([newest.path, "-c", code])
    outcome = run(record(gauge, tmp_path / "out.gpf", newest.path, "-c", code))
    assert outcome.stdout == bare.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_program_is_a_child_in_the_same_group(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    code = "import os; print(os.getpgrp() == os.getpgid(os.getppid()), os.getsid(0) == os.getsid(os.getppid()))"
    assert run(record(gauge, tmp_path / "out.gpf", newest.path, "-c", code)).stdout == b"True True\n"
