"""Prints what this interpreter's compiler calls every code object of its standard library.

A line for each: file, co_name, co_firstlineno and qualified name, with tabs between. Run by the interpreter in
question, 3.9 to 3.11, without Gauge.
"""

from __future__ import annotations

import importlib.machinery
import opcode
import os
import sys
import sysconfig
import types
import warnings
from collections.abc import Iterator

LOAD_CONST = opcode.opmap["LOAD_CONST"]
STORE_NAME = opcode.opmap["STORE_NAME"]


def instructions(code: types.CodeType) -> Iterator[tuple[int, int]]:
    """Operations and arguments of the code, extended arguments put together. `dis` knows more, and is slow."""
    argument = 0
    for operation, low in zip(code.co_code[::2], code.co_code[1::2]):
        argument = argument << 8 | low
        if operation != opcode.EXTENDED_ARG:
            yield operation, argument
            argument = 0


def name_of_class(code: types.CodeType) -> str | None:
    """What the body of a class stores as its __qualname__, before anything else; None for a function."""
    constant = None
    for operation, argument in instructions(code):
        if operation == STORE_NAME and code.co_names[argument] == "__qualname__":
            return constant
        if operation == STORE_NAME and code.co_names[argument] != "__module__":
            return None
        if operation == LOAD_CONST:
            constant = code.co_consts[argument]
    return None


def nested_code(code: types.CodeType) -> Iterator[tuple[types.CodeType, str]]:
    """Code objects among the constants with their qualified names.

    To 3.10 these are the constants loaded after them, for MAKE_FUNCTION; but a class gets its own in its body.
    """
    nested = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    if sys.version_info >= (3, 11):
        yield from ((each, each.co_qualname) for each in nested)
    elif nested:
        before = None
        for operation, argument in instructions(code):
            constant = code.co_consts[argument] if operation == LOAD_CONST else None
            if isinstance(before, types.CodeType):
                yield before, name_of_class(before) or constant
            before = constant


def all_code(code: types.CodeType) -> Iterator[tuple[types.CodeType, str]]:
    """The code objects in `code`, however deep."""
    waiting = [code]
    while waiting:
        for nested, name in nested_code(waiting.pop()):
            yield nested, name
            waiting.append(nested)


def sources() -> Iterator[str]:
    """The files of the standard library, without what was installed beside it."""
    for folder, folders, files in os.walk(sysconfig.get_path("stdlib")):
        if "site-packages" in folders:
            folders.remove("site-packages")
        yield from (os.path.join(folder, file) for file in sorted(files) if file.endswith(".py"))


def main() -> None:
    sys.dont_write_bytecode = True
    sys.stdout.reconfigure(encoding="utf-8")
    warnings.simplefilter("ignore")
    for path in sources():
        try:
            # From the cache where it is there: it was made by this compiler, and saves most of the time.
            module = importlib.machinery.SourceFileLoader("module", path).get_code("module")
        except (SyntaxError, ValueError):  # the library has files of other versions, and files broken on purpose
            continue
        for code, name in all_code(module):
            print(path, code.co_name, code.co_firstlineno, name, sep="\t")


if __name__ == "__main__":
    main()
