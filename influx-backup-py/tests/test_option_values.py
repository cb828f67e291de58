"""Options: names, values, and what is said about wrong ones."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import influx_backup as ib
import pytest


def test_values_of_python_are_taken(core: Path, repository: ib.Repository) -> None:
    limits = {"bandwidth": "256MiB", "memory": 64 << 20, "concurrency": 2, "stall_timeout": timedelta(seconds=30)}
    passes = {"max_passes": 3, "time_limit": timedelta(minutes=1)}
    assert repository.backup(str(core), name="n1", limits=limits, passes=passes).status == "complete"


def test_options_are_keywords_only(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(TypeError):
        repository.backup(core, "n1")  # type: ignore[misc]


def test_an_unknown_option_is_a_type_error(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(TypeError, match="nam"):
        repository.backup(core, nam="n1")  # type: ignore[call-arg]
    assert repository.list() == ()


@pytest.mark.parametrize("options", [{"derived": "incl"}, {"limits": {"memory": "much"}}, {"name": 5}])
def test_a_wrong_value_is_a_value_error(core: Path, repository: ib.Repository, options: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        repository.backup(core, **options)  # type: ignore[arg-type]
    assert repository.list() == ()


def test_an_unknown_option_names_the_near_one(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(TypeError, match="`name`"):
        repository.backup(core, nam="n1")  # type: ignore[call-arg]


def test_a_wrong_value_has_the_code_of_the_core(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(ib.UsageError) as wrong:
        repository.backup(core, derived="incl")  # type: ignore[arg-type]
    assert wrong.value.code == "invalid-option"


def test_an_unknown_store_option_has_the_code_of_the_core() -> None:
    with pytest.raises(ib.UsageError) as wrong:
        ib.Location("s3://bucket", options={"awsregion": "x"})
    assert wrong.value.code == "unknown-option"
