"""Attributes have the types that the stub of the native module says, which no type checker sees."""

import ast
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import influx_backup as ib
import pytest
from influx_backup import _native, names
from test_data import Documents
from test_data import documents as of_every_class  # noqa: F401

STUB = ast.parse(Path(_native.__file__).with_name("_native.pyi").read_text())
NAMES = {
    **vars(_native),
    **vars(names),
    **vars(typing),
    "Mapping": Mapping,
    "datetime": datetime,
    "timedelta": timedelta,
}


def is_property(item: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "property" for decorator in item.decorator_list)


def attributes() -> dict[str, dict[str, Any]]:
    """The attributes of each class of the stub, with their types."""
    return {
        stub.name: {
            item.name: eval(ast.unparse(item.returns), NAMES)
            for item in stub.body
            if isinstance(item, ast.FunctionDef) and item.returns and is_property(item)
        }
        for stub in STUB.body
        if isinstance(stub, ast.ClassDef)
    }


ATTRIBUTES = attributes()


def fits(value: object, hint: Any) -> bool:
    """Whether a value has a type."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is typing.Literal:
        return value in parts
    if origin is tuple and isinstance(value, tuple):
        expected = parts[:1] * len(value) if parts[-1] is Ellipsis else parts
        return len(value) == len(expected) and all(map(fits, value, expected))
    if origin in (dict, Mapping) and isinstance(value, dict):
        return all(fits(key, parts[0]) and fits(item, parts[1]) for key, item in value.items())
    return type(value) is hint


NOT_SEEN = {"CopyContext", "CopyRequest", "Event", "Job", "Repository"}
"""Classes whose values copiers and jobs have while they run."""


@pytest.fixture(scope="module")
def values(request: pytest.FixtureRequest, core: Path, committed: ib.Repository) -> list[object]:
    """Values of every class: what verbs return, raise and send."""
    documents: Documents = request.getfixturevalue("of_every_class")
    others = [ib.discover(core), committed.get("n1"), committed.location, committed.verify("n1", level="listing")]
    return [*others, *(document for of_class in documents.values() for document in of_class)]


def test_attributes_have_the_types_of_the_stub(values: list[object]) -> None:
    seen = set()
    for value in values:
        classes = [base.__name__ for base in type(value).__mro__ if base.__name__ in ATTRIBUTES]
        for name, hint in ((name, hint) for base in classes for name, hint in ATTRIBUTES[base].items()):
            attribute = getattr(value, name)
            assert fits(attribute, hint), f"{type(value).__name__}.{name} is {attribute!r}, not {hint}"
        seen.update(classes)
    assert {name for name, attributes in ATTRIBUTES.items() if attributes} - seen <= NOT_SEEN


def test_times_are_aware(values: list[object]) -> None:
    times = [
        attribute
        for value in values
        for name in ATTRIBUTES[type(value).__name__]
        if isinstance(attribute := getattr(value, name), datetime)
    ]
    assert times
    assert all(time.utcoffset() == timedelta(0) for time in times)
