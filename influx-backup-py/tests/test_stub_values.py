"""Attributes have the types that the stub of the native module says, which no type checker sees."""

import ast
import os
import tarfile
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import influx_backup as ib
import pytest
from influx_backup import _native, names

BESIDE = Path(__file__).parents[3] / "shared" / "fixtures"
RECORDINGS = Path(os.environ.get("INFLUX_BACKUP_FIXTURES") or BESIDE)

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


def documents(value: object) -> Iterator[object]:
    """A document and all that are in it."""
    if isinstance(value, tuple):
        for item in value:
            yield from documents(item)
    elif type(value).__name__ in ATTRIBUTES:
        yield value
        if not isinstance(value, ib.Location):
            for name in ATTRIBUTES[type(value).__name__]:
                yield from documents(getattr(value, name))


@pytest.fixture(scope="module")
def returned(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """What verbs return, raise and send for a recorded server."""
    recording = RECORDINGS / "core-3.10.1.tar.gz"
    if not recording.exists():
        pytest.skip(f"no recordings in {RECORDINGS}: set INFLUX_BACKUP_FIXTURES to their directory")
    place = tmp_path_factory.mktemp("stub")
    with tarfile.open(recording) as archive:
        archive.extractall(place / "data", filter="data")
    source, repo = place / "data", ib.Repository(place / "backups")
    events: list[ib.Event] = []
    backup_plan = repo.plan_backup(source)
    report = repo.backup(source, name="n1", progress=events.append)
    plan = repo.plan_restore("n1", place / "restored")
    restored = repo.restore(plan, progress=events.append)
    with pytest.raises(ib.NotFoundError) as raised:
        ib.discover(place / "backups" / "nothing")
    verified = tuple(repo.verify("n1", level=level) for level in typing.get_args(names.VerifyLevel))
    found = (ib.discover(source), ib.certify(source), repo.marker(), repo.list(), repo.get("n1"))
    return (backup_plan, report, plan, restored, verified, found, raised.value.report, *events)


def test_attributes_have_the_types_of_the_stub(returned: tuple[object, ...]) -> None:
    seen = set()
    for document in documents(returned):
        classes = [base.__name__ for base in type(document).__mro__ if base.__name__ in ATTRIBUTES]
        for name, hint in ((name, hint) for base in classes for name, hint in ATTRIBUTES[base].items()):
            value = getattr(document, name)
            assert fits(value, hint), f"{type(document).__name__}.{name} is {value!r}, not {hint}"
        seen.update(classes)
    assert seen >= {
        "BackupReport",
        "Certificate",
        "Cluster",
        "ErrorReport",
        "Event",
        "Manifest",
        "RestorePlan",
        "VerifyReport",
    }


def test_times_are_aware(returned: tuple[object, ...]) -> None:
    times = [
        value
        for document in documents(returned)
        for name in ATTRIBUTES[type(document).__name__]
        if isinstance(value := getattr(document, name), datetime)
    ]
    assert times
    assert all(time.utcoffset() == timedelta(0) for time in times)
