"""A lock on a folder between processes of one machine, or of one shared file system."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from endcap.core.errors import EndcapError


class FolderBusy(EndcapError):
    """Another process is working in this folder; try again when it is done."""

    status = 503
    code = "folder_busy"
    title = "Folder busy"
    retry_after = 5


@contextmanager
def folder_lock(file: Path, wait: bool) -> Iterator[None]:
    """Hold the lock `file`; with `wait` until it is free. Raises FolderBusy.

    The system frees it at any kind of end of the process.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            raise FolderBusy(f"another process is working in {file.parent}") from None
        yield
