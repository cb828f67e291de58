"""Sources that are no cluster, several, or damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import influx_backup as ib
from influx_backup.testing import generate

from . import Scratch, first, raises


@raises("link")
def a_link_to_nothing(scratch: Scratch) -> None:
    data = scratch.data
    (first(data, "*.wal").parent / "00000009999.wal").symlink_to(data / "nothing")
    scratch.repository.backup(data)


@raises("no-cluster")
def an_empty_directory(scratch: Scratch) -> None:
    ib.discover(scratch.tmp)


def two_clusters(scratch: Scratch) -> Path:
    """A directory with two clusters of Core."""
    data = scratch.data
    shutil.copytree(data / "node01", data / "node02")
    return data


@raises("several-clusters")
def two_clusters_in_a_directory(scratch: Scratch) -> None:
    ib.discover(two_clusters(scratch))


@raises("nodes-required")
def two_clusters_and_a_catalog_without_nodes(scratch: Scratch) -> None:
    generate(scratch.tmp / "data", edition="enterprise")
    shutil.copytree(scratch.tmp / "data" / "cluster01", scratch.tmp / "data" / "cluster02")
    ib.discover(scratch.tmp / "data", cluster_id="cluster01")


@raises("unknown-id")
def a_node_without_objects(scratch: Scratch) -> None:
    ib.discover(scratch.core, node_ids=["other"])


@raises("upgraded-engine")
def the_upgraded_engine(scratch: Scratch) -> None:
    data = scratch.data
    snapshot = first(data, "*.wal").parents[1] / "pt_snapshots" / "1"
    snapshot.parent.mkdir()
    snapshot.write_bytes(b"snapshot")
    ib.discover(data)


@raises("corrupt-source")
def a_corrupt_snapshot(scratch: Scratch) -> None:
    data = scratch.data
    max(data.rglob("*.wal")).write_bytes(b"corrupt")
    scratch.repository.backup(data)


@raises("not-consistent")
def a_missing_file(scratch: Scratch) -> None:
    data = scratch.data
    for parquet in data.rglob("*.parquet"):
        parquet.unlink()
    scratch.repository.backup(data)
