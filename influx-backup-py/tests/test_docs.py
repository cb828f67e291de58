"""What `help()` shows: every public name has a docstring, in words of Python, and the stub has the same."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import influx_backup as ib
import pytest
from influx_backup import _native, copiers, errors, jobs, names, options, orchestrators, progress, testing

MODULES = (ib, copiers, errors, jobs, names, options, orchestrators, progress, testing)
NOT_OF_PYTHON = re.compile(r"::|\b(Display|crate|Rust|enum|struct|trait|impl|Option|Vec|Some)\b|\bOk\(|\bErr\(")
STUB = Path(_native.__file__).with_name("_native.pyi")


def documented(of: object) -> str | None:
    """The docstring of a name itself, not that of the type of its value."""
    inherited = None if isinstance(of, type) else type(of).__doc__
    return None if of.__doc__ == inherited else of.__doc__


def attributes(of: type) -> Iterator[tuple[str, object]]:
    """The public attributes of a class, without those that a base has already."""
    for name, value in (dict.fromkeys(getattr(of, "__annotations__", ())) | dict(vars(of))).items():
        if not name.startswith("_") and not any(name in vars(base) for base in of.__mro__[1:]):
            yield name, value.__func__ if isinstance(value, staticmethod | classmethod) else value


def described(file: Path) -> dict[str, str]:
    """The texts below assignments of a module and its classes, as `name` and `Class.name`: they are no `__doc__`."""

    def read(body: list[ast.stmt], of: str) -> Iterator[tuple[str, str]]:
        for statement, text in pairwise(body):
            match statement, text:
                case (
                    (ast.AnnAssign(target=target) | ast.Assign(targets=[target])),
                    ast.Expr(ast.Constant(str() as said)),
                ):
                    yield of + ast.unparse(target), said
        for statement in body:
            if isinstance(statement, ast.ClassDef):
                yield from read(statement.body, f"{statement.name}.")

    return dict(read(ast.parse(file.read_text()).body, ""))


def public() -> dict[str, str | None]:
    """Every public name with its docstring: modules, what they have in `__all__`, attributes of classes."""
    below = described(STUB)
    for module in MODULES:
        below |= described(Path(module.__file__ or ""))
    found: dict[str, str | None] = {}
    for module in MODULES:
        found[module.__name__] = module.__doc__
        for name in module.__all__:
            value = getattr(module, name)
            found[f"{module.__name__}.{name}"] = below.get(name) or documented(value)
            for attribute, of in attributes(value) if isinstance(value, type) else ():
                path = f"{name}.{attribute}"
                found[f"{module.__name__}.{path}"] = below.get(path) or documented(of)
    return found


PUBLIC = public()


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_a_docstring_in_words_of_python(name: str) -> None:
    doc = PUBLIC[name]
    assert doc and doc.strip(), "it has none"
    assert not (word := NOT_OF_PYTHON.search(doc)), f"{word and word.group()!r} in {doc!r}"
    assert doc.count("`") % 2 == 0, doc


def of_the_stub() -> Iterator[tuple[str, str, str]]:
    """Each docstring of the stub, with that of the native module."""

    def compare(body: list[ast.stmt], of: object, path: str) -> Iterator[tuple[str, str, str]]:
        for item in body:
            if not isinstance(item, ast.ClassDef | ast.FunctionDef) or re.fullmatch(r"__\w+__", item.name):
                continue
            native = inspect.getattr_static(of, item.name, None)
            native = native.__func__ if isinstance(native, staticmethod) else native
            yield (
                path + item.name,
                ast.get_docstring(item) or "",
                inspect.cleandoc((native and native.__doc__) or "it is not there"),
            )
            if isinstance(item, ast.ClassDef):
                yield from compare(item.body, native, f"{item.name}.")

    yield from compare(ast.parse(STUB.read_text()).body, _native, "")


@pytest.mark.parametrize(("name", "stub", "native"), list(of_the_stub()))
def test_the_stub_has_the_docstrings_of_the_native_module(name: str, stub: str, native: str) -> None:
    assert stub.split() == native.split()
