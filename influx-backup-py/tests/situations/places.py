"""Places, options and names that cannot be used."""

from __future__ import annotations

import influx_backup as ib

from . import Scratch, raises


@raises("invalid-location")
def a_url_without_a_bucket(scratch: Scratch) -> None:
    ib.Location("s3://")


@raises("unknown-option")
def a_misspelled_option(scratch: Scratch) -> None:
    scratch.repository.backup(scratch.core, nam="n1")  # type: ignore[call-arg]


@raises("invalid-option")
def a_choice_that_there_is_not(scratch: Scratch) -> None:
    scratch.repository.backup(scratch.core, derived="incl")  # type: ignore[arg-type]


@raises("location-not-found")
def a_directory_that_does_not_exist(scratch: Scratch) -> None:
    ib.discover(scratch.tmp / "missing")


@raises("memory-location")
def a_store_in_memory(scratch: Scratch) -> None:
    ib.Repository("memory://")


@raises("invalid-key")
def a_name_that_climbs_out(scratch: Scratch) -> None:
    ib.Location(scratch.tmp).child("../elsewhere")


@raises("invalid-request")
def a_name_with_a_separator(scratch: Scratch) -> None:
    scratch.repository.backup(scratch.core, name="../n1")


@raises("invalid-document")
def a_plan_that_is_none(scratch: Scratch) -> None:
    ib.RestorePlan.from_json("{}")


@raises("overlap")
def a_repository_inside_of_the_source(scratch: Scratch) -> None:
    ib.Repository(scratch.core / "backups").backup(scratch.core)
