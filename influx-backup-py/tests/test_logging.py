"""What the core logs arrives in `logging`, under `influx_backup`."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import influx_backup as ib
import pytest

LOGGER = logging.getLogger("influx_backup")


class Kept(logging.Handler):
    """Keeps records, and does something for each."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def texts(self) -> list[str]:
        return [record.getMessage() for record in self.records]


@pytest.fixture
def kept() -> Iterator[Kept]:
    """A handler of `influx_backup` at DEBUG."""
    handler = Kept()
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.DEBUG)
    yield handler
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(logging.NOTSET)


def test_records_have_name_level_text_and_place(kept: Kept, core: Path, repository: ib.Repository) -> None:
    report = repository.backup(core, name="n1")
    assert {record.name.split(".")[0] for record in kept.records} == {"influx_backup"}
    (started,) = [record for record in kept.records if "pass started" in record.getMessage()]
    assert (started.levelno, started.name) == (logging.INFO, "influx_backup.job.trace")
    assert started.pathname.endswith("trace.rs") and started.lineno > 0
    assert f"objects={report.objects}" in started.getMessage()
    assert 'job{verb="backup"' in started.getMessage(), "the spans it happened in"
    assert any(record.levelno == logging.DEBUG and "listed" in record.getMessage() for record in kept.records)
    done = [text for text in kept.texts if text.endswith("done")]
    assert len(done) == 1, "the last record is there before the verb returns"


def test_a_failure_is_a_warning(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(ib.NotFoundError) as raised:
        ib.discover(tmp_path)
    (failed,) = [record for record in kept.records if record.levelno >= logging.WARNING]
    assert failed.levelno == logging.WARNING and str(raised.value) in failed.getMessage()


def test_levels_change_at_run_time(kept: Kept, core: Path) -> None:
    ib.discover(core)
    assert kept.records
    LOGGER.setLevel(logging.ERROR)
    kept.records.clear()
    ib.discover(core)
    assert kept.records == []
    logging.getLogger("influx_backup.job").setLevel(logging.INFO)
    try:
        ib.discover(core)
        assert {(record.name, record.levelno) for record in kept.records} == {("influx_backup.job.trace", logging.INFO)}
    finally:
        logging.getLogger("influx_backup.job").setLevel(logging.NOTSET)
    kept.records.clear()
    LOGGER.setLevel(logging.DEBUG)
    ib.discover(core)
    assert {record.levelno for record in kept.records} >= {logging.DEBUG, logging.INFO}


async def test_records_of_a_job_are_there_when_it_was_awaited(kept: Kept, core: Path) -> None:
    await ib.certify_async(core)
    assert kept.texts[-1].endswith("done")


def test_a_handler_may_call_the_package(core: Path) -> None:
    """The handler runs while the job that logs goes on: a lock that both need would hang them."""

    class Asks(Kept):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            if len(self.records) == 1:
                asked.append(ib.Location(core).name)

    asked: list[str | None] = []
    handler = Asks()
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        threads = [threading.Thread(target=ib.certify, args=(core,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(logging.NOTSET)
    assert asked == [core.name] and len([text for text in handler.texts if text.endswith("done")]) == 8


def test_what_a_handler_raises_stops_nothing(core: Path, repository: ib.Repository, capfd: object) -> None:
    script = f"""
import logging, influx_backup as ib
class Broken(logging.Filter):
    def filter(self, record): raise KeyError("mine")
logging.basicConfig(level="INFO")
logging.getLogger("influx_backup.job.trace").addFilter(Broken())
print(ib.Repository({str(repository.location)!r}).backup({str(core)!r}, name="n1").status)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (0, "complete\n"), ended.stderr
    assert "KeyError" in ended.stderr, "it is shown as what a thread could not raise"


def test_a_program_without_logging_sees_nothing(tmp_path: Path) -> None:
    script = f"""
import influx_backup as ib
try: ib.discover({str(tmp_path)!r})
except ib.NotFoundError: print("raised")
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert (ended.stdout, ended.stderr) == ("raised\n", "")


def test_logging_until_the_interpreter_ends(core: Path, repository: ib.Repository) -> None:
    script = f"""
import asyncio, logging, influx_backup as ib
logging.basicConfig(level="DEBUG", format="%(name)s %(message)s")
async def main():
    repository = ib.Repository({str(repository.location)!r})
    ib.Repository({str(repository.location)!r}).backup_async({str(core)!r}, name="n1").detach()
    await asyncio.sleep(0.05)
asyncio.run(main())
"""
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
        assert ended.returncode == 0, ended.stderr
        assert "influx_backup.job.trace" in ended.stderr and "Traceback" not in ended.stderr
        repository = ib.Repository(Path(str(repository.location).removeprefix("file://")).with_suffix(".next"))
