"""One process per SQLite store: a lock file that also says who holds it."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO

from endcap.core.errors import ConfigurationError


class StoreLock:
    """An exclusive lock for the life of the process; the system frees it at any kind of end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stream: IO[str] | None = None

    def take(self) -> None:
        """Take the lock. Raises ConfigurationError naming the process that has it."""
        stream = self._file.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.close()
            raise ConfigurationError(
                f"{self._file.parent} is open in another process ({self._holder()}); stop it, or "
                "send your request to its API. SQLite serves one process; several need PostgreSQL."
            ) from None
        self._stream = stream
        self.describe({"pid": os.getpid()})

    def describe(self, about: dict[str, object]) -> None:
        """Write who holds the lock, for others to read."""
        if self._stream is not None:
            self._stream.seek(0)
            self._stream.truncate()
            self._stream.write(json.dumps(about))
            self._stream.flush()

    def free(self) -> None:
        """Give the lock back."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _holder(self) -> str:
        try:
            about = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return "unknown"
        url = f", {about['url']}" if about.get("url") else ""
        return f"pid {about.get('pid', 'unknown')}{url}"
