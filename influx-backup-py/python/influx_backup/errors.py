"""What verbs raise: `InfluxBackupError`, with a subclass for each category and for the codes that scripts branch on.

Where Python has an exception for the same thing, the subclass is one of those, too:

    Category or code      Exception               Python
    usage                 UsageError              ValueError
    - unknown-option      UnknownOptionError      ValueError TypeError
    not_found             NotFoundError           FileNotFoundError
    refused               RefusedError
    - backup-exists       BackupExistsError       FileExistsError
    - backup-in-progress  BackupInProgressError
    - invalid-key         InvalidKeyError         ValueError
    - plan-changed        PlanChangedError
    - restore-in-progress RestoreInProgressError
    - restore-unfinished  RestoreUnfinishedError
    - target-not-empty    TargetNotEmptyError
    not_consistent        NotConsistentError
    store                 StoreError              OSError
    - access-denied       AccessDeniedError       PermissionError
    - no-credentials      AccessDeniedError       PermissionError
    - no-space            NoSpaceError            OSError
    - ownership           AccessDeniedError       PermissionError
    - stalled             StoreTimeoutError       TimeoutError ConnectionError
    - unreachable         StoreTimeoutError       TimeoutError ConnectionError
    orchestrator          OrchestratorError
    cancelled             CancelledError
    internal              InternalError           RuntimeError

An object that a store loses, or has already, in the midst of a run is a `StoreError` and no `FileNotFoundError` or
`FileExistsError`: `except FileExistsError` around `backup` means that there is a backup of this name.

Those that are an `OSError` have its `errno` where there is one (`ENOENT`, `EEXIST`, `EACCES`, `ENOSPC`, `ETIMEDOUT`), `strerror`
is the message, and `filename` the location. `ERROR_CODES` has every code with its category and meaning.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar

from ._native import ERROR_CODES, Certificate, ErrorReport, Finding, Hint

if TYPE_CHECKING:
    from .names import Category

__all__ = [
    "ERROR_CODES",
    "AccessDeniedError",
    "BackupExistsError",
    "BackupInProgressError",
    "CancelledError",
    "InfluxBackupError",
    "InternalError",
    "InvalidKeyError",
    "NoSpaceError",
    "NotConsistentError",
    "NotFoundError",
    "OrchestratorError",
    "PlanChangedError",
    "RefusedError",
    "RestoreInProgressError",
    "RestoreUnfinishedError",
    "StoreError",
    "StoreTimeoutError",
    "TargetNotEmptyError",
    "UnknownOptionError",
    "UsageError",
]


class InfluxBackupError(Exception):
    """An error of influx-backup.

    `str()` is the message, `report` is all of it as data, and `print(error.report)` shows it as the program does. What a
    copier, an orchestrator or a callback of the caller raised is its `__cause__`.
    """

    report: ErrorReport
    """Everything about the error, as data."""

    _errno: ClassVar[int | None] = None

    def __init__(self, report: ErrorReport) -> None:
        if not isinstance(report, ErrorReport):
            raise TypeError(f"{type(self).__name__} is made from an ErrorReport, not from {type(report).__name__}")
        super().__init__(report.message)
        self.report = report
        if isinstance(self, OSError):
            _describe(self, self._errno, report)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.report,), self.__dict__  # Notes are in the last.

    def __str__(self) -> str:
        return self.report.message

    @property
    def code(self) -> str:
        """The stable code, one of `ERROR_CODES`."""
        return self.report.code

    @property
    def category(self) -> Category:
        """What kind of error it is; each category has a subclass."""
        return self.report.category

    @property
    def key(self) -> str | None:
        """The object that it is about."""
        return self.report.key

    @property
    def location(self) -> str | None:
        """The location that it is about."""
        return self.report.location

    @property
    def hints(self) -> tuple[Hint, ...]:
        """Options that answer it: each by itself, unless its text says otherwise."""
        return self.report.hints

    @property
    def hint(self) -> str | None:
        """What answers it, for a person."""
        return "\n".join(str(hint) for hint in self.report.hints) or None

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anything being changed."""
        return self.report.retryable

    @property
    def causes(self) -> tuple[str, ...]:
        """The messages of the errors behind it, the nearest first."""
        return self.report.causes

    @property
    def certificate(self) -> Certificate | None:
        """The proof as far as it holds, where it does not hold."""
        return self.report.certificate

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the job that failed had found, and what the caller has to do."""
        return self.report.findings


def _describe(error: OSError, number: int | None, report: ErrorReport) -> None:
    error.errno, error.strerror, error.filename = number, report.message, report.location


class UsageError(InfluxBackupError, ValueError):
    """The request itself is wrong: an argument or an option."""


class UnknownOptionError(UsageError, TypeError):
    """A keyword, or the name of a store's option, that is none (`unknown-option`). The message has the near ones."""


