"""Every error code of the core is raised from Python, by the situation that it is for."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import influx_backup as ib
import pytest
from influx_backup import errors
from situations import SITUATIONS, Scratch
from situations.stores import SECRET
from test_errors import OF_CATEGORY, OF_CODE

NOT_RAISED = {
    "lease-not-renewed": "it takes six minutes",
    "source-changed": "a backup copies the object again, a restore raises `damaged-backup`",
    "source-vanished": "a backup goes on without the object, a restore raises `damaged-backup`",
}
"""Codes that no situation raises within seconds: their exceptions are made from reports."""

ELSEWHERE = {"commit-unconfirmed": "test_minio.py"}
"""Codes that other tests raise, and check in the same way."""

HINTS = {
    "backup-in-progress": ["on_existing", "takeover"],
    "backup-unfinished": ["on_existing"],
    "cannot-abandon": ["on_unfinished"],
    "commit-unconfirmed": ["on_existing"],
    "corrupt-source": ["on_corrupt"],
    "damaged-journal": ["on_unfinished"],
    "degraded-backup": ["on_degraded"],
    "extra-nodes": ["extra_nodes", "extra_nodes"],
    "lease-lost": ["on_existing"],
    "nodes-required": ["node_ids"],
    "not-consistent": ["on_violation"],
    "object-archived": ["on_unreadable"],
    "object-unreadable": ["on_unreadable"],
    "restore-in-progress": ["takeover"],
    "restore-unfinished": ["on_unfinished"],
    "servers-not-stopped": ["servers_stopped"],
    "several-clusters": ["cluster_id", "node_ids"],
    "target-not-empty": ["policy"],
    "throttled": ["limits.concurrency"],
    "unknown-id": ["query_only"],
}
"""The options that answer an error; all others have none."""

RETRYABLE = {
    "backup-in-progress", "copy-corrupt", "restore-in-progress", "stalled", "store-error", "throttled", "unreachable",
}  # fmt: skip
"""Codes of errors that may be gone when the same is tried again."""


def test_every_code_is_raised_or_said_not_to_be() -> None:
    assert sorted([*SITUATIONS, *NOT_RAISED, *ELSEWHERE]) == sorted(ib.ERROR_CODES)
    assert set(HINTS) | RETRYABLE <= {*SITUATIONS, *ELSEWHERE}


def assert_is_whole(error: ib.InfluxBackupError, code: str, secret: str) -> None:
    """The exception for a code: its class, all that it says of the error, and that it can be pickled."""
    category, _ = ib.ERROR_CODES[code]
    own, built_in = OF_CODE.get(code, OF_CATEGORY[category])
    assert (error.code, error.category) == (code, category), error
    assert type(error) is own and isinstance(error, built_in)
    assert error.retryable is (code in RETRYABLE)
    assert [hint.option for hint in error.hints] == HINTS.get(code, [])
    assert (error.hint is None) is (code not in HINTS)
    assert str(error) == error.report.message and str(error).strip()
    for text in (str(error), str(error.report), repr(error), error.report.to_json()):
        assert secret not in text
    assert ib.ErrorReport.from_json(error.report.to_json()) == error.report
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is own and again.report == error.report and str(again) == str(error)


@pytest.mark.parametrize("code", sorted(SITUATIONS))
def test_a_situation_raises_its_code(
    code: str, core: Path, enterprise: Path, committed: ib.Repository, tmp_path: Path
) -> None:
    with pytest.raises(ib.InfluxBackupError) as raised:
        SITUATIONS[code](Scratch(core, enterprise, committed, tmp_path))
    assert_is_whole(raised.value, code, SECRET)


@pytest.mark.parametrize("code", sorted(NOT_RAISED))
def test_a_code_that_is_not_raised_has_its_exception(code: str) -> None:
    category, _ = ib.ERROR_CODES[code]
    report = json.loads(template().to_json()) | {"code": code, "category": category}
    error = errors.of_report(ib.ErrorReport.from_json(json.dumps(report)))
    assert isinstance(error, OF_CATEGORY[category][0]) and error.code == code


def template() -> ib.ErrorReport:
    with pytest.raises(ib.UsageError) as raised:
        ib.Location("s3://")
    return raised.value.report
