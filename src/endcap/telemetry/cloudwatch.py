"""Log lines to Amazon CloudWatch Logs by its API, where no agent can read the standard error.

Region, credentials and a private endpoint come from the usual places of AWS' SDK (environment,
profile, role). The extra `endcap[cloudwatch]` brings it.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

from endcap.core.errors import ConfigurationError

from .posting import PATIENCE


class CloudWatch:
    """One stream of a log group, both made when they are first needed.

    Raises ConfigurationError without the extra or without a region.
    """

    def __init__(self, group: str, stream: str) -> None:
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError as error:
            raise ConfigurationError(
                "cloudwatch_group: needs the extra: pip install 'endcap[cloudwatch]'"
            ) from error
        bounds = Config(
            connect_timeout=PATIENCE,
            read_timeout=PATIENCE,
            retries={"total_max_attempts": 1},
            max_pool_connections=1,
        )
        try:
            self._logs: Any = boto3.client("logs", config=bounds)
        except BotoCoreError as error:
            raise ConfigurationError(f"cloudwatch_group: {error}") from error
        self._where = {"logGroupName": group, "logStreamName": stream}
        self._made = False

    def send(self, lines: Sequence[tuple[int, str]]) -> None:
        """Put (milliseconds, JSON line) into the stream. Raises what the SDK raises."""
        if not self._made:
            self._make()
        events = [{"timestamp": at, "message": text} for at, text in sorted(lines)]
        answer = self._logs.put_log_events(**self._where, logEvents=events)
        if answer.get("rejectedLogEventsInfo"):
            raise OSError("events were refused as too old or too new")

    def _make(self) -> None:
        taken = self._logs.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(taken):
            self._logs.create_log_group(logGroupName=self._where["logGroupName"])
        with contextlib.suppress(taken):
            self._logs.create_log_stream(**self._where)
        self._made = True
