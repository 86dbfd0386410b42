"""What `pip install` makes of this tree, installed for the tests once and kept until the tree changes."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess

from gauge_testing import REPOSITORY, Interpreter

KEPT = REPOSITORY / "build/packages"
OBJECTS = REPOSITORY / "build/package-objects"

# What no wheel is made of. All else counts, so that a folder to come is not forgotten.
OUTSIDE = (".ci", "benchmarks", "demo", "docs", "tests", "tools")


def _output(*command: str | os.PathLike[str]) -> bytes:
    return subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout


@functools.cache
def _digest_of_tree() -> bytes:
    """Of the files that a wheel is made of, committed or not, and of what compiles them."""
    digest = hashlib.sha256(_output("c++", "--version") + _output("cmake", "--version"))
    listed = _output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    for name in sorted(set(map(os.fsdecode, filter(None, listed)))):
        path = REPOSITORY / name
        if name.split("/")[0] not in OUTSIDE and path.is_file():
            digest.update(b"%s %d\n%s" % (os.fsencode(name), path.stat().st_size, path.read_bytes()))
    return digest.digest()


def installed_package(interpreter: Interpreter) -> pathlib.Path:
    """A virtual environment of `interpreter` with nothing in it but pip and what it installed of this tree.

    Made where there is none of the tree as it is, which takes minutes, and shared by all who ask: do not change it.
    All are compiled in the same folder, so that all but the first compile only what differs between interpreters.
    Raises CalledProcessError where the tree cannot be installed.
    """
    facts = f"{interpreter.path} {interpreter.version}".encode()
    key = hashlib.sha256(facts + _digest_of_tree()).hexdigest()[:16]
    folder = KEPT / f"{interpreter.id}-{key}"
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        if not (folder / "complete").exists():
            for outdated in KEPT.glob(f"{interpreter.id}-*"):
                shutil.rmtree(outdated)
            _install(interpreter, folder)
            (folder / "complete").touch()
    return folder


def _install(interpreter: Interpreter, folder: pathlib.Path) -> None:
    subprocess.run([interpreter.path, "-m", "venv", folder], check=True)
    # Compiled as the build under test, in a folder as deep: then ccache has nearly all of it.
    settings = (
        f"build-dir={OBJECTS}",
        f"cmake.define.GAUGE_PYTHONS={interpreter.path}",
        "cmake.build-type=Debug",
        "cmake.define.GAUGE_WARNINGS_AS_ERRORS=ON",
    )
    launchers = {f"CMAKE_{language}_COMPILER_LAUNCHER": "ccache" for language in ("C", "CXX")}
    # Of this machine, not the one that a Python of another was built with: another name compiles all again.
    compilers = {"CC": "cc", "CXX": "c++"}
    environment = compilers | os.environ | (launchers if shutil.which("ccache") else {})
    options = ("--quiet", "--disable-pip-version-check", *(f"--config-settings={setting}" for setting in settings))
    subprocess.run([folder / "bin/python", "-m", "pip", "install", *options, REPOSITORY], check=True, env=environment)
