"""What CodeCache reads of real code objects, on the interpreter that runs this: names, modules, files, lines."""

# ruff: noqa: PT009 - unittest, since the interpreters under test have no pytest
from __future__ import annotations

import functools
import importlib.util
import json
import sys
import types
import unittest
from collections.abc import Callable
from typing import Any

import names_probe

SURROGATE = "\udc80"


def request(function: types.FunctionType) -> tuple[int, int, int]:
    return id(function.__code__), id(function), id(function.__globals__)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


HAS_QUALIFIED_NAMES = sys.version_info >= (3, 11)


def qualified(name: str) -> bytes:
    """What is to be shown as the qualified name of code that is called so: before 3.11, code has none."""
    return encoded(name) if HAS_QUALIFIED_NAMES else b""


def line_table(code: types.CodeType) -> bytes:
    if sys.version_info >= (3, 10):
        return code.co_linetable
    return code.co_lnotab or b"\0\0"  # an empty one says what one pair of zeros does


def made(source: str, name: str, file: str = "<made>", module: str = "made") -> types.FunctionType:
    """The function `name` that `source` defines in a module of its own."""
    scope: dict[str, Any] = {"__name__": module}
    exec(compile(source, file, "exec"), scope)
    return scope[name]


class Shape:
    def area(self) -> Callable[[], int]:
        def inner() -> int:
            return 1

        return inner

    @classmethod
    def of(cls) -> None: ...

    class Nested:
        def method(self) -> None: ...


