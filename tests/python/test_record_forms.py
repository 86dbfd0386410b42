"""What `gauge record` can be given to run, which processes it records, and what it says about them.

What the command line reads and says is the same whatever the interpreter: there the newest is asked. All are asked
where the way an interpreter starts, forks or ends has a part.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from gauge_testing import Interpreter, run

# By CPU time: a busy machine makes it longer, and the samples no fewer.
BUSY = "import time; end = time.process_time() + 0.1\nwhile time.process_time() < end: sum(range(1000))\n"

# What ends without Python's own exit loses what is not on the disk yet: busy until the process has written a block. It
# does once that is full, of 4096 samples, or else after a second.
BUSY_UNTIL_WRITTEN = """
import glob, os
def size(): return sum(map(os.path.getsize, glob.glob("*%d*.gpf" % os.getpid())))
size_at_start = size()
while size() == size_at_start: sum(range(1000))
"""


def info(gauge: pathlib.Path, *files: pathlib.Path) -> list[dict[str, Any]]:
    """`gauge info --json` of the files."""
    outcome = run([gauge, "info", "--json", *files])
    assert outcome.returncode == 0, outcome.stderr
    answer: list[dict[str, Any]] = json.loads(outcome.stdout)
    return answer


def samples(gauge: pathlib.Path, file: pathlib.Path) -> int:
    return int(info(gauge, file)[0]["samples"])


def recordings(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("*.gpf"))


@pytest.fixture
def program(tmp_path: pathlib.Path) -> pathlib.Path:
    """A busy script; names with a space and beyond ASCII."""
    folder = tmp_path / "ein Ordner größer"
    folder.mkdir()
    path = folder / "prögramm 1.py"
    path.write_text(BUSY + "import sys; print(sys.argv[1:])\n", encoding="utf-8")
    return path


def test_a_script_is_run_with_python3(gauge: pathlib.Path, newest: Interpreter, program: pathlib.Path) -> None:
    output = program.parent / "aus gabe.gpf"
    outcome = run(
        [gauge, "record", "-o", output, "-r", "1khz", program, "-r", "--help", "--"],
        env={"GAUGE_PYTHON": str(newest.path)},
    )
    assert outcome.stdout == b"['-r', '--help', '--']\n"
    [summary] = info(gauge, output)
    assert summary["samples"] > 50
    assert summary["command"] == [str(newest.path), str(program), "-r", "--help", "--"]
    assert summary["interval_ns"] == 1_000_000
    assert summary["end_reason"] == "exit"
    assert f"gauge report '{output}'" in outcome.stderr.decode()


def test_the_main_thread_has_its_name_without_threading(
    gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    run([gauge, "record", "-r", "1khz", "-o", "out.gpf", "--", recordable.path, "-c", BUSY], cwd=tmp_path)
    assert [thread["name"] for thread in info(gauge, tmp_path / "out.gpf")[0]["threads"]] == ["MainThread"]


def test_modules_and_code_are_run_with_python3(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "busy.py").write_text(BUSY + "import sys; print(__name__, sys.argv[1:])\n")
    environment = {"GAUGE_PYTHON": str(newest.path)}
    record = [gauge, "record", "-r", "1khz", "-o"]
    outcome = run([*record, "m.gpf", "-m", "busy", "-o", "x"], env=environment, cwd=tmp_path)
    assert outcome.stdout == b"__main__ ['-o', 'x']\n"
    outcome = run([*record, "c.gpf", "-c", BUSY + "print('code')", "-c"], env=environment, cwd=tmp_path)
    assert outcome.stdout == b"code\n"
    assert samples(gauge, tmp_path / "m.gpf") > 5
    assert samples(gauge, tmp_path / "c.gpf") > 5


def test_the_default_name_has_program_time_and_pid(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "my app.py").write_text("import os; print(os.getpid())")
    outcome = run([gauge, "record", "--", newest.path, "my app.py"], cwd=tmp_path)
    [file] = recordings(tmp_path)
    prefix, program, time, pid = file.stem.split("-", 1)[0], *file.stem.split("-", 1)[1].rsplit("-", 2)
    assert (prefix, program, pid) == ("gauge", "my-app", outcome.stdout.decode().strip())
    assert len(time) == len("20261124T102734Z")


@pytest.mark.parametrize(
    "wrapper", ["timeout", "env", "nice", "shell", "script", "exec", "shebang"], ids=lambda name: str(name)
)
def test_python_is_found_below_wrappers(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path, wrapper: str
) -> None:
    python = str(newest.path)
    (tmp_path / "busy.py").write_text(BUSY)
    for name, text in (("run.sh", f"#!/bin/sh\n{python} busy.py\n"), ("tool", f"#!{python}\n{BUSY}")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    commands = {
        "timeout": ["timeout", "30", python, "busy.py"],
        "env": ["env", "X=1", python, "busy.py"],
        "nice": ["nice", python, "busy.py"],
        "shell": ["sh", "-c", f"{python} busy.py; exit 0"],
        "script": ["./run.sh"],
        "exec": ["sh", "-c", f"exec {python} busy.py"],
        "shebang": ["./tool"],
    }
    outcome = run([gauge, "record", "-r", "1khz", "-o", "out.gpf", "--", *commands[wrapper]], cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert samples(gauge, tmp_path / "out.gpf") > 5


def test_a_virtual_environment_is_recorded(
    gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    run([recordable.path, "-m", "venv", "--without-pip", tmp_path / "venv"], timeout=120)
    python = tmp_path / "venv/bin/python"
    program = [python, "-c", BUSY + "import sys; print(sys.prefix)"]
    outcome = run([gauge, "record", "-r", "1khz", "-o", tmp_path / "out.gpf", "--", *program])
    assert outcome.stdout.decode().strip() == str(tmp_path / "venv")
    assert samples(gauge, tmp_path / "out.gpf") > 5


def test_a_zipped_application_is_recorded(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__main__.py").write_text(BUSY)
    run([sys.executable, "-m", "zipapp", tmp_path / "app"])
    environment = {"GAUGE_PYTHON": str(newest.path)}
    run([gauge, "record", "-r", "1khz", "-o", tmp_path / "out.gpf", tmp_path / "app.pyz"], env=environment)
    assert samples(gauge, tmp_path / "out.gpf") > 5


CHILD = """
import json, os, subprocess, sys
code = "import json, os, sys; print(json.dumps([sys.path, dict(os.environ), sorted(sys.modules)]))"
sys.stdout.write(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True).stdout)
"""


def test_children_are_not_recorded_and_see_no_trace(
    gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    bare = run([recordable.path, "-c", CHILD], cwd=tmp_path, env={"_": None})
    command = [gauge, "record", "-o", "out.gpf", "--", recordable.path, "-c", CHILD]
    outcome = run(command, cwd=tmp_path, env={"_": None})
    assert outcome.stdout == bare.stdout
    assert recordings(tmp_path) == [tmp_path / "out.gpf"]


def test_a_second_python_of_a_script_is_counted_not_recorded(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    command = f"{newest.path} -c 1; {newest.path} -c 2"
    outcome = run([gauge, "record", "-o", "out.gpf", "--", "sh", "-c", command], cwd=tmp_path)
    assert recordings(tmp_path) == [tmp_path / "out.gpf"]
    assert b"1 more Python process was not recorded; -s records them too" in outcome.stderr


FAMILY = {
    "subprocess": "subprocess.run([sys.executable, '-c', BUSY])",
    "fork": "pid = os.fork()\nif pid == 0:\n    exec(BUSY)\n    sys.exit(0)\nos.waitpid(pid, 0)",
    "os._exit": "pid = os.fork()\nif pid == 0:\n    exec(BUSY_UNTIL_WRITTEN)\n    os._exit(0)\nos.waitpid(pid, 0)",
    **{
        method: f"p = multiprocessing.get_context({method!r}).Process(target=exec, args=(BUSY,)); p.start(); p.join()"
        for method in ("mp-fork", "mp-spawn", "mp-forkserver")
    },
}


@pytest.mark.parametrize("way", FAMILY)
def test_with_s_every_python_gets_a_recording(
    gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path, way: str
) -> None:
    body = textwrap.indent(FAMILY[way].replace("'mp-", "'"), "    ")
    script = "import multiprocessing, os, subprocess, sys\n"
    script += f"BUSY = {BUSY!r}\nBUSY_UNTIL_WRITTEN = {BUSY_UNTIL_WRITTEN!r}\n"
    script += f"if __name__ == '__main__':\n    exec(BUSY)\n{body}\n"
    (tmp_path / "prog.py").write_text(script)
    rate = "20khz" if way == "os._exit" else "1khz"
    outcome = run([gauge, "record", "-s", "-r", rate, "-o", "out.gpf", "--", recordable.path, "prog.py"], cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    summaries = info(gauge, *recordings(tmp_path))
    assert (tmp_path / "out.gpf") in recordings(tmp_path)
    assert len({each["run_id"] for each in summaries}) == 1
    assert len({each["pid"] for each in summaries}) == len(summaries)
    [parent] = [each for each in summaries if each["path"].endswith("/out.gpf")]
    family = [each for each in summaries if each["pid"] != parent["pid"]]
    assert any(each["samples"] > 5 for each in family), summaries
    for each in family:
        assert each["path"].endswith(f"out-{each['pid']}.gpf")
    if way != "mp-forkserver":
        # What begins so late that its parent has gone is init's: the tracker of mp-spawn may be.
        assert {each["ppid"] for each in family} - {1} == {parent["pid"]}


def test_with_s_a_program_that_becomes_another_python_is_recorded_on(
    gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    again = "os.execv(sys.executable, [sys.executable, *sys.argv, 'x'])"
    code = f"import os, sys\nexec({BUSY_UNTIL_WRITTEN!r})\nif len(sys.argv) < 3: {again}"
    (tmp_path / "prog.py").write_text(code)
    command = [gauge, "record", "-s", "-r", "20khz", "-o", "o%p.gpf", "--", recordable.path, "prog.py"]
    outcome = run(command, cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    files = recordings(tmp_path)
    assert len(files) == 3
    assert len({each["pid"] for each in info(gauge, *files)}) == 1
    assert all(samples(gauge, file) > 5 for file in files)


def test_d_ends_the_recording_not_the_program(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    command = [newest.path, "-c", f"for _ in range(4): exec({BUSY!r})\nprint('whole')"]
    outcome = run([gauge, "record", "-d", "200ms", "-o", tmp_path / "out.gpf", "--", *command])
    assert outcome.stdout == b"whole\n"
    [summary] = info(gauge, tmp_path / "out.gpf")
    assert summary["end_reason"] == "duration"
    assert 150_000_000 < summary["duration_ns"] < 1_000_000_000


def test_max_overhead_lowers_the_rate_and_says_so(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    code = "import time; end = time.process_time() + 1\nwhile time.process_time() < end: sum(range(1000))\n"
    costs = {}
    for name, options in {"any": [], "little": ["--max-overhead", "2%"]}.items():
        command = [gauge, "record", "-r", "10khz", "-o", f"{name}.gpf", *options, "--", newest.path, "-c", code]
        outcome = run(command, cwd=tmp_path)
        assert (b"to stay within 2 % of one core" in outcome.stderr) == bool(options)
        [summary] = info(gauge, tmp_path / f"{name}.gpf")
        costs[name] = summary["sampler_cpu_ns"] + summary["writer_cpu_ns"]
        assert summary["max_overhead"] == (0.02 if options else 0)
    assert summary["rate_achieved"] < 2_000
    assert costs["little"] < 0.3 * costs["any"]
    assert b"asked for 10 kHz within 2 % of one core, got " in run([gauge, "info", tmp_path / "little.gpf"]).stdout
    assert b" at up to 10 kHz, " in run([gauge, "report", tmp_path / "little.gpf"]).stdout


def test_an_interpreter_without_recorder_runs_on(gauge: pathlib.Path, tmp_path: pathlib.Path) -> None:
    old = sorted(
        pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")).glob("versions/3.8*/bin/python3")
    )
    if not old:
        pytest.skip("no CPython 3.8 on this machine")
    command = [gauge, "record", "-o", tmp_path / "out.gpf"]
    outcome = run([*command, "--", old[0], "-c", "print('ran')"])
    assert (outcome.returncode, outcome.stdout) == (0, b"ran\n")
    assert b"gauge: no recorder for cpython-3.8 (this gauge has cpython-" in outcome.stderr
    assert not (tmp_path / "out.gpf").exists()
    assert run([*command, "--strict", "--", old[0], "-c", "print('ran')"]).returncode == 1


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_an_isolated_python_is_explained(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path, option: str
) -> None:
    command = ["-o", tmp_path / "out.gpf", "--", newest.path, option, "-c", "print('ran')"]
    outcome = run([gauge, "record", *command])
    assert (outcome.returncode, outcome.stdout) == (0, b"ran\n")
    assert f"nothing was recorded ({option} keeps the recorder out); run it without {option}" in outcome.stderr.decode()
    assert run([gauge, "record", "--strict", *command]).returncode == 1


def test_strict_leaves_the_programs_own_failure(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    command = ["-o", tmp_path / "out.gpf", "--", newest.path, "-I", "-c", "import sys; sys.exit(7)"]
    assert run([gauge, "record", "--strict", *command]).returncode == 7


def test_a_program_without_python_is_explained_afterwards(gauge: pathlib.Path, tmp_path: pathlib.Path) -> None:
    outcome = run([gauge, "record", "-o", tmp_path / "out.gpf", "--", "sh", "-c", "echo no python"])
    assert outcome.stdout == b"no python\n"
    assert b"nothing was recorded" in outcome.stderr


def test_a_short_program_is_explained(gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path) -> None:
    outcome = run([gauge, "record", "-i", "10s", "-o", tmp_path / "out.gpf", "--", newest.path, "-c", "1"])
    assert outcome.returncode == 0
    assert b"at 0.1 Hz); record longer" in outcome.stderr or b"1 sample" in outcome.stderr


def test_pythonpath_that_a_wrapper_adds_is_kept(
    gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    code = "import os; print(os.environ['PYTHONPATH'])"
    shell = f'PYTHONPATH=/extra:$PYTHONPATH {recordable.path} -c "{code}"'
    outcome = run([gauge, "record", "-o", tmp_path / "out.gpf", "--", "sh", "-c", shell], env={"PYTHONPATH": "/before"})
    assert outcome.stdout == b"/extra:/before\n"
    assert (tmp_path / "out.gpf").exists()


def test_settings_come_from_options_then_environment_then_file(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.gauge]\nrate = 50\noutput = 'file.gpf'\n")
    command = ["--", newest.path, "-c", "1"]
    run([gauge, "record", *command], cwd=tmp_path)
    run([gauge, "record", *command], cwd=tmp_path, env={"GAUGE_RATE": "200", "GAUGE_OUTPUT": "variable.gpf"})
    run([gauge, "record", "-i", "1ms", "-o", "option.gpf", *command], cwd=tmp_path, env={"GAUGE_RATE": "200"})
    intervals = {file.name: info(gauge, file)[0]["interval_ns"] for file in recordings(tmp_path)}
    assert intervals == {"file.gpf": 20_000_000, "variable.gpf": 5_000_000, "option.gpf": 1_000_000}


def test_nothing_is_left_in_the_temporary_folder(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [gauge, "record", "-o", tmp_path / "out.gpf", "--", newest.path, "-c", "1"]
    run(command, env={"TMPDIR": str(temporary)})
    assert list(temporary.iterdir()) == []


def test_a_pyenv_shim_is_recorded(gauge: pathlib.Path, tmp_path: pathlib.Path) -> None:
    shim = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "shims/python3"
    if not shim.exists():
        pytest.skip("no pyenv on this machine")
    probe = subprocess.run([shim, "-c", "import sys; print(sys.version_info[1])"], stdout=subprocess.PIPE, text=True)
    if (
        probe.returncode != 0
        or not gauge.parent.parent.joinpath(
            f"stage/lib/gauge/recorders/cpython-3.{probe.stdout.strip()}/_recorder.so"
        ).exists()
    ):
        pytest.skip("pyenv's python3 has no recorder")
    run([gauge, "record", "-r", "1khz", "-o", tmp_path / "out.gpf", "--", shim, "-c", BUSY])
    assert samples(gauge, tmp_path / "out.gpf") > 5


def test_the_command_works_from_a_copy_elsewhere(
    gauge: pathlib.Path, newest: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy2(gauge, tmp_path / "bin/gauge")
    shutil.copytree(gauge.parent.parent / "stage/lib", tmp_path / "lib")
    run([tmp_path / "bin/gauge", "record", "-r", "1khz", "-o", tmp_path / "out.gpf", "--", newest.path, "-c", BUSY])
    assert samples(gauge, tmp_path / "out.gpf") > 5
