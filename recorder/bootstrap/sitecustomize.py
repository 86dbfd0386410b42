"""Starts the recorder in a Python that runs below ``gauge record``, and leaves no trace of itself.

Python imports ``sitecustomize`` at start-up; this folder stands first in PYTHONPATH. Three steps: take our entries out
of ``sys.path``, ``os.environ`` and ``sys.modules``; start the recorder that fits this interpreter; import the
program's own ``sitecustomize`` in our place, so that Python's ``site`` sees exactly what it would see without us, its
absence and its errors included.

Nothing is imported that a bare Python has not imported by now, and nothing raises into the program: what goes wrong is
one line on stderr. The settings and the log are those of cli/bootstrap.h. Runs on every CPython from 3.8.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # for type checkers only: typing is not to be imported
    from collections.abc import Callable, Iterator
    from types import ModuleType

_VARIABLE = b"GAUGE_BOOTSTRAP"
_PYTHONPATH = b"PYTHONPATH"
_MOST_NAMES = 1000  # recordings tried for one process before it goes unrecorded

# Names are text; values are bytes, so that any path survives.
_Settings = dict  # of str and bytes; 3.8 cannot say so


def _unescape(field: bytes) -> bytes:
    # No byte of an environment variable is zero, so zero can stand for the escaped backslash meanwhile.
    plain = field.replace(b"\\\\", b"\0").replace(b"\\n", b"\n").replace(b"\\t", b"\t")
    return plain.replace(b"\0", b"\\")


def _escape(field: bytes) -> bytes:
    return field.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\t", b"\\t")


def _read_settings() -> _Settings:
    """What `gauge record` handed down; empty where it did not, as in a subinterpreter after the first."""
    lines = os.environb.get(_VARIABLE, b"").split(b"\n")
    pairs = (line.split(b"=", 1) for line in lines if b"=" in line)
    return {name.decode(): _unescape(value) for name, value in pairs}


def _warn(message: str) -> None:
    try:  # noqa: SIM105  contextlib is not to be imported
        os.write(2, b"gauge: " + os.fsencode(message.replace("\n", " ")) + b"\n")
    except (OSError, ValueError):
        pass  # a program without stderr is no reason to fail


def _report(settings: _Settings, kind: str, detail: bytes) -> None:
    """Add a line to the log of the run, which is gone when `gauge record` is."""
    line = b"%s\t%d\t%s\n" % (kind.encode(), os.getpid(), _escape(detail))
    try:
        log = os.open(os.path.join(settings["run"], b"log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return
    try:
        os.write(log, line)  # one call: lines of several processes do not mix
    except OSError:
        pass
    finally:
        os.close(log)


def _is_first(settings: _Settings) -> bool:
    """Whether no other process of the run was recorded before. Where that cannot be told, none was."""
    try:
        os.close(os.open(os.path.join(settings["run"], b"first"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except (FileExistsError, FileNotFoundError):
        return False
    except OSError:
        return True
    return True


def _restore_pythonpath(folder: bytes, settings: _Settings) -> None:
    """Take our folder out; where nobody else changed the variable, it is again what it was, or is not."""
    current = os.environb.get(_PYTHONPATH)
    if current is None:
        return
    before = settings.get("pythonpath")
    if current == folder + (b":" + before if before else b""):
        rest = before
    else:
        rest = b":".join(entry for entry in current.split(b":") if entry != folder) or None
    if rest is None:
        del os.environb[_PYTHONPATH]
    else:
        os.environb[_PYTHONPATH] = rest


def _erase_traces(folder: str, settings: _Settings) -> None:
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    sys.modules.pop(__name__, None)
    if settings.get("subprocesses") != b"1":
        os.environb.pop(_VARIABLE, None)
        _restore_pythonpath(os.fsencode(folder), settings)


def _interpreter_name() -> str:
    """The folder of the recorder for this interpreter: "cpython-3.12", "cpython-3.13t"."""
    free_threaded = "t" if "t" in getattr(sys, "abiflags", "") else ""
    return "%s-%d.%d%s" % (sys.implementation.name, sys.version_info[0], sys.version_info[1], free_threaded)


def _forget_modules_since(before: "set[str]") -> None:
    """Take out of `sys.modules` what only we have asked for."""
    for name in ("_recorder", "atexit"):
        # CPython 3.9 and older keep the callbacks in the module, which must stay; later ones in the interpreter.
        if name not in before and (name != "atexit" or sys.version_info >= (3, 10)):
            sys.modules.pop(name, None)


def _load_recorder(settings: _Settings) -> "ModuleType":
    """The extension module, by its path; `sys.modules` stays as it is. Raises ImportError with words for the user."""
    directory = os.fsdecode(settings["recorders"])
    name = _interpreter_name()
    path = os.path.join(directory, name, "_recorder.so")
    if not os.path.exists(path):
        known = sorted(entry for entry in os.listdir(directory)) if os.path.isdir(directory) else []
        raise ImportError(
            "no recorder for %s (this gauge has %s); run the program with one of those"
            % (name, ", ".join(known) or "none at all")
        )
    # Both are in every Python from the start; importlib, their public face, is not.
    bootstrap, external = sys.modules["_frozen_importlib"], sys.modules["_frozen_importlib_external"]
    before = set(sys.modules)
    spec = external.spec_from_file_location("_recorder", path)
    module = bootstrap.module_from_spec(spec)
    spec.loader.exec_module(module)
    _forget_modules_since(before)
    return module


def _names(settings: _Settings, is_first: bool) -> "Iterator[str]":
    """Patterns to try, best first. Only the first process may have, or replace, the very file that was asked for."""
    pattern = os.fsdecode(settings["output"])
    if is_first:
        yield pattern
        return
    stem, suffix = (pattern[:-4], ".gpf") if pattern.endswith(".gpf") else (pattern, "")
    if "%p" not in pattern.replace("%%", ""):
        stem += "-%p"
    yield stem + suffix
    for number in range(2, _MOST_NAMES):  # the same process again, after exec; or a pid that came round again
        yield "%s-%d%s" % (stem, number, suffix)


def _start(module: "ModuleType", settings: _Settings, is_first: bool) -> object:
    """A running recorder. Raises the extension's Error where there can be none."""
    for pattern in _names(settings, is_first):
        recorder = module.Recorder(
            pattern,
            interval_ns=int(settings["interval_ns"]),
            duration_ns=int(settings["duration_ns"]),
            max_overhead=float(settings["max_overhead"]),
            rotate_ns=int(settings["rotate_ns"]),
            rotate_bytes=int(settings["rotate_bytes"]),
            replace=is_first and settings["replace"] == b"1",
            run_id=bytes.fromhex(settings["run_id"].decode()),
        )
        try:
            recorder.start()
        except FileExistsError:
            if is_first:
                raise
        else:
            return recorder
    raise OSError("%s: every name is taken; choose another with -o" % pattern)


