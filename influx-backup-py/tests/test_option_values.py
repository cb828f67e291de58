"""Options: names, values of Python, and what is said about wrong ones."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import influx_backup as ib
import pytest
from influx_backup import options as all_options
from influx_backup import testing
from influx_backup.options import Limits, Passes


def test_values_of_python_are_taken(core: Path, repository: ib.Repository) -> None:
    limits: Limits = {
        "bandwidth": "256MiB",
        "memory": 64 << 20,
        "concurrency": 2,
        "stall_timeout": timedelta(seconds=30),
    }
    passes: Passes = {"max_passes": 3, "time_limit": timedelta(minutes=1)}
    assert repository.backup(str(core), name="n1", limits=limits, passes=passes).status == "complete"


class Text(str):
    """A text of a class of its own, as `StrEnum` has them."""


@pytest.mark.parametrize(
    "options",
    [
        {"limits": {"memory": "1.5 MiB"}},
        {"limits": {"bandwidth": None}},
        {"limits": {"stall_timeout": timedelta(microseconds=1)}},
        {"limits": {"stall_timeout": timedelta(milliseconds=1500)}},
        {"limits": {"stall_timeout": 0.25}},
        {"limits": {"stall_timeout": "1m"}},
        {"limits": {"retry": {"max_elapsed": timedelta(days=2)}}},
        {"derived": Text("include")},
        {"name": None},
        {"node_ids": ("cluster01",)},
        {"stop_timeout": timedelta(0)},
    ],
    ids=str,
)
def test_a_value_of_python_is_taken(core: Path, repository: ib.Repository, options: Any) -> None:
    node_ids = options.get("node_ids") and tuple(node.id for node in ib.discover(core).nodes)
    assert repository.plan_backup(core, **{**options, **({"node_ids": node_ids} if node_ids else {})}).objects > 0


class NeverStopped:
    """An orchestrator whose servers go on."""

    def stop(self, node: ib.Node) -> None: ...

    def stopped(self, node: ib.Node) -> bool:
        return False

    def start(self, node: ib.Node) -> None: ...


@pytest.mark.parametrize("timeout", [timedelta(milliseconds=400), 0.4, "400ms"])
def test_fractions_of_a_duration_are_kept(committed: ib.Repository, tmp_path: Path, timeout: Any) -> None:
    began = time.monotonic()
    with pytest.raises(ib.InfluxBackupError) as refused:
        committed.restore("n1", tmp_path / "target", stop_timeout=timeout, orchestrator=NeverStopped())
    assert refused.value.code == "orchestrator" and any("400ms" in cause for cause in refused.value.causes)
    assert 0.4 <= time.monotonic() - began < 5


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"limits": {"bandwidth": 0}}, "limits.bandwidth", "0"),
    ({"limits": {"bandwidth": -1}}, "limits.bandwidth", "a number of bytes, or a text such as 64MiB"),
    ({"limits": {"bandwidth": 1.5}}, "limits.bandwidth", "a number of bytes, or a text such as 64MiB"),
    ({"limits": {"bandwidth": True}}, "limits.bandwidth", "a number of bytes, or a text such as 64MiB"),
    ({"limits": {"bandwidth": 1 << 70}}, "limits.bandwidth", "a number of bytes"),
    ({"limits": {"memory": None}}, "limits.memory", "a number of bytes"),
    ({"limits": {"memory": "lots"}}, "limits.memory", "64 MiB"),
    ({"limits": {"concurrency": 0}}, "limits.concurrency", "0"),
    ({"limits": {"concurrency": "4"}}, "limits.concurrency", "a whole number"),
    ({"limits": {"concurrency": 2.0}}, "limits.concurrency", "a whole number"),
    ({"limits": {"concurrency": True}}, "limits.concurrency", "a whole number"),
    ({"limits": {"stall_timeout": timedelta(0)}}, "limits.stall_timeout", "0"),
    ({"limits": {"stall_timeout": timedelta(seconds=-1)}}, "limits.stall_timeout", "90s"),
    ({"limits": {"stall_timeout": -0.5}}, "limits.stall_timeout", "90s"),
    ({"limits": {"stall_timeout": "soon"}}, "limits.stall_timeout", "90s"),
    ({"limits": {"stall_timeout": True}}, "limits.stall_timeout", "a number of seconds"),
    ({"limits": 5}, "limits", "options by name"),
    ({"limits": [1]}, "limits", "options by name"),
    ({"limits": None}, "limits", "options by name"),
    ({"passes": {"max_passes": 0}}, "passes.max_passes", "at least 1"),
    ({"derived": "incl"}, "derived", "`exclude` or `include`"),
    ({"derived": True}, "derived", "`exclude` or `include`"),
    ({"derived": None}, "derived", "`exclude` or `include`"),
    ({"on_violation": "Fail"}, "on_violation", "`fail` or `degrade`"),
    ({"takeover": False}, "takeover", "`after_timeout` or `immediately`"),
    ({"name": 5}, "name", "a string"),
    ({"name": ""}, "name", "another"),
    ({"node_ids": "n1"}, "node_ids", "a list"),
    ({"node_ids": ["n1", 5]}, "node_ids", "a string"),
    ({"node_ids": None}, "node_ids", "a list"),
    ({"limits": [1]}, "limits", "options by name"),
]


@pytest.mark.parametrize(("options", "name", "allowed"), WRONG, ids=[str(options) for options, *_ in WRONG])
def test_a_wrong_value_names_its_option_and_what_is_allowed(
    core: Path, repository: ib.Repository, options: Any, name: str, allowed: str
) -> None:
    with pytest.raises(ValueError) as wrong:
        repository.backup(core, **options)
    assert isinstance(wrong.value, ib.UsageError) and wrong.value.code in ("invalid-option", "invalid-request")
    message = str(wrong.value)
    assert f"`{name}`" in message and allowed in message, message
    assert repository.list() == ()


NESTED: dict[str, Any] = {}
NESTED["limits"] = NESTED  # It holds itself.

NO_VALUES: list[tuple[dict[str, Any], str, str]] = [
    ({"stop_timeout": datetime(2026, 1, 1)}, "stop_timeout", "datetime"),
    ({"cluster_id": b"secret"}, "cluster_id", "bytes"),
    ({"limits": {"memory": object()}}, "limits.memory", "object"),
    ({"limits": {5: 1}}, "limits", "dict"),
    ({"node_ids": [object()]}, "node_ids", "object"),
    (NESTED, ".".join(["limits"] * 9), "dict"),
]
"""Values that no option has, the option, and the type that is named: never the value."""


@pytest.mark.parametrize(("options", "name", "kind"), NO_VALUES, ids=[name for _, name, _ in NO_VALUES])
def test_what_is_no_value_names_its_option_and_its_type(
    core: Path, repository: ib.Repository, options: Any, name: str, kind: str
) -> None:
    with pytest.raises(ib.UsageError) as wrong:
        repository.plan_backup(core, **options)
    reason = f"a `{kind}` is no value of an option"
    assert str(wrong.value) == f"the value of option `{name}` cannot be used: {reason}"
    assert wrong.value.code == "invalid-option"


def test_what_is_not_a_number_is_no_bandwidth(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(ib.UsageError, match=r"`limits\.bandwidth`"):
        repository.plan_backup(core, limits={"bandwidth": float("nan")})  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"level": 3}, "level"),
        ({"sample_percent": 0}, "sample_percent"),
        ({"sample_percent": 101}, "sample_percent"),
        ({"sample_percent": "5"}, "sample_percent"),
        ({"sample_percent": 5.5}, "sample_percent"),
    ],
)
def test_options_of_verify_are_named(committed: ib.Repository, options: Any, name: str) -> None:
    with pytest.raises(ib.UsageError, match=f"`{name}`"):
        committed.verify("n1", **options)


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_servers_are_stopped_or_not(committed: ib.Repository, tmp_path: Path, value: Any) -> None:
    with pytest.raises(ib.UsageError, match="`servers_stopped`"):
        committed.restore("n1", tmp_path / "target", servers_stopped=value)
    confirmed: tuple[Literal[True], Literal["confirmed_by_caller"]] = (True, "confirmed_by_caller")
    for stopped in confirmed:
        target = tmp_path / str(stopped)
        assert committed.restore("n1", target, servers_stopped=stopped).backup == "n1"


@pytest.mark.parametrize(
    ("options", "name"), [({"nodes": -1}, "nodes"), ({"edition": "oss"}, "edition"), ({"catalog": "v9"}, "catalog")]
)
def test_options_of_generate_are_named(tmp_path: Path, options: Any, name: str) -> None:
    with pytest.raises(ib.UsageError, match=f"`{name}`"):
        testing.generate(tmp_path / "data", **options)
    assert not (tmp_path / "data").exists()


CHOICES = [
    (struct, option, get_args(hint))
    for struct in ("BackupOptions", "DiscoverOptions")
    for option, hint in get_type_hints(getattr(all_options, struct), localns={"Location": ib.Location}).items()
    if get_origin(hint) is Literal
]


@pytest.mark.parametrize(("struct", "option", "choices"), CHOICES)
def test_each_choice_is_taken_and_a_wrong_one_is_told_all(
    core: Path, repository: ib.Repository, struct: str, option: str, choices: tuple[str, ...]
) -> None:
    for choice in choices:
        given: dict[str, Any] = {"name": "n1", "on_existing": "resume", option: choice}
        assert repository.plan_backup(core, **given).objects > 0, struct
    with pytest.raises(ib.UsageError) as wrong:
        given = {option: "nothing like it"}
        repository.plan_backup(core, **given)
    assert all(f"`{choice}`" in str(wrong.value) for choice in choices)


def test_options_are_keywords_only(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(TypeError):
        repository.backup(core, "n1")  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize(
    ("options", "near"), [({"nam": "n1"}, "name"), ({"limits": {"bandwith": 1}}, "bandwidth"), ({"polcy": "x"}, None)]
)
def test_an_unknown_option_is_a_type_error_that_names_the_near_one(
    core: Path, repository: ib.Repository, options: Any, near: str | None
) -> None:
    with pytest.raises(TypeError) as unknown:
        repository.backup(core, **options)
    assert isinstance(unknown.value, ib.UnknownOptionError) and unknown.value.code == "unknown-option"
    assert (f"did you mean `{near}`?" if near else "is not an option of this call") in str(unknown.value)
    assert repository.list() == ()


def test_an_unknown_store_option_has_the_code_of_the_core() -> None:
    with pytest.raises(ib.UsageError) as wrong:
        ib.Location("s3://bucket", options={"awsregion": "x"})
    assert wrong.value.code == "unknown-option"


def test_an_option_of_a_store_that_is_none_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    location = ib.Location("s3://vault", options={"aws_region": None, "aws_allow_http": True})
    assert location.identity.to_dict()["region"] == "eu-central-1"


@pytest.mark.parametrize("value", [["s3cr3t"], {"key": "s3cr3t"}, b"s3cr3t"])
def test_an_option_of_a_store_is_a_text_a_number_or_a_flag(value: object) -> None:
    with pytest.raises(ib.UsageError, match="`aws_secret_access_key`") as wrong:
        ib.Location("s3://vault", options={"aws_secret_access_key": value})
    assert wrong.value.code == "invalid-option" and "s3cr3t" not in str(wrong.value)
