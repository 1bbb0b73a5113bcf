"""Setting up the process's logs: where they go, in which form, from which level on."""

import logging
import logging.handlers
import queue
import sys
from collections.abc import Sequence
from typing import TextIO

from .ecs import EcsFormatter, TextFormatter

WAITING = 10_000


class DroppingQueueHandler(logging.handlers.QueueHandler):
    """Hands records to the writer's thread; what does not fit is counted, never waited for."""

    def __init__(self, waiting: "queue.Queue[logging.LogRecord]") -> None:
        super().__init__(waiting)
        self.dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a record or count it as dropped."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """The record as it is: it is formatted by the writer, in this process."""
        return record


class Logs:
    """The process's logs on one stream, written by a thread of its own, and `others` beside it."""

    def __init__(
        self,
        level: str,
        form: str,
        role: str = "all",
        stream: TextIO | None = None,
        others: Sequence[logging.Handler] = (),
    ) -> None:
        stream = stream or sys.stderr
        writer = logging.StreamHandler(stream)
        if form == "json" or (form == "auto" and not stream.isatty()):
            writer.setFormatter(EcsFormatter(role=role))
        else:
            writer.setFormatter(TextFormatter("%(asctime)s %(levelname)s %(message)s"))
        waiting: queue.Queue[logging.LogRecord] = queue.Queue(WAITING)
        self.handler = DroppingQueueHandler(waiting)
        self._handlers = [self.handler, *others]
        self._listener = logging.handlers.QueueListener(waiting, writer)
        self._level = level.upper()

    def start(self) -> None:
        """Take over the root logger; `level` is for this program's own loggers."""
        root = logging.getLogger()
        root.handlers = list(self._handlers)
        # Libraries tell at their lower levels what they were given: MongoDB's driver whole events.
        root.setLevel(logging.WARNING)
        logging.getLogger("endcap").setLevel(self._level)
        # uvicorn's own lines say what the access log says better.
        logging.getLogger("uvicorn").handlers = []
        self._listener.start()

    def stop(self) -> None:
        """Write what waits and let go."""
        root = logging.getLogger()
        root.handlers = [handler for handler in root.handlers if handler not in self._handlers]
        self._listener.stop()
