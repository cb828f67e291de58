"""Exceptions: one for every code of the core."""

from __future__ import annotations

import json
import pickle

import influx_backup as ib
import pytest
from influx_backup import errors

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
    "no-space": (ib.NoSpaceError, OSError),
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


def test_every_category_is_in_the_table() -> None:
    assert {category for category, _ in ib.ERROR_CODES.values()} == set(OF_CATEGORY)
    assert set(OF_CODE) <= set(ib.ERROR_CODES)
