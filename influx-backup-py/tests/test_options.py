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
from influx_backup import Location, Repository, abandon, certify, discover, names, options, verify

CORE_SOURCE = Path(__file__).parents[2] / "influx-backup-core" / "src"
CORE: dict[str, dict[str, Any]] = json.loads(CORE_SOURCE.with_name("options.json").read_text())
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
    assert sorted(CLASSES) == sorted([*CORE, "GenerateOptions"])


def text_of(struct: str, option: str) -> str:
    """How an option is described."""
    return inspect.getsource(CLASSES[struct]).split(f"    {option}: ", 1)[1].split('"""')[1]


def shown(default: object) -> str:
    """A default as people write it."""
    if isinstance(default, int) and default >= 1 << 10:
        return f"{default >> 20} MiB" if default >= 1 << 20 else f"{default >> 10} KiB"
    units = {"ms": "ms", "s": "s", "m": "minute", "d": "day"}
    if isinstance(default, str) and (parts := re.fullmatch(r"(\d+)([a-z]+)", default)):
        unit = units[parts[2]]
        return f"{parts[1]} {unit}{'s' if len(unit) > 2 and parts[1] != '1' else ''}"
    return "none" if default == [] else f"`{default}`" if isinstance(default, str | None) else str(default)


@pytest.mark.parametrize(("struct", "option"), OPTIONS)
def test_an_option_tells_its_default_and_its_bounds(struct: str, option: str) -> None:
    described, text = CORE[struct][option], text_of(struct, option)
    if described["type"] != "choice" and described["type"] not in CLASSES:
        assert re.search(rf"Default(:|,) {re.escape(shown(described['default']))}(?!\w)", text), text
    if "minimum" in described:
        minimum, maximum = described["minimum"], described.get("maximum")
        assert f"at least {minimum}" in text or f"from {minimum} to {maximum}" in text


def test_the_options_of_generate_are_those_of_the_core() -> None:
    source = (CORE_SOURCE / "testing" / "generate" / "options.rs").read_text()
    kinds = dict(re.findall(r"^    pub (\w+): (\w+),$", source.split("pub struct GenerateOptions")[1], re.MULTILINE))
    types = {"u16": {int}, "u32": {int}, "u64": {int}, "ByteSize": {int, str}}
    types |= {name: alternatives(getattr(names, name)) for name in ("Edition", "Generation")}
    hints = get_type_hints(options.GenerateOptions, localns={"Location": Location})
    assert {option: alternatives(hint) for option, hint in hints.items()} == {
        option: types[kind] for option, kind in kinds.items()
    }
    for option, value in re.findall(r"^            (\w+): (.*),$", source, re.MULTILINE):
        number = re.fullmatch(r"(?:ByteSize\()?(\d+)(?: << (\d+)\))?", value)
        default = int(number[1]) << int(number[2] or 0) if number else value.rpartition("::")[2].lower()
        assert f"Default: {shown(default)}." in text_of("GenerateOptions", option)


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
        assert f"- `{described['default']}` (default)" in text_of(struct, option)


@pytest.mark.parametrize(
    ("verb", "structs"),
    [
        (abandon, ["AbandonOptions"]),
        (certify, ["CertifyOptions"]),
        (discover, ["DiscoverOptions"]),
        (Repository.backup, ["BackupOptions", "DiscoverOptions"]),
        (Repository.plan_restore, ["RestoreOptions"]),
        (Repository.restore, ["RestoreRunOptions"]),
        (Repository.list, ["ListOptions"]),
        (Repository.verify, ["VerifyOptions"]),
        (verify, ["VerifyOptions"]),
    ],
)
def test_help_of_a_verb_lists_its_options(verb: Callable[..., object], structs: list[str]) -> None:
    listed = re.split(r"\n\n", (verb.__doc__ or "").split("**options:", 1)[1])[0]
    named = set(re.findall(r"`([a-z0-9_]+)`", listed)) - {"plan_restore"}
    assert named == {option for struct in structs for option in CORE[struct]}
