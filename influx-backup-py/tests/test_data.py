"""Data: each class can be shown, compared, hashed, pickled, and written and read as JSON."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import influx_backup as ib
import pytest

TAKEN = [
    "AbsentTable", "BackupPlan", "BackupReport", "BackupSummary", "CatalogNode", "Certificate", "ClauseResult",
    "ClusterDescription", "ErrorReport", "Finding", "FoundGeneration", "Guaranteed", "Hint", "Identity", "Leftover",
    "Manifest", "Node", "PassReport", "Progress", "Reached", "RecoveryPoint", "RepositoryMarker", "RestorePlan",
    "RestoreReport", "ServerReleases", "Skipped", "VerifyReport",
]  # fmt: skip


def within(value: object) -> Iterator[Any]:
    """A document and every other one that its attributes hold."""
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from within(item)
    elif isinstance(value, dict):
        yield from within(list(value.values()))
    elif hasattr(value, "to_json"):
        yield value
        for name in dir(value):
            if not name.startswith("_") and not callable(getattr(value, name)):
                yield from within(getattr(value, name))


@pytest.fixture(scope="session")
def documents(enterprise: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One document of each class that ordinary verbs return."""
    tmp = tmp_path_factory.mktemp("data")
    repository = ib.Repository(tmp / "backups")
    events: list[ib.Event] = []
    returned: list[Any] = [repository.backup(enterprise, name="n1", progress=events.append)]

    def stop(event: ib.Event) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        repository.backup(enterprise, name="n2", progress=stop)
    with pytest.raises(ib.RefusedError) as refused:
        repository.backup(enterprise, name="n2")
    absent = {"node": "n", "database": 1, "table": 2, "files": 3, "rows": 4, "newest": "2026-01-02T03:04:05Z"}
    plan = repository.plan_restore("n1", tmp / "restored")
    returned += [
        repository.plan_backup(enterprise), plan, repository.restore(plan), repository.verify("n1"), repository.list(),
        repository.leftovers(), repository.marker(), repository.get("n1").manifest, refused.value.report,
        ib.discover(enterprise).description, ib.AbsentTable.from_json(json.dumps(absent)), *events,
    ]  # fmt: skip
    return {type(document).__name__: document for document in within(returned)}


@pytest.mark.parametrize("name", TAKEN)
def test_a_document_is_data(name: str, documents: dict[str, Any]) -> None:
    document = documents[name]
    kind = type(document)
    assert name in repr(document)
    again = kind.from_json(document.to_json())
    assert again == document and hash(again) == hash(document)
    assert pickle.loads(pickle.dumps(document)) == document
    assert document.to_dict() == json.loads(document.to_json())
    assert document != object() and document != 5
    with pytest.raises(ValueError):
        kind.from_json('"something else"')
    with pytest.raises(AttributeError):
        document.other = 1


def test_no_class_is_forgotten() -> None:
    known = {*TAKEN, "AbandonReport"}
    classes = {name for name, it in vars(ib).items() if isinstance(it, type) and hasattr(it, "from_json")}
    assert {name for name in classes if not issubclass(getattr(ib, name), ib.Event)} == known


def test_events_are_data(documents: dict[str, Any]) -> None:
    events = [document for document in documents.values() if isinstance(document, ib.Event)]
    assert {event.kind for event in events} >= {"pass_started", "stage_started", "certified", "committed", "finished"}
    for event in events:
        again = ib.Event.from_json(event.to_json())
        assert type(again) is type(event) and again == event and hash(again) == hash(event)
        assert pickle.loads(pickle.dumps(event)) == event and event.at.tzinfo is not None


def test_locations_are_equal() -> None:
    assert ib.Location("/data") == ib.Location("/data")
    assert pickle.loads(pickle.dumps(ib.Location("/data"))) == ib.Location("/data")


def test_clusters_are_data(core: Path) -> None:
    assert ib.discover(core) == ib.discover(core)
