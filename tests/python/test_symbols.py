"""The extension brings nothing into a process that could meet another copy there."""

from __future__ import annotations

import subprocess

from gauge_testing import Interpreter


def output_of(*command: str) -> list[str]:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()


def test_nothing_is_exported_but_the_init_function(recordable: Interpreter) -> None:
    symbols = output_of("nm", "--dynamic", "--defined-only", "--format=just-symbols", str(recordable.recorder))
    assert symbols == ["PyInit__recorder"]


def test_only_the_c_library_is_needed(recordable: Interpreter) -> None:
    needed = [line for line in output_of("readelf", "--dynamic", str(recordable.recorder)) if "(NEEDED)" in line]
    libraries = {line.split("[")[1].rstrip("]") for line in needed}
    assert libraries <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}


def test_there_is_no_protobuf_runtime(recordable: Interpreter) -> None:
    symbols = output_of("nm", "--demangle", str(recordable.recorder))
    assert len(symbols) > 1000  # not stripped: the next line means something
    assert not [symbol for symbol in symbols if "google::protobuf" in symbol]
