"""What verbs raise: `InfluxBackupError`, with a subclass for each category and for what scripts branch on."""

from __future__ import annotations

from ._native import ERROR_CODES, Certificate, ErrorReport, Finding, Hint


class InfluxBackupError(Exception):
    """An error of influx-backup. `str()` is the message; `report` is all of it, as data."""

    report: ErrorReport

    def __init__(self, report: ErrorReport) -> None:
        super().__init__(report.message)
        self.report = report

    def __reduce__(self) -> tuple[object, ...]:
        return (of_report, (self.report,))

    @property
    def code(self) -> str:
        """The stable code, one of `ERROR_CODES`."""
        return self.report.code
