"""Jobs that ran, a file of lines per shop in the data folder, the newest at the end.

It is a convenience for people: when it cannot be written, the job goes on.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from endcap.core.job import Job
from endcap.core.times import Clock

from .folder_lock import folder_lock

MOST_BYTES = 400_000
KEPT = 500
LOG = logging.getLogger(__name__)
# What runs whenever somebody reads a report is not noted when there was nothing to do.
OFTEN = frozenset({"archive", "rollups"})
_LINE = msgspec.json.Decoder(Job)


class JobLog:
    """Notes jobs in `folder` and reads them."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    @contextmanager
    def run(self, shop: str, kind: str) -> Iterator[dict[str, int]]:
        """Note a job when it ends, also by an error, which goes on."""
        started, counts = self._clock(), dict[str, int]()
        try:
            yield counts
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"[:500]
            self._add(shop, self._job(kind, started, counts, text))
            raise
        if kind not in OFTEN or any(counts.values()):
            self._add(shop, self._job(kind, started, counts, None))

    def latest(self, shop: str, limit: int) -> list[Job]:
        """The newest first."""
        try:
            lines = self._file(shop).read_bytes().splitlines()
        except OSError:
            return []
        return [job for line in reversed(lines[-limit:]) if (job := _read(line)) is not None]

    def _job(self, kind: str, started: int, counts: dict[str, int], error: str | None) -> Job:
        now = self._clock()
        return Job(kind=kind, started_at=started, finished_at=now, counts=counts, error=error)

    def _add(self, shop: str, job: Job) -> None:
        file = self._file(shop)
        try:
            with folder_lock(file.with_suffix(".lock"), wait=True):
                if file.exists() and file.stat().st_size > MOST_BYTES:
                    kept = file.read_bytes().splitlines(keepends=True)[-KEPT:]
                    fresh = file.with_suffix(".new")
                    fresh.write_bytes(b"".join(kept))
                    fresh.replace(file)
                with file.open("ab") as stream:
                    stream.write(msgspec.json.encode(job) + b"\n")
        except OSError:
            LOG.exception("a job could not be noted", extra={"shop": shop, "job": job.kind})

    def _file(self, shop: str) -> Path:
        return self._folder / "jobs" / f"shop={shop.encode().hex()}.ndjson"


def _read(line: bytes) -> Job | None:
    try:
        return _LINE.decode(line)
    except msgspec.DecodeError:
        return None  # cut off by a crash
