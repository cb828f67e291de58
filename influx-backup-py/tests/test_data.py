"""Data: each class can be shown, compared, hashed, copied, pickled, and written and read as JSON."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import influx_backup as ib
import pytest
from influx_backup import testing
from influx_backup.names import Severity
from influx_backup.progress import Listener
from obstore.store import LocalStore
from situations import Meddler, before_a_copy, first, path_of, stop

CLASSES: dict[str, Any] = {
    name: it
    for name, it in {**vars(ib), "Generated": testing.Generated, "GeneratedNode": testing.GeneratedNode}.items()
    if isinstance(it, type) and hasattr(it, "from_json")
}
DATA = sorted(name for name, it in CLASSES.items() if not issubclass(it, ib.Event))
EVENTS = sorted(name for name, it in CLASSES.items() if issubclass(it, ib.Event) and it is not ib.Event)

Documents = dict[str, list[Any]]


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


class Servers:
    """Servers that stop and start at once."""

    def stop(self, node: ib.Node) -> None:
        pass

    def stopped(self, node: ib.Node) -> bool:
        return True

    def start(self, node: ib.Node) -> None:
        pass


class Troubled:
    """A copier whose first three copies fail, each in another way."""

    def __init__(self) -> None:
        self.errors = [ib.Corrupt("a bit"), ib.SourceVanished("gone"), ib.SourceChanged("another")]

    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        raise self.errors.pop() if self.errors else ib.Unsupported("no more")


def backups(tmp: Path, listen: Listener) -> Iterator[object]:
    """Two backups, of which one is damaged, one that was stopped, and what verbs say of them."""
    made = testing.generate(tmp / "data", edition="enterprise")
    first(tmp / "data" / "ingester01", "*.parquet").unlink()
    repository = ib.Repository(tmp / "backups")
    troubled: list[ib.Copier | ib.NativeCopier] = [Troubled(), *ib.default_copiers()]
    yield made
    yield repository.plan_backup(tmp / "data")
    yield repository.backup(
        tmp / "data", name="n1", progress=listen, copier=troubled, orchestrator=Servers(), object_events=True
    )
    yield repository.backup(tmp / "data", name="n3")
    first(tmp / "backups" / "n3", "manifest.json").write_bytes(b"{")
    with contextlib.suppress(ib.InfluxBackupError):
        repository.backup(tmp / "data", name="n2", copier=before_a_copy(stop))
    with pytest.raises(ib.RefusedError) as refused:
        repository.backup(tmp / "data", name="n2")
    yield refused.value.report
    yield repository.list(), repository.leftovers(), repository.marker(), repository.verify("n1")
    backup, cluster = repository.get("n1"), ib.discover(tmp / "data")
    yield backup.manifest, tuple(backup.objects), tuple(backup.absent), cluster.description, ib.inventory(cluster)


def restores(tmp: Path, listen: Listener) -> Iterator[object]:
    """A restore that is looked at while it runs and then given up, one that ends, and one that replaces its data."""
    repository, target = ib.Repository(tmp / "backups"), tmp / "restored"
    looks: list[object] = []

    def look(request: ib.CopyRequest) -> None:
        looks.append(ib.inspect(target))
        stop(request)

    with contextlib.suppress(ib.InfluxBackupError):
        repository.restore("n1", target, copier=Meddler(look, ""))
    yield looks
    yield ib.abandon(target)
    plan = repository.plan_restore("n1", target)
    yield plan, repository.restore(plan)
    (first(target, "*.wal").parent / "00000009999.wal").write_bytes(b"newer")
    replaced = repository.restore(
        "n1", target, policy="replace", progress=listen, orchestrator=Servers(), object_events=True
    )
    yield replaced, ib.certify(target), ib.inspect(target)


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """What verbs return, raise and send, by its class; no two of a class are equal."""
    tmp = tmp_path_factory.mktemp("data")
    events: list[ib.Event] = []
    returned = [*backups(tmp, events.append), *restores(tmp, events.append), *events]
    lagged = {"seq": 3, "at": "2026-01-02T03:04:05Z", "event": "lagged", "missed": 9}
    returned.append(ib.Event.from_json(json.dumps(lagged)))  # It takes thousands of events that are not read.
    found: dict[str, dict[str, Any]] = {}
    for document in within(returned):
        found.setdefault(type(document).__name__, {})[document.to_json()] = document
    return {name: list(of_class.values()) for name, of_class in found.items()}


@pytest.mark.parametrize("name", [*DATA, *EVENTS])
def test_a_document_is_data(name: str, documents: Documents) -> None:
    kind = CLASSES[name]
    for document in documents[name][:20]:
        assert type(document) is kind
        assert repr(document).lstrip("<").startswith(name) and str(document)
        assert document.to_dict() == json.loads(document.to_json())
        read = (ib.Event if issubclass(kind, ib.Event) else kind).from_json(document.to_json())
        unpickled = pickle.loads(pickle.dumps(document))
        for again in (read, unpickled, copy.copy(document), copy.deepcopy(document)):
            assert type(again) is kind and again == document and hash(again) == hash(document)
            assert again.to_json() == document.to_json()
        assert document != object() and document != 5 and document is not None


@pytest.mark.parametrize("name", [*DATA, *EVENTS])
def test_a_document_is_frozen(name: str, documents: Documents) -> None:
    document = documents[name][0]
    for attribute in ("other", *(it for it in dir(document) if not it.startswith("_"))):
        with pytest.raises(AttributeError):
            setattr(document, attribute, 1)
    with pytest.raises(TypeError):
        type(document)()


@pytest.mark.parametrize("name", [*DATA, "Event"])
def test_something_else_is_not_read(name: str) -> None:
    for json_text in ('"something else"', "[1]", "{", ""):
        with pytest.raises(ValueError):
            CLASSES[name].from_json(json_text)


def test_documents_that_differ_are_not_equal(documents: Documents) -> None:
    compared = 0
    for first_one, second in (of_class[:2] for of_class in documents.values() if len(of_class) > 1):
        assert first_one != second
        assert len({first_one, second, copy.deepcopy(second)}) == 2
        compared += 1
    assert compared > 20


def test_a_report_is_found_again_in_a_dict(documents: Documents) -> None:
    (report, *_) = documents["BackupReport"]
    assert {report: "found"}[ib.BackupReport.from_json(report.to_json())] == "found"


def test_a_finding_has_the_severity_of_its_code(documents: Documents) -> None:
    for finding in documents["Finding"]:
        severity, meaning = ib.FINDING_CODES[finding.code]
        assert finding.severity == severity and meaning
    assert {severity for severity, _ in ib.FINDING_CODES.values()} == set(get_args(Severity))


def test_times_are_aware(documents: Documents) -> None:
    for event in (event for name in EVENTS for event in documents[name]):
        assert event.at.tzinfo is not None
    (report, *_) = documents["BackupReport"]
    assert report.began.tzinfo is not None and report.committed.tzinfo is not None


def test_locations_are_data(tmp_path: Path) -> None:
    location = ib.Location(tmp_path)
    for same in (ib.Location(str(tmp_path)), ib.Location(f"file://{tmp_path}"), ib.Location(f"{tmp_path}/")):
        assert same == location and hash(same) == hash(location)
    for other in (ib.Location(tmp_path.parent), location.child("x"), str(location), None):
        assert location != other
    assert location / "x" == location.child("x") and (location / "x").parent == location
    for again in (pickle.loads(pickle.dumps(location)), copy.copy(location), copy.deepcopy(location)):
        assert again == location and str(again) == str(location)


def test_options_of_a_location_are_not_compared_and_not_pickled() -> None:
    options = {"aws_region": "eu-central-1", "aws_access_key_id": "a-key", "aws_secret_access_key": "a-secret-key"}
    location = ib.Location("s3://bucket/a", options=options)
    same = ib.Location("s3://bucket/a", options={**options, "aws_secret_access_key": "another"})
    assert location == same and hash(location) == hash(same)
    elsewhere = {**options, "aws_endpoint": "https://other.example"}
    assert location not in (
        ib.Location("s3://bucket/b", options=options),
        ib.Location("s3://bucket/a", options=elsewhere),
    )
    with pytest.raises(TypeError, match="s3://bucket/a") as refused:
        pickle.dumps(location)
    assert "a-secret-key" not in str(refused.value) + repr(location)


def test_clusters_and_backups_are_equal(core: Path, committed: ib.Repository) -> None:
    cluster = ib.discover(core)
    assert cluster == ib.discover(core) and hash(cluster) == hash(ib.discover(core))
    assert cluster.to_dict() == json.loads(cluster.to_json())
    backup = committed.get("n1")
    assert backup == committed.get("n1") and hash(backup) == hash(committed.get("n1"))
    assert path_of(backup.location).parent == path_of(committed.location)


def test_what_is_no_document_is_a_usage_error() -> None:
    for text in ("", "{", "[]", "{}", "null"):
        with pytest.raises(ib.UsageError, match=r"^this is not a BackupReport that can be used: ") as wrong:
            ib.BackupReport.from_json(text)
        assert wrong.value.code == "invalid-document"


def test_repositories_are_compared_and_pickled_by_their_place(tmp_path: Path) -> None:
    one, same = ib.Repository(tmp_path / "a"), ib.Repository(str(tmp_path / "a"))
    assert one == same and hash(one) == hash(same) and one != ib.Repository(tmp_path / "b")
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(AttributeError):
        one.lcation = 1  # type: ignore[attr-defined]


def test_options_go_with_a_path_or_a_url(tmp_path: Path) -> None:
    for place in (ib.Location(tmp_path), LocalStore(tmp_path)):
        with pytest.raises(TypeError, match=r"^options of a store go with a path or a URL"):
            ib.Location(place, options={"aws_region": "x"})


def test_what_a_path_raises_is_raised() -> None:
    class Broken:
        def __fspath__(self) -> str:
            raise ZeroDivisionError("no path")

    with pytest.raises(ZeroDivisionError):
        ib.Location(Broken())


def test_modules_are_there_when_they_are_asked_for() -> None:
    code = "import influx_backup as ib; print(ib.options.Limits, 'progress' in dir(ib), ib.progress.lines, hasattr(ib, 'no'))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.startswith("<class 'influx_backup.options.Limits'> True <function lines") and shown.endswith(
        " False\n"
    )
