"""Objects in a folder, or in object storage by fsspec (S3 and what speaks its protocol)."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from endcap.core.durable import sync
from endcap.core.errors import ConfigurationError, StoreUnavailable
from endcap.core.ports import Objects

TIMEOUTS: Any = {"connect_timeout": "5s", "timeout": "60s", "allow_http": True}


def open_objects(url: str) -> Objects:
    """The storage at `url`: a folder, `s3://bucket/prefix`, or another address fsspec knows.

    Credentials, region and endpoint of S3 are those of the environment (AWS_ACCESS_KEY_ID …).
    Raises ConfigurationError.
    """
    if "://" not in url or url.startswith("file://"):
        return FolderObjects(Path(url.removeprefix("file://")))
    try:
        return BucketObjects(_filesystem(url), url.partition("://")[2].rstrip("/"))
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"objects_url: {url.partition(':')[0]} needs a driver: pip install 'endcap[s3]'"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"objects_url: {error}") from error


def _filesystem(url: str) -> Any:
    scheme = url.partition("://")[0]
    if scheme == "s3":
        from obstore.fsspec import FsspecStore

        return FsspecStore("s3", client_options=TIMEOUTS, retry_config=_retries())
    import fsspec

    return fsspec.filesystem(scheme)


def _retries() -> Any:
    from datetime import timedelta

    return {
        "max_retries": 2,
        "retry_timeout": timedelta(seconds=10),
        "backoff": {
            "base": 2,
            "init_backoff": timedelta(seconds=0.1),
            "max_backoff": timedelta(seconds=1),
        },
    }


class FolderObjects:
    """See the port `Objects`. Each object is a file; it is replaced in one step."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, name: str) -> bytes | None:
        """See the port."""
        with _told():
            file = self._root / name
            return file.read_bytes() if file.is_file() else None

    def put(self, name: str, content: bytes) -> None:
        """See the port."""
        with _told(), self._fresh(name) as fresh:
            fresh.write_bytes(content)

    def fetch(self, name: str, file: Path) -> bool:
        """See the port."""
        with _told():
            if not (self._root / name).is_file():
                return False
            shutil.copyfile(self._root / name, file)
            return True

    def send(self, file: Path, name: str) -> None:
        """See the port."""
        with _told(), self._fresh(name) as fresh:
            shutil.copyfile(file, fresh)

    def names(self, below: str) -> list[str]:
        """See the port."""
        with _told():
            found = (self._root / below).rglob("*")
            files = [f for f in found if f.is_file() and f.suffix != ".new"]
            return sorted(f.relative_to(self._root).as_posix() for f in files)

    def remove(self, names: Sequence[str]) -> None:
        """See the port."""
        with _told():
            for name in names:
                (self._root / name).unlink(missing_ok=True)

    @contextmanager
    def _fresh(self, name: str) -> Iterator[Path]:
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
        yield fresh
        sync(fresh)
        fresh.replace(target)


class BucketObjects:
    """See the port `Objects`, over a file system of fsspec whose writes happen in one step."""

    def __init__(self, files: Any, root: str) -> None:
        self._files = files
        self._root = root

    def get(self, name: str) -> bytes | None:
        """See the port."""
        with _told(), contextlib.suppress(FileNotFoundError):
            content: bytes = self._files.cat_file(self._path(name))
            return content
        return None

    def put(self, name: str, content: bytes) -> None:
        """See the port."""
        with _told():
            self._files.pipe_file(self._path(name), content)

    def fetch(self, name: str, file: Path) -> bool:
        """See the port."""
        with _told(), contextlib.suppress(FileNotFoundError):
            self._files.get_file(self._path(name), str(file))
            return True
        return False

    def send(self, file: Path, name: str) -> None:
        """See the port."""
        with _told():
            self._files.put_file(str(file), self._path(name))

    def names(self, below: str) -> list[str]:
        """See the port."""
        with _told(), contextlib.suppress(FileNotFoundError):
            self._files.invalidate_cache()
            found = self._files.find(self._path(below).rstrip("/"))
            cut = len(self._root) + 1
            return sorted(str(name).lstrip("/")[cut:] for name in found)
        return []

    def remove(self, names: Sequence[str]) -> None:
        """See the port."""
        with _told():
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    self._files.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


@contextmanager
def _told() -> Iterator[None]:
    """Whatever a driver raises, in our words."""
    try:
        yield
    except Exception as error:
        # Drivers raise classes of their own, and some plain exceptions.
        text = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise StoreUnavailable(f"the object storage does not answer: {text}") from error
