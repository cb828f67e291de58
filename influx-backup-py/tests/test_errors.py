"""Exceptions: one for every code of the core."""

from __future__ import annotations

import copy
import errno
import json
import pickle
import re
from pathlib import Path

import influx_backup as ib
import pytest
from influx_backup import errors
from influx_backup.options import Limits

OF_CATEGORY: dict[str, tuple[type[ib.InfluxBackupError], type[Exception]]] = {
    "usage": (ib.UsageError, ValueError),
    "not_found": (ib.NotFoundError, FileNotFoundError),
    "refused": (ib.RefusedError, Exception),
    "not_consistent": (ib.NotConsistentError, Exception),
    "store": (ib.StoreError, OSError),
    "orchestrator": (ib.OrchestratorError, Exception),
    "cancelled": (ib.CancelledError, Exception),
    "internal": (ib.InternalError, RuntimeError),
}
OF_CODE: dict[str, tuple[type[ib.InfluxBackupError], type[Exception]]] = {
    "access-denied": (ib.AccessDeniedError, PermissionError),
    "backup-exists": (ib.BackupExistsError, FileExistsError),
    "backup-in-progress": (ib.BackupInProgressError, Exception),
    "invalid-key": (ib.InvalidKeyError, ValueError),
    "no-credentials": (ib.AccessDeniedError, PermissionError),
    "no-space": (ib.NoSpaceError, OSError),
    "ownership": (ib.AccessDeniedError, PermissionError),
    "plan-changed": (ib.PlanChangedError, Exception),
    "restore-in-progress": (ib.RestoreInProgressError, Exception),
    "restore-unfinished": (ib.RestoreUnfinishedError, Exception),
    "stalled": (ib.StoreTimeoutError, TimeoutError),
    "target-not-empty": (ib.TargetNotEmptyError, Exception),
    "unknown-option": (ib.UnknownOptionError, TypeError),
    "unreachable": (ib.StoreTimeoutError, TimeoutError),
}


@pytest.fixture(scope="session")
def report() -> dict[str, object]:
    """The report of a real error, to be given other codes."""
    with pytest.raises(ib.NotFoundError) as raised:
        ib.discover("/there/is/no/such/directory")
    found: dict[str, object] = raised.value.report.to_dict()
    return found


@pytest.mark.parametrize("code", sorted(ib.ERROR_CODES))
def test_each_code_has_its_exception(code: str, report: dict[str, object]) -> None:
    category, meaning = ib.ERROR_CODES[code]
    assert meaning
    own, built_in = OF_CODE.get(code, OF_CATEGORY[category])
    document = {**report, "code": code, "category": category, "message": "the message"}
    error = errors.of_report(ib.ErrorReport.from_json(json.dumps(document)))
    assert type(error) is own and isinstance(error, OF_CATEGORY[category][0]) and isinstance(error, built_in)
    assert (error.code, error.category, str(error)) == (code, category, "the message")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is own and again.report == error.report


ERRNO = {
    ib.AccessDeniedError: errno.EACCES,
    ib.BackupExistsError: errno.EEXIST,
    ib.NoSpaceError: errno.ENOSPC,
    ib.NotFoundError: errno.ENOENT,
    ib.StoreTimeoutError: errno.ETIMEDOUT,
}


@pytest.mark.parametrize("code", sorted(ib.ERROR_CODES))
def test_an_os_error_has_what_those_of_python_have(code: str, report: dict[str, object]) -> None:
    document = {**report, "code": code, "category": ib.ERROR_CODES[code][0], "message": "the message"}
    error = errors.of_report(ib.ErrorReport.from_json(json.dumps(document)))
    assert (error.args, str(error), repr(error)) == (
        ("the message",),
        "the message",
        f"{type(error).__name__}('the message')",
    )
    if isinstance(error, OSError):
        assert (error.errno, error.strerror) == (ERRNO.get(type(error)), "the message")
        assert error.filename == error.location == report["location"]
    error.__notes__ = ["a note"]
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error) and (again.args, again.__dict__) == (error.args, error.__dict__)
        assert getattr(again, "errno", None) == getattr(error, "errno", None)


def test_an_exception_of_a_subclass_keeps_its_class() -> None:
    with pytest.raises(FileNotFoundError) as raised:
        ib.discover("/there/is/no/such/directory")
    assert isinstance(raised.value, ib.NotFoundError)
    assert type(pickle.loads(pickle.dumps(Mine(raised.value.report)))) is Mine


class Mine(ib.NotFoundError):
    """An exception of a caller."""


def test_python_catches_what_it_has_exceptions_for(tmp_path: Path, core: Path, committed: ib.Repository) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        committed.get("n2")
    assert missing.value.errno == errno.ENOENT
    with pytest.raises(FileExistsError):
        committed.backup(core, name="n1")
    with pytest.raises(ValueError, match="segment"):
        ib.Location(tmp_path) / "../elsewhere"
    with pytest.raises(ValueError, match="sample_percent"):
        committed.verify("n1", sample_percent=0)
    with pytest.raises(TypeError, match="level"):
        committed.verify("n1", levle="bytes")  # type: ignore[call-arg]
    options = {"aws_endpoint": "http://127.0.0.1:9", "aws_allow_http": True, "aws_region": "eu-central-1"}
    unreachable = ib.Location(
        "s3://bucket", options={**options, "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    )
    limits: Limits = {"retry": {"max_outage": 0.1, "max_elapsed": 0.1}, "stall_timeout": 0.05}
    with pytest.raises(TimeoutError) as away:
        ib.certify(unreachable, limits=limits)
    assert isinstance(away.value, ConnectionError)


def test_the_table_has_every_exception() -> None:
    rows = re.findall(r"^    (?:- )?([a-z_-]+) +(\w+Error) *(.*)$", errors.__doc__ or "", re.MULTILINE)
    assert [name for name, *_ in rows if name in OF_CODE] == [
        code for category in OF_CATEGORY for code in sorted(OF_CODE) if ib.ERROR_CODES[code][0] == category
    ]
    assert [name for name, *_ in rows if name not in OF_CODE] == list(OF_CATEGORY)
    for name, exception, parents in rows:
        kind = getattr(errors, exception)
        assert kind is (OF_CODE.get(name) or OF_CATEGORY[name])[0]
        built_in = [base for base in kind.__mro__ if base.__module__ == "builtins" and base is not Exception]
        nearest = [base for base in built_in if not any(issubclass(it, base) and it is not base for it in built_in)]
        assert sorted(base.__name__ for base in nearest if issubclass(base, Exception)) == sorted(parents.split())


def test_every_category_is_in_the_table() -> None:
    assert {category for category, _ in ib.ERROR_CODES.values()} == set(OF_CATEGORY)
    assert set(OF_CODE) <= set(ib.ERROR_CODES)