class NotFoundError(InfluxBackupError, FileNotFoundError):
    """Something that was named does not exist: a cluster, a backup, a directory or bucket."""

    _errno = errno.ENOENT


class RefusedError(InfluxBackupError):
    """It would be unsafe, or the caller has to decide first."""


class BackupExistsError(RefusedError, FileExistsError):
    """The name is taken (`backup-exists`)."""

    _errno = errno.EEXIST


class BackupInProgressError(RefusedError):
    """Another process writes this backup (`backup-in-progress`)."""


class InvalidKeyError(RefusedError, ValueError):
    """A name that no store can hold, or that climbs out of its location (`invalid-key`)."""


class PlanChangedError(RefusedError):
    """The restore would do what is not in the plan that was approved (`plan-changed`)."""


class RestoreInProgressError(RefusedError):
    """Another process restores to this target (`restore-in-progress`)."""


class RestoreUnfinishedError(RefusedError):
    """The target has an unfinished restore: resume or abandon it (`restore-unfinished`)."""


class TargetNotEmptyError(RefusedError):
    """The target holds data (`target-not-empty`)."""


class NotConsistentError(InfluxBackupError):
    """A certificate does not hold, a verification failed, or a backup is damaged."""


class StoreError(InfluxBackupError, OSError):
    """A store or file system failed: unreachable, denied, full."""


class AccessDeniedError(StoreError, PermissionError):
    """Wrong credentials, none, or a missing right: also that to set an owner or a mode.

    The codes are `access-denied`, `no-credentials` and `ownership`.
    """

    _errno = errno.EACCES


class NoSpaceError(StoreError):
    """Too little space (`no-space`)."""

    _errno = errno.ENOSPC


class StoreTimeoutError(StoreError, TimeoutError, ConnectionError):
    """The store does not answer, or a connection transfers nothing (`unreachable`, `stalled`)."""

    _errno = errno.ETIMEDOUT


class OrchestratorError(InfluxBackupError):
    """The caller's orchestrator failed."""


class CancelledError(InfluxBackupError):
    """The job was cancelled. A backup or restore can be resumed."""


class InternalError(InfluxBackupError, RuntimeError):
    """A bug of influx-backup: please report it."""


_OF_CATEGORY: dict[Category, type[InfluxBackupError]] = {
    "usage": UsageError,
    "not_found": NotFoundError,
    "refused": RefusedError,
    "not_consistent": NotConsistentError,
    "store": StoreError,
    "orchestrator": OrchestratorError,
    "cancelled": CancelledError,
    "internal": InternalError,
}

_OF_CODE: dict[str, type[InfluxBackupError]] = {
    "access-denied": AccessDeniedError,
    "backup-exists": BackupExistsError,
    "backup-in-progress": BackupInProgressError,
    "invalid-key": InvalidKeyError,
    "no-credentials": AccessDeniedError,
    "no-space": NoSpaceError,
    "ownership": AccessDeniedError,
    "plan-changed": PlanChangedError,
    "restore-in-progress": RestoreInProgressError,
    "restore-unfinished": RestoreUnfinishedError,
    "stalled": StoreTimeoutError,
    "target-not-empty": TargetNotEmptyError,
    "unknown-option": UnknownOptionError,
    "unreachable": StoreTimeoutError,
}


def of_report(report: ErrorReport) -> InfluxBackupError:
    """The exception for an error as data: also for what a `Finished` event holds."""
    return _OF_CODE.get(report.code, _OF_CATEGORY.get(report.category, InfluxBackupError))(report)
