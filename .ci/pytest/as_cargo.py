"""A plugin of pytest: at the end it prints the results as `cargo test` does, so that `make test` adds them up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def counted(reporter: pytest.TerminalReporter, *outcomes: str) -> list[str]:
    """The names of the tests that ended so. A test whose setup and teardown both fail is one test."""
    reports = [report for outcome in outcomes for report in reporter.stats.get(outcome, [])]
    return sorted({report.nodeid.rpartition("/")[2] for report in reports})


def skipped(reporter: pytest.TerminalReporter) -> Iterator[tuple[str, str]]:
    """Names and reasons."""
    for report in reporter.stats.get("skipped", []):
        _, _, reason = report.longrepr
        yield report.nodeid.rpartition("/")[2], reason.removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Called by pytest."""
    say = terminalreporter.write_line
    failed = counted(terminalreporter, "failed", "error")
    expected = counted(terminalreporter, "xfailed")
    not_run = dict(skipped(terminalreporter))
    passed = set(counted(terminalreporter, "passed")) - set(failed)
    terminalreporter.ensure_newline()
    say("     Running tests of the wheel (pytest)")
    for name, reason in sorted(not_run.items()):
        say(f"not run: {name.replace('(', '[')} (python): {reason}")
    for name in failed:
        say(f"test {name} ... FAILED")
    for name in expected:
        say(f"test {name} ... ignored, it is known to fail")
    # What is skipped counts as passed here: in Rust too it is a test that ends well after it has printed `not run`.
    outcome = "FAILED" if failed else "ok"
    counts = f"{len(passed) + len(not_run)} passed; {len(failed)} failed; {len(expected)} ignored"
    say(f"test result: {outcome}. {counts}; 0 measured")
