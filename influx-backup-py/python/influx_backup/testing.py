"""For tests of what is built on this package."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import _native
from ._native import Generated, GeneratedNode

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import GenerateOptions

__all__ = ["Generated", "GeneratedNode", "generate"]


def generate(directory: str | os.PathLike[str], **options: Unpack[GenerateOptions]) -> Generated:
    """Writes a small made-up cluster into a directory that is missing or empty: what servers leave there.

        >>> made = generate("/tmp/cluster", nodes=1, snapshots=3, file_size="2KiB")
        >>> made.catalog_owner
        'cluster01'

    The same call writes the same bytes everywhere. It is what `influx-backup generate` writes.

    Args:
        directory: Where to write it.
        **options: `GenerateOptions` of `influx_backup.options`: `edition`, `nodes`, `snapshots`, `file_size`, `catalog`,
            `seed`.

    Raises:
        UsageError: The directory is not empty.
        StoreError: It cannot be written.
    """
    return _native.generate(directory, options)
