"""Places that lack something, hold something else, or cannot be read as a whole."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import influx_backup as ib
import pytest
from in_process_s3 import serving
from situations import copy_of, first, path_of
from situations.stores import bucket


def test_a_report_has_what_a_directory_can_do(core: Path, repository: ib.Repository, tmp_path: Path) -> None:
    report = repository.backup(core, name="n1")
    restored = repository.restore("n1", tmp_path / "restored")
    replaced = repository.restore("n1", tmp_path / "restored", policy="replace", servers_stopped=True)
    for abilities in (report.abilities, restored.abilities, replaced.abilities):
        assert isinstance(abilities, ib.Abilities)
        assert (abilities.synced, abilities.times, abilities.inodes) == ("all", "kept", "stable")
        assert abilities.create_only in ("hard_link", "rename_no_replace") and abilities.create_only in str(abilities)
    without = {name: value for name, value in report.to_dict().items() if name != "abilities"}
    assert ib.BackupReport.from_json(json.dumps(without)).abilities is None, "a report of an earlier release"


def test_what_is_no_file_is_passed_over(core: Path, repository: ib.Repository, tmp_path: Path) -> None:
    data = copy_of(core, tmp_path / "data")
    os.mkfifo(data / "pipe")
    assert [note.code for note in ib.discover(data).notes] == ["passed-over"]
    assert [note.code for note in repository.plan_backup(data).findings] == ["passed-over"]
    found: list[ib.Finding] = []

    def listen(event: ib.Event) -> None:
        if isinstance(event, ib.FindingEvent):
            found.append(event.finding)

    assert repository.backup(data, name="n1", progress=listen).status == "complete"
    assert [it.severity for it in found if it.code == "passed-over"] == ["info"]
    os.mkfifo(path_of(repository.location, "n1/pipe"))
    target = tmp_path / "restored"
    for findings in (
        repository.verify("n1").findings,
        repository.certify("n1").findings,
        repository.plan_restore("n1", target).findings,
        repository.restore("n1", target).findings,
    ):
        assert [it.code for it in findings if it.code == "passed-over"] == ["passed-over"]


def test_a_node_that_is_excluded_is_not_looked_at(enterprise: Path, tmp_path: Path) -> None:
    data = copy_of(enterprise, tmp_path / "data")
    node = next(node.id for node in ib.discover(data).nodes if "compactor" not in node.roles)
    shutil.rmtree(data / node / "wal")
    # What cannot be copied, where it is looked at.
    os.mkfifo(data / node / "wal")
    repository = ib.Repository(tmp_path / "backups")
    with pytest.raises(ib.InfluxBackupError) as refused:
        repository.backup(data, name="n1")
    assert refused.value.code == "link"
    assert "passed-over" not in [it.code for it in refused.value.report.findings]
    report = repository.backup(data, name="n2", excluded_nodes=[node])
    assert "passed-over" not in [it.code for it in report.findings]


def test_a_directory_of_a_target_that_is_a_link_is_followed_where_that_is_wanted(
    committed: ib.Repository, tmp_path: Path
) -> None:
    target, volume = tmp_path / "restored", tmp_path / "volume"
    committed.restore("n1", target)
    wal = first(target, "*.wal").parent
    shutil.move(wal, volume)
    wal.symlink_to(volume)
    with pytest.raises(ib.RefusedError) as refused:
        committed.plan_restore("n1", target, policy="replace")
    assert refused.value.code == "link"
    assert [(hint.option, hint.value) for hint in refused.value.hints] == [("linked_directories", "follow")]
    next(volume.iterdir()).unlink()
    plan = committed.plan_restore("n1", target, policy="replace", linked_directories="follow")
    assert committed.restore(plan, servers_stopped=True).objects == plan.objects
    assert wal.is_symlink()
    with pytest.raises(ib.RefusedError) as outside:
        ib.certify(target)
    assert [(hint.option, hint.value) for hint in outside.value.hints] == [("file_links", "anywhere")]
    assert ib.certify(ib.Location(target, options={"file_links": "anywhere"})).is_proven


class Unreadable:
    """A copier that cannot read Parquet files, and leaves the rest to the next."""

    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        if request.source_key.endswith(".parquet"):
            error = ib.CopyError("a bad sector")
            error.copy_code = "object-unreadable"
            raise error
        raise ib.Unsupported


def test_a_backup_goes_on_without_objects_that_cannot_be_read_where_that_is_wanted(
    core: Path, repository: ib.Repository
) -> None:
    copiers: list[ib.Copier | ib.NativeCopier] = [Unreadable(), *ib.default_copiers()]
    with pytest.raises(ib.StoreError) as failed:
        repository.backup(core, name="n1", copier=copiers)
    assert failed.value.code == "object-unreadable"
    assert [(hint.option, hint.value) for hint in failed.value.hints] == [("on_unreadable", "record")]
    report = repository.backup(core, name="n2", copier=copiers, on_unreadable="record")
    assert report.status == "degraded" and not report.certificate.is_proven
    (copies,) = (it for it in report.certificate.clauses if it.clause == "C6")
    assert copies.verdict == "violated"
    lost = {it.key for it in copies.violations}
    assert {it.code for it in copies.violations} == {"unreadable-object"} and lost
    assert "unreadable-object" in {it.code for it in report.findings}
    recorded = repository.get("n2").manifest.to_dict()["attested"]["unreadable"]
    assert {it["key"] for it in recorded} == lost
    assert {it["code"] for it in recorded} == {"object-unreadable"}


@pytest.mark.parametrize("value", ["key\n", ' "key"', "key "])
def test_a_credential_with_what_none_has_is_refused_before_a_request(value: str) -> None:
    with pytest.raises(ib.UsageError, match="`aws_access_key_id`") as wrong:
        ib.Location("s3://bucket", options={"aws_access_key_id": value, "aws_secret_access_key": "x"})
    assert wrong.value.code == "invalid-option" and "origin" not in wrong.value.report.context


def test_a_value_of_the_environment_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key\n")
    with pytest.raises(ib.UsageError, match="AWS_ACCESS_KEY_ID") as wrong:
        ib.Location("s3://bucket")
    assert wrong.value.code == "invalid-option"
    assert wrong.value.report.context["origin"] == "the environment variable AWS_ACCESS_KEY_ID"


def test_a_store_without_conditional_writes_takes_backups_of_one_writer(core: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with serving(tmp_path / "empty", lambda key: None) as endpoint:
        with pytest.raises(ib.StoreError) as refused:
            ib.Repository(bucket(endpoint)).backup(core, name="n1")
        assert refused.value.code == "store-unsupported"
        assert [hint.option for hint in refused.value.hints] == ["object_store_single_writer"]
        repository = ib.Repository(bucket(endpoint, object_store_single_writer=True))
        report = repository.backup(core, name="n1")
        assert report.abilities and report.abilities.create_only == "single_writer"
        assert report.abilities.synced is report.abilities.times is report.abilities.inodes is None
        assert "single-writer" in {it.code for it in report.findings}
        assert repository.verify("n1", level="bytes").ok
