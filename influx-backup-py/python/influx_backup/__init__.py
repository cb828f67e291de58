"""Backup and restore of InfluxDB 3 clusters (Core and Enterprise, Parquet engine) that prove themselves.

    >>> import influx_backup as ib
    >>> repo = ib.Repository("/backups")
    >>> report = repo.backup("/var/lib/influxdb3/data", name="monday", progress=True)
    >>> plan = repo.plan_restore("monday", "/var/lib/influxdb3/restored")
    >>> print(plan)  # a dry run ends here
    >>> repo.restore(plan)
    >>> assert ib.certify("/var/lib/influxdb3/restored").is_proven

Each verb waits; its form with `_async` returns a `Job` for asyncio. What verbs raise is in `influx_backup.errors`.
"""

from __future__ import annotations

from ._native import *  # noqa: F403
from .copiers import Copier, Unsupported, default_copiers
from .errors import *  # noqa: F403
from .jobs import Job
from .orchestrators import Orchestrator
from .repository import Repository
from .verbs import certify, certify_async, discover, discover_async
