"""Writes the line tables of this interpreter's code for recorded_program.py, as inputs of line_table_fuzz.cc.

usage: make_line_tables.py FOLDER
"""

from __future__ import annotations

import pathlib
import struct
import sys
from collections.abc import Iterator
from types import CodeType

PROGRAM = pathlib.Path(__file__).with_name("recorded_program.py")
KIND = min(max(sys.version_info.minor - 9, 0), 2)  # of LineTableKind


def code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    module = compile(PROGRAM.read_bytes(), "program.py", "exec")
    for number, code in enumerate(code_objects(module)):
        table = code.co_linetable if sys.version_info >= (3, 10) else code.co_lnotab
        name = f"3.{sys.version_info.minor}-{number}"
        (folder / name).write_bytes(struct.pack("<BI", KIND, code.co_firstlineno) + table)


if __name__ == "__main__":
    main()