def _record(module: "ModuleType", settings: _Settings, is_first: bool) -> None:
    """Start a recorder in this process and see to its end."""
    try:
        recorder = _start(module, settings, is_first)
    except Exception as error:
        _refuse(settings, str(error))
        return
    _report(settings, "started", os.fsencode(recorder.path))
    pid = os.getpid()

    def finish() -> None:
        if os.getpid() != pid:
            return  # a fork, whose recorder is another, or none
        try:
            recorder.stop("exit")
        except Exception as error:
            _report(settings, "failed", os.fsencode(str(error)))
            _warn("%s (the program is not affected)" % error)

    _at_exit(finish)
    _at_worker_exit(finish)


def _at_worker_exit(function: "Callable[[], None]") -> None:
    """A forked worker of multiprocessing leaves by os._exit: no atexit, but a list of multiprocessing's own.

    That list is emptied first thing in the worker; what runs right after may add to it. What is to run then is kept as
    long as the key it is kept by is alive, which is until it has run: else there would be one more in each generation.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is None:
        return
    key: list[set[int]] = [set()]

    def begin(_: "set[int]") -> None:
        util.Finalize(None, function, exitpriority=-1000)
        key.clear()

    util.register_after_fork(key[0], begin)


def _at_exit(function: "Callable[[], None]") -> None:
    """Register early, so run last: what the program does at its exit is recorded too."""
    before = set(sys.modules)
    import atexit

    atexit.register(function)
    _forget_modules_since(before)


def _refuse(settings: _Settings, reason: str) -> None:
    _report(settings, "refused", os.fsencode(reason))
    _warn("%s (the program runs on, unrecorded)" % reason)


def _is_loaded(settings: _Settings) -> bool:
    """Whether this process has loaded the recorder before.

    This is then a subinterpreter, which the recorder sees anyway, or a Python that was started after another one.
    """
    path = os.path.join(os.path.realpath(settings["recorders"]), os.fsencode(_interpreter_name()), b"_recorder.so\n")
    try:
        with open("/proc/self/maps", "rb") as maps:
            return any(line.endswith(b" " + path) for line in maps)
    except OSError:
        return False


def _begin(settings: _Settings) -> None:
    subprocesses = settings["subprocesses"] == b"1"
    if subprocesses and _is_loaded(settings):
        return
    is_first = _is_first(settings)
    if not is_first and not subprocesses:
        _report(settings, "skipped", b"")
        return
    try:
        module = _load_recorder(settings)
    except Exception as error:
        _refuse(settings, str(error))
        return
    _record(module, settings, is_first)
    if subprocesses:
        os.register_at_fork(after_in_child=lambda: _record(module, settings, False))


def _main() -> None:
    settings = _read_settings()
    try:
        _erase_traces(os.path.dirname(__file__), settings)
        if settings:
            _begin(settings)
    except Exception as error:
        _warn("the recorder could not be started (%s: %s); the program runs on" % (type(error).__name__, error))


_main()
import sitecustomize  # noqa: E402, F401  the program's own; Python's `site` deals with its absence and its errors
