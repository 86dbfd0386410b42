"""Write the line table of every code object of this interpreter's standard library, and what CPython reads in it.

Little-endian on stdout, for line_table_stdlib_test.cc: u32 minor version of this CPython, then per code object
  i32 first line, u32 bytes of bytecode, u32 bytes of table, table, u32 ranges, ranges x (u32 start, u32 end, i32 line),
  u32 columns, columns x i32 column
with -1 where there is no line, or no column. There is a column, in bytes from 0 on, for each code unit, but none before
CPython 3.11. Runs on CPython 3.9 and later. Nothing of the library is executed.
"""

from __future__ import annotations

import dis
import marshal
import pathlib
import struct
import sys
import sysconfig
from collections.abc import Iterator
from types import CodeType
from typing import BinaryIO

PYC_HEADER_BYTES = 16  # PEP 552


def code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


def modules() -> Iterator[CodeType]:
    """Compiled modules: from their .pyc where there is one, which saves compiling a thousand files."""
    for source in sorted(pathlib.Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" in source.parts or "dist-packages" in source.parts:
            continue
        cached = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        try:
            if cached.exists():
                yield marshal.loads(cached.read_bytes()[PYC_HEADER_BYTES:])
            else:
                yield compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
        except (SyntaxError, ValueError, UnicodeDecodeError):
            continue  # files that are meant not to compile, such as tests of the compiler


def ranges(code: CodeType) -> list[tuple[int, int, int]]:
    if sys.version_info >= (3, 10):
        return [(start, end, -1 if line is None else line) for start, end, line in code.co_lines()]
    starts = [*dis.findlinestarts(code), (len(code.co_code), 0)]
    return [(start, end, line) for (start, line), (end, _) in zip(starts, starts[1:])]


def columns(code: CodeType) -> list[int]:
    if sys.version_info < (3, 11):
        return []
    return [-1 if column is None else column for _, _, column, _ in code.co_positions()]


def write(code: CodeType, out: BinaryIO) -> None:
    table = code.co_linetable if sys.version_info >= (3, 10) else code.co_lnotab or b"\0\0"
    expected = ranges(code)
    out.write(struct.pack("<iII", code.co_firstlineno, len(code.co_code), len(table)))
    out.write(table)
    out.write(struct.pack("<I", len(expected)))
    for entry in expected:
        out.write(struct.pack("<IIi", *entry))
    by_unit = columns(code)
    out.write(struct.pack(f"<I{len(by_unit)}i", len(by_unit), *by_unit))


def long_function() -> CodeType:
    """One function whose table is longer than 64 KiB, where tables are cut elsewhere.

    Not much longer: to look up every instruction takes the square of its length.
    """
    statements = 3500 if sys.version_info >= (3, 11) else 12000
    body = "\n".join(f"    x{i % 50} = [\n        {i},\n        f(x{i % 40}, {i})]" for i in range(statements))
    module = compile(f"def long(f):\n    x0 = 0\n{body}\n", "<long>", "exec", dont_inherit=True)
    return next(code for code in code_objects(module) if code.co_name == "long")


def main() -> None:
    out = sys.stdout.buffer
    out.write(struct.pack("<I", sys.version_info.minor))
    write(long_function(), out)
    for module in modules():
        for code in code_objects(module):
            write(code, out)


if __name__ == "__main__":
    main()
