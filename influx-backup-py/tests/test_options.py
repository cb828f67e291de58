"""`options.py` has the options of the core, with its types and choices, and no other."""

import ast
import inspect
import json
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from influx_backup import Location, Repository, certify, discover, options

CORE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "influx-backup-core" / "options.json").read_text()
)
CLASSES = {name: getattr(options, name) for name in options.__all__ if hasattr(getattr(options, name), "__total__")}
OPTIONS = [(struct, option) for struct, names in CORE.items() for option in names]

TYPES: dict[str, set[Any]] = {
    "string": {str},
    "integer": {int},
    "duration": {timedelta, str, float},
    "byte size": {int, str},
    "list of strings": {Sequence[str]},
}


def alternatives(hint: object) -> set[object]:
    """The types of a union, and the values of a literal."""
    if get_origin(hint) in (Union, UnionType):
        return set[object]().union(*(alternatives(part) for part in get_args(hint)))
    if get_origin(hint) is Literal:
        return {(type(value), value) for value in get_args(hint)}
    if hint is bool:
        return {(bool, False), (bool, True)}
    return {hint}


def expected(described: dict[str, Any]) -> set[object]:
    """The alternatives of an option, as the core describes it."""
    kind = described["type"]
    allowed: set[object]
    if kind == "choice":
        allowed = {(type(choice), choice) for choice in described["choices"]}
    elif kind in CLASSES:
        allowed = {CLASSES[kind]}
    else:
        allowed = {*TYPES[kind]}
    return allowed | {NoneType} if described["nullable"] else allowed


def test_there_is_a_class_for_every_struct() -> None:
    assert sorted(CLASSES) == sorted(CORE)


@pytest.mark.parametrize("struct", CORE)
def test_a_class_has_the_options_of_its_struct(struct: str) -> None:
    assert sorted(CLASSES[struct].__annotations__) == sorted(CORE[struct])
    assert CLASSES[struct].__required_keys__ == frozenset()


@pytest.mark.parametrize(("struct", "option"), OPTIONS)
def test_an_option_has_the_type_and_choices_of_the_core(struct: str, option: str) -> None:
    hints = get_type_hints(CLASSES[struct], localns={"Location": Location})
    assert alternatives(hints[option]) == expected(CORE[struct][option])


@pytest.mark.parametrize("struct", CORE)
def test_every_option_is_described(struct: str) -> None:
    (body,) = ast.parse(inspect.getsource(CLASSES[struct])).body
    assert isinstance(body, ast.ClassDef)
    described = {
        before.target.id
        for before, after in pairwise(body.body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
    assert described == set(CORE[struct])


@pytest.mark.parametrize(("struct", "option"), OPTIONS)
def test_choices_name_their_default(struct: str, option: str) -> None:
    described = CORE[struct][option]
    if described["type"] == "choice" and option != "servers_stopped":
        source = inspect.getsource(CLASSES[struct])
        text = source.split(f"    {option}: ", 1)[1].split('"""')[1]
        assert f"- `{described['default']}` (default)" in text


@pytest.mark.parametrize(
    ("verb", "structs"),
    [
        (certify, ["CertifyOptions"]),
        (discover, ["DiscoverOptions"]),
        (Repository.backup, ["BackupOptions", "DiscoverOptions"]),
        (Repository.plan_restore, ["RestoreOptions"]),
        (Repository.restore, ["RestoreRunOptions"]),
        (Repository.verify, ["VerifyOptions"]),
    ],
)
def test_help_of_a_verb_lists_its_options(verb: Callable[..., object], structs: list[str]) -> None:
    listed = re.split(r"\n\n", (verb.__doc__ or "").split("**options:", 1)[1])[0]
    named = set(re.findall(r"`([a-z_]+)`", listed))
    assert named == {option for struct in structs for option in CORE[struct]}