class NamesOfCode(unittest.TestCase):
    keep: list[object] = []  # nothing a test looks at may be freed and its address used again

    def sight(self, function: types.FunctionType) -> dict[str, Any]:
        """What is shown of a function that was never shown before."""
        self.keep.append(function)
        [answer], sights = names_probe.resolve([request(function)])
        self.assertEqual([sight["code"] for sight in sights], [answer["id"]])
        return sights[0]

    def check(self, function: types.FunctionType) -> None:
        sight = self.sight(function)
        code = function.__code__
        self.assertEqual(sight["name"], encoded(code.co_name))
        self.assertEqual(sight["qualname"], qualified(getattr(code, "co_qualname", "")))
        self.assertEqual(sight["file"], encoded(code.co_filename))
        self.assertEqual(sight["first_line"], code.co_firstlineno)
        self.assertEqual(sight["table"], line_table(code))
        self.assertEqual(sight["module"], encoded(function.__globals__.get("__name__", "")))

    def test_function_method_class_method_nested_function_lambda(self) -> None:
        for function in (request, Shape.area, Shape.of.__func__, Shape.Nested.method, Shape().area(), lambda: None):
            self.check(function)

    def test_qualified_name_is_the_full_one(self) -> None:
        source = "class A:\n  class B:\n    def f(self):\n      return lambda: 0\n"
        scope: dict[str, Any] = {"__name__": "pkg.mod"}
        exec(compile(source, "<made>", "exec"), scope)
        sight = self.sight(scope["A"]().B().f())
        self.assertEqual((sight["module"], sight["qualname"]), (b"pkg.mod", qualified("A.B.f.<locals>.<lambda>")))

    def test_code_of_modules_classes_and_comprehensions(self) -> None:
        code = compile("class C: pass\nx = {k: v for k, v in ()}\n(i for i in ())\n", "<string>", "exec")
        for part in (code, *(constant for constant in code.co_consts if isinstance(constant, types.CodeType))):
            self.check(types.FunctionType(part, {"__name__": "some.module"}))

    def test_frozen_and_library_code(self) -> None:
        for function in (importlib.util._find_spec, json.dumps, functools.wraps):
            self.check(function)

    def test_static_code_of_frozen_modules(self) -> None:
        self.check(importlib._bootstrap._find_and_load)

    def test_names_beyond_ascii(self) -> None:
        for name in ("f\u00e9", "\u03bb\u0436", "\U00010400name", "\u540d\u524d"):
            function = made(f"def {name}(): ...", name, module=name, file=f"/tmp/{name}.py")
            self.check(function)

    def test_lone_surrogates_are_three_bytes(self) -> None:
        function = made("def f(): ...", "f", file=f"/tmp/{SURROGATE}\u540d.py")
        self.assertEqual(self.sight(function)["file"], b"/tmp/\xed\xb2\x80\xe5\x90\x8d.py")

    def test_ten_thousand_characters_come_whole(self) -> None:
        for letter in ("a", "\u00e9", "\u540d", "\U00010400"):
            name = letter * 10_000
            self.check(made(f"def {name}(): ...", name))

    def test_longer_names_are_cut_after_a_character(self) -> None:
        name = "\u540d" * 40_000
        [sight] = [self.sight(made(f"def {name}(): ...", name))]
        self.assertEqual(sight["name"], encoded("\u540d" * (65536 // 3)))

    def test_name_of_a_subclass_of_str(self) -> None:
        class Text(str):
            pass

        function = made("def f(): ...", "f")
        function.__code__ = function.__code__.replace(co_name=Text("f\u540d"), co_filename=Text("plain.py"))
        self.check(function)

    def test_line_table_beyond_64_kib(self) -> None:
        statements = 9_000 if sys.version_info >= (3, 11) else 20_000
        body = "\n".join(f"    x = [\n        {i},\n        {i} + f({i})]" for i in range(statements))
        function = made(f"def long(f):\n{body}\n", "long")
        self.assertGreater(len(line_table(function.__code__)), 65536)
        self.check(function)

    def test_line_table_beyond_the_limit_is_left_out_and_nothing_else(self) -> None:
        function = made("def f(): ...", "f")
        field = "co_linetable" if sys.version_info >= (3, 10) else "co_lnotab"
        function.__code__ = function.__code__.replace(**{field: bytes([0xF8]) * 600_000})
        sight = self.sight(function)
        self.assertEqual((sight["name"], sight["table"]), (b"f", b""))

    def test_module_is_where_the_code_is_not_what_a_wrapper_claims(self) -> None:
        @functools.wraps(json.dumps)
        def wrapper() -> None: ...

        self.assertEqual(wrapper.__module__, "json")
        self.assertEqual(self.sight(wrapper)["module"], encoded(__name__))

    def test_module_is_empty_where_globals_have_none(self) -> None:
        function = made("def f(): ...", "f")
        del function.__globals__["__name__"]
        self.assertEqual(self.sight(function)["module"], b"")
        function = made("def f(): ...", "f")
        function.__globals__["__name__"] = 42
        self.assertEqual(self.sight(function)["module"], b"")

    def test_module_is_found_in_large_and_strange_globals(self) -> None:
        for filler in ({f"name{i}": i for i in range(50_000)}, {i: i for i in range(1000)}):
            scope: dict[Any, Any] = {**filler, "".join(["__na", "me__"]): "big.module"}
            exec("def f(): ...", scope)
            self.assertEqual(self.sight(scope["f"])["module"], b"big.module")

    def test_module_without_the_function_object(self) -> None:
        function = made("def f(): ...", "f", module="by.globals")
        self.keep += [function, function.__code__]  # code that runs has two owners; this one does not run
        code, _, globals_ = request(function)
        _, [sight] = names_probe.resolve([(code, 0, globals_)])
        self.assertEqual(sight["module"], b"by.globals")

    def test_facts_of_the_header(self) -> None:
        def parse(text: str) -> str:
            return text

        async def coroutine(a: int, b: int) -> None: ...

        async def asynchronous_generator() -> Any:
            yield 1

        def generator(a: int) -> Any:
            b = a
            yield lambda: b

        kinds = {parse: 0, generator: 1, coroutine: 2, asynchronous_generator: 3}
        for function, kind in kinds.items():
            self.keep.append(function)
            code = function.__code__
            [answer], _ = names_probe.resolve([request(function)])
            self.assertEqual(answer["kind"], kind)
            self.assertEqual(answer["bytecode_size"], len(code.co_code))
            cells = {*code.co_cellvars, *code.co_freevars} if sys.version_info >= (3, 11) else set()
            self.assertEqual(answer["local_count"], len({*code.co_varnames, *cells}))

    def test_known_code_is_not_shown_again(self) -> None:
        function = made("def f(): ...", "f")
        self.keep.append(function)
        [first], sights = names_probe.resolve([request(function)])
        self.assertEqual(len(sights), 1)
        again, sights = names_probe.resolve([request(function)] * 700)
        self.assertEqual((again, sights), ([first] * 700, []))

    def test_code_that_found_no_room_is_shown_again_before_it_gets_an_id(self) -> None:
        function = made("def f(): ...", "f")
        self.keep.append(function)
        [answer], sights = names_probe.resolve([request(function)], 1)
        self.assertEqual((answer["id"], sights), (0, []))
        [answer], [sight] = names_probe.resolve([request(function)])
        self.assertEqual(answer["id"], sight["code"])

    def test_many_new_code_objects_are_met_over_several_calls(self) -> None:
        functions = [made(f"def f{i}(): ...", f"f{i}") for i in range(600)]
        self.keep.append(functions)
        names: list[bytes] = []
        counts = []
        for _ in range(3):
            answers, sights = names_probe.resolve([request(function) for function in functions])
            names += [sight["name"] for sight in sights]
            counts.append(sum(answer["id"] != 0 for answer in answers))
        self.assertEqual(counts, [256, 512, 600])
        self.assertEqual(names, [b"f%d" % i for i in range(600)])

    def test_more_code_than_the_table_holds_gets_new_ids_never_old_ones(self) -> None:
        code = made("def f(): ...", "f").__code__
        functions = [types.FunctionType(code.replace(), {"__name__": f"m{i}"}) for i in range(10_000)]
        self.keep.append(functions)
        module_of: dict[int, bytes] = {}
        for start in (*range(0, 10_000, 200), *range(0, 10_000, 200)):
            chunk = functions[start : start + 200]
            answers, sights = names_probe.resolve([request(function) for function in chunk])
            for sight in sights:
                self.assertNotIn(sight["code"], module_of)
                module_of[sight["code"]] = sight["module"]
            for function, answer in zip(chunk, answers):
                self.assertEqual(module_of[answer["id"]], encoded(function.__globals__["__name__"]))

    def test_what_is_no_code_object_has_no_id(self) -> None:
        strange = [0, 8, id(None), id("text"), id(self), 1 << 47, (1 << 64) - 8, id(encoded)]
        good = made("def f(): ...", "f")
        self.keep.append(good)
        requests = [(address, 1, address) for address in strange] + [request(good)]
        answers, sights = names_probe.resolve(requests * 2)
        self.assertEqual([answer["id"] for answer in answers], ([0] * len(strange) + [sights[0]["code"]]) * 2)

    def test_init_shim_is_known_as_one(self) -> None:
        shim = made("def __init__(): ...", "__init__", file="__init__")
        shim.__code__ = shim.__code__.replace(co_firstlineno=0)
        ordinary = made("def __init__(): ...", "__init__", file="__init__")
        self.keep += [shim, ordinary]
        for _ in range(2):
            answers, _ = names_probe.resolve([request(shim), request(ordinary)])
            self.assertEqual([answer["is_shim"] for answer in answers], [True, False])
            self.assertEqual(answers[0]["id"], 0)


class CodeThatComesAndGoes(unittest.TestCase):
    def watch(
        self, count: int, make: Callable[[int], types.FunctionType], calls: Callable[[int], int]
    ) -> list[dict[str, Any]]:
        """What is shown of `count` functions made one after the other, or of more, until there are some sights."""
        names_probe.start_watching()
        i = 0
        while i < count or names_probe.sight_count() < 100:
            function = make(i)
            names_probe.post(*request(function))
            for _ in range(calls(i)):
                function()
            i += 1
            del function  # the watcher goes on looking at where it was
        *_, sights = names_probe.stop_watching()
        return sights

    def test_compiled_code_never_shows_a_combination_that_did_not_exist(self) -> None:
        def make(i: int) -> types.FunctionType:
            lines = "\n" * (i % 251)
            return made(f"{lines}def name_{i}(): return {i}", f"name_{i}", file=f"file_{i}.py", module=f"module_{i}")

        sights = self.watch(30_000, make, calls=lambda i: 1)
        for sight in sights:
            i = int(sight["name"].split(b"_")[1])
            self.assertEqual(sight["qualname"], qualified(f"name_{i}"))
            self.assertEqual(sight["file"], b"file_%d.py" % i)
            # The collector empties the globals of a dead module before it frees what was defined in it.
            self.assertIn(sight["module"], (b"module_%d" % i, b""))
            self.assertEqual(sight["first_line"], i % 251 + 1)
        self.assertLess(sum(sight["module"] == b"" for sight in sights), len(sights) / 100)

    def test_copied_code_at_few_addresses_never_shows_a_mixture(self) -> None:
        """replace() is fast, and everything of a code object comes back at the address of its predecessor's."""
        template = made("def f(): pass", "f")
        scope = {"__name__": "copies"}

        def make(i: int) -> types.FunctionType:
            text = f"{i:08}"
            changes: dict[str, Any] = {"co_name": "n" + text, "co_filename": "f" + text, "co_firstlineno": i + 1}
            if HAS_QUALIFIED_NAMES:
                changes["co_qualname"] = "q" + text
            code = template.__code__.replace(**changes)
            return types.FunctionType(code, scope)

        # Some live long enough to be read, most die meanwhile.
        sights = self.watch(100_000, make, calls=lambda i: 2000 if i % 16 == 0 else i % 4)
        for sight in sights:
            i = sight["first_line"] - 1
            texts = (sight["name"], sight["qualname"], sight["file"])
            self.assertEqual(texts, (b"n%08d" % i, qualified(f"q{i:08}"), b"f%08d" % i))

    def test_an_id_belongs_to_one_name_while_code_comes_and_goes(self) -> None:
        """The id of an answer is that of the code object that is there, not of its predecessor."""
        for i in range(1_000):
            function = made(f"def other_{i}(): ...", f"other_{i}")
            [answer], sights = names_probe.resolve([request(function)])
            self.assertEqual([(sight["code"], sight["name"]) for sight in sights], [(answer["id"], b"other_%d" % i)])


def cost() -> None:
    for count in (1, 5, 25, 200):
        functions = [made(f"def g{i}(): ...", f"g{i}") for i in range(count)]
        requests = [request(function) for function in functions]
        names_probe.resolve(requests)
        nanoseconds = names_probe.measure(requests, 200)
        print(f"  {count} known code objects: {nanoseconds:.0f} ns, {nanoseconds / count:.0f} each", flush=True)


if __name__ == "__main__":
    print(sys.version)
    if "--cost" in sys.argv:
        cost()
    else:
        unittest.main()
