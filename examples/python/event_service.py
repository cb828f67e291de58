"""A service of asyncio that takes backups and streams their events.

    event_service.py s3://prod s3://vault/nightly --port 8086
    curl --no-buffer --request POST http://127.0.0.1:8086/backups/monday

The answer is one JSON document a line: the events, `finished` with the error as the last. Who hangs up does not stop the backup;
SIGTERM and Ctrl-C do, and the same request resumes it. It listens on this machine alone: what it offers needs no password.
Exit code: 0 stopped, 1 the repository cannot be used.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from asyncio import StreamReader, StreamWriter

import influx_backup as ib


class Service:
    def __init__(self, source: str, repository: ib.Repository, bandwidth: str | None) -> None:
        self.source, self.repository, self.bandwidth = source, repository, bandwidth
        self.jobs: set[ib.Job[ib.BackupReport]] = set()

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One request: `POST /backups/NAME`."""
        try:
            method, path, _ = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n", 1)[0].split(" ", 2)
            name = path.removeprefix("/backups/")
            if method != "POST" or name == path or not name:
                writer.write(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")
            job = self.repository.backup_async(
                self.source, name=name, on_existing="resume", limits={"bandwidth": self.bandwidth}
            )
            self.jobs.add(job)  # A job that nothing refers to is cancelled.
            async for event in job:
                writer.write(event.to_json().encode() + b"\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # They hung up. The backup goes on.
        finally:
            self.jobs = {job for job in self.jobs if not job.is_finished}
            writer.close()

    async def close(self) -> None:
        """Cancels what runs, and waits until it can be resumed."""
        for job in self.jobs:
            job.cancel()
        await asyncio.gather(*self.jobs, return_exceptions=True)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="the cluster: a path or a URL")
    parser.add_argument("repository", help="where backups lie: a path or a URL")
    parser.add_argument("--port", type=int, default=8086, help="0: one that is free")
    parser.add_argument("--bandwidth", help="bytes a second at most, such as 100MiB")
    arguments = parser.parse_args()

    try:
        repository = await ib.Repository.open_async(arguments.repository)
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return 1
    service = Service(arguments.source, repository, arguments.bandwidth)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await asyncio.start_server(service.answer, "127.0.0.1", arguments.port)
    print(f"listening on port {server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    server.close()
    await service.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
