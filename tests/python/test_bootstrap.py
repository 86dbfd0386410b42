"""The sitecustomize that starts the recorder gives way to the program's own, as if it had never been there."""

from __future__ import annotations

import pathlib

import pytest

from gauge_testing import Interpreter, run

# What a program's own sitecustomize may do, and what Python then says.
BODIES = {
    "works": "import os\nmark = 'mine'\nprint('customized', __name__, os.path.basename(__file__))",
    "raises": "raise ValueError('broken')",
    "misses": "import a_module_that_is_not_there",
    "lacks itself": "raise ImportError('odd', name='sitecustomize')",
    "exits": "raise SystemExit(5)",
    "interrupts": "raise KeyboardInterrupt",
    "syntax": "this is no Python",
}

PROBE = "import sys; print(getattr(sys.modules.get('sitecustomize'), 'mark', None), 'sitecustomize' in sys.modules)"


def without_gauge(errors: bytes) -> list[bytes]:
    return [line for line in errors.splitlines() if not line.startswith(b"gauge: ")]


@pytest.mark.parametrize("body", BODIES)
def test_the_programs_sitecustomize_does_what_it_does_alone(
    gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path, body: str
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/sitecustomize.py").write_text(BODIES[body])
    environment = {"PYTHONPATH": str(tmp_path / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
    bare = run([interpreter.path, "-c", PROBE], env=environment)
    recorded = run([gauge, "record", "-o", tmp_path / "out.gpf", "--", interpreter.path, "-c", PROBE], env=environment)
    assert recorded.returncode == bare.returncode
    assert recorded.stdout == bare.stdout
    if body in ("exits", "interrupts", "syntax"):  # their tracebacks name every import on the way, ours too
        assert without_gauge(recorded.stderr)[-1:] == without_gauge(bare.stderr)[-1:]
    else:
        assert without_gauge(recorded.stderr) == without_gauge(bare.stderr)


def test_lazy_imports_do_not_put_off_the_programs_sitecustomize(
    gauge: pathlib.Path, recordable: Interpreter, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BODIES["works"])
    environment = {"PYTHONPATH": str(tmp_path), "PYTHON_LAZY_IMPORTS": "all"}  # known to 3.15 and later
    bare = run([recordable.path, "-B", "-c", PROBE], env=environment)
    command = [gauge, "record", "-o", tmp_path / "out.gpf", "--", recordable.path, "-B", "-c", PROBE]
    assert run(command, env=environment).stdout == bare.stdout
    assert (tmp_path / "out.gpf").exists()


def test_a_missing_sitecustomize_stays_missing(
    gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path
) -> None:
    code = "import sys; print('sitecustomize' in sys.modules)\n"
    code += "try: import sitecustomize\nexcept ImportError as error: print(error)"
    bare = run([interpreter.path, "-c", code])
    recorded = run([gauge, "record", "-o", tmp_path / "out.gpf", "--", interpreter.path, "-c", code])
    assert recorded.stdout == bare.stdout


def test_usercustomize_is_untouched(gauge: pathlib.Path, interpreter: Interpreter, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / f"lib/python{interpreter.minor}/site-packages"
    folder.mkdir(parents=True)
    (folder / "usercustomize.py").write_text("print('user', __file__)")
    environment = {"PYTHONUSERBASE": str(tmp_path)}
    bare = run([interpreter.path, "-c", "print('run')"], env=environment)
    command = [gauge, "record", "-o", tmp_path / "out.gpf", "--", interpreter.path, "-c", "print('run')"]
    assert run(command, env=environment).stdout == bare.stdout


def test_a_recorder_that_cannot_be_loaded_is_a_warning(
    interpreter: Interpreter, stage: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    recorder = tmp_path / "recorders" / interpreter.id / "_recorder.so"
    recorder.parent.mkdir(parents=True)
    recorder.write_bytes(b"\x7fELF, but not really")
    settings = {
        "output": str(tmp_path / "out.gpf"),
        "interval_ns": "10000000",
        "duration_ns": "0",
        "run_id": "00" * 16,
        "subprocesses": "0",
        "replace": "0",
        "recorders": str(tmp_path / "recorders"),
        "run": str(tmp_path),
    }
    outcome = run(
        [interpreter.path, "-c", "print('ran')"],
        env={
            "PYTHONPATH": str(stage / "lib/gauge/bootstrap"),
            "GAUGE_BOOTSTRAP": "".join(f"{name}={value}\n" for name, value in settings.items()),
        },
    )
    assert (outcome.returncode, outcome.stdout) == (0, b"ran\n")
    [warning] = outcome.stderr.splitlines()
    assert warning.startswith(b"gauge: ")
    assert warning.endswith(b"(the program runs on, unrecorded)")


@pytest.mark.parametrize("settings", ["", "nonsense", "output=x\n", "output\n=\n\n", "run=/nowhere\nrecorders=x\n"])
def test_settings_of_any_kind_do_no_harm(interpreter: Interpreter, stage: pathlib.Path, settings: str) -> None:
    environment = {"PYTHONPATH": str(stage / "lib/gauge/bootstrap"), "GAUGE_BOOTSTRAP": settings}
    outcome = run([interpreter.path, "-c", "print('ran')"], env=environment)
    assert (outcome.returncode, outcome.stdout) == (0, b"ran\n")
    assert len(outcome.stderr.splitlines()) <= 1
