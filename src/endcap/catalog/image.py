"""The catalogue's columns as one file, so that a start maps them instead of reading every product.

    magic, length of the head | head (JSON) | pickle of the columns without arrays | arrays

Arrays are mapped copy-on-write: a page costs memory once it is changed. The pickle may name only
the classes of this package's catalogue and what numpy and msgspec rebuild their values with, so
that a file put there by somebody else cannot run anything. A file of other code, or a torn one, is
refused.
"""

import hashlib
import io
import mmap
import pickle
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from endcap.core.errors import SnapshotRefused
from endcap.core.product import ProductDocument

from .bodies import Bodies
from .columns import Columns

MAGIC = b"endcap-columns-1"
ALIGNED = 64
SAMPLES = 32
_ALLOWED = {
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("msgspec._core", "rebuild"),
    ("msgspec._utils", "rebuild"),
    ("endcap.core.product", "BundleMember"),
    ("collections", "OrderedDict"),
}


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """A product of the image as the store had it, to tell another store's image by."""

    id: str
    version: int

    def leads_to(self, document: ProductDocument | None, change: int) -> bool:
        """Whether the store's document could have come of this by changes after `change`."""
        if document is None:
            return True  # deleted, which the changes say
        if document.version == self.version:
            return document.change <= change
        return document.version > self.version and document.change > change


class Head(msgspec.Struct, frozen=True):
    """What the file holds: of which code and shop, up to which change, and its parts."""

    code: str
    shop: str
    change: int
    pickled: int
    sizes: list[int]
    samples: list[Sample]


class Image(NamedTuple):
    """An opened image."""

    head: Head
    columns: Columns


def save(columns: Columns, file: Path) -> None:
    """Write the image of the columns, replacing the file in one step."""
    columns.newest_first()  # sorted now, so that no start has to
    buffers: list[pickle.PickleBuffer] = []
    pickled = io.BytesIO()
    pickler = pickle.Pickler(pickled, protocol=5, buffer_callback=buffers.append)
    bodies = columns.bodies
    ends = np.fromiter(accumulate(len(body) for body in bodies), np.int64, len(bodies))
    pickler.dump((columns.parts(), ends))
    content = pickled.getbuffer()
    sizes = [buffer.raw().nbytes for buffer in buffers]
    total = int(ends[-1]) if len(ends) else 0
    head = _head(columns, len(content), [*sizes, total])
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as stream:
        stream.write(MAGIC + len(head).to_bytes(8, "little") + head)
        stream.write(content)
        for buffer in buffers:
            stream.write(bytes(-stream.tell() % ALIGNED))
            stream.write(buffer.raw())
        stream.write(bytes(-stream.tell() % ALIGNED))
        stream.writelines(bodies)
    fresh.replace(file)


def load(file: Path, shop: str) -> Image:
    """Open an image. Raises SnapshotRefused when it is not one of this code and shop, or torn."""
    try:
        with file.open("rb") as stream:
            mapped = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY))
        head, parts = _opened(mapped, shop)
        kept, ends = _Restricted(io.BytesIO(parts[0]), buffers=iter(parts[1:-1])).load()
        # Read-only, so that a mistake cannot write into it; an empty view cannot be cast.
        base = parts[-1].toreadonly()
        bodies = Bodies(base, memoryview(ends)) if len(ends) else Bodies()
        columns = Columns.of_parts(kept, bodies)
    except Exception as error:
        raise SnapshotRefused(f"{file.name}: {error}") from error
    return Image(head, columns)


def _head(columns: Columns, pickled: int, sizes: list[int]) -> bytes:
    step = max(1, len(columns) // SAMPLES)
    rows = range(0, len(columns), step)
    samples = [Sample(columns.ids[row], int(columns.version[row])) for row in rows]
    return msgspec.json.encode(Head(_code(), columns.shop, columns.change, pickled, sizes, samples))


def _opened(content: memoryview, shop: str) -> tuple[Head, list[memoryview]]:
    """The head; then the pickle, the arrays, and the bodies."""
    start = len(MAGIC) + 8
    if content[: len(MAGIC)] != MAGIC:
        raise SnapshotRefused("is no image of a catalogue")
    end = start + int.from_bytes(content[len(MAGIC) : start], "little")
    head = msgspec.json.decode(content[start:end], type=Head)
    if head.code != _code() or head.shop != shop:
        raise SnapshotRefused("of another version or shop")
    at = end + head.pickled
    parts = [content[end:at]]
    for size in head.sizes:
        at += -at % ALIGNED
        parts.append(content[at : at + size])
        at += size
    if at != len(content):
        raise SnapshotRefused("is torn")
    return head, parts


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Only what a catalogue is made of."""
        if (module, name) in _ALLOWED:
            return super().find_class(module, name)
        if module == "numpy" and name in np.sctypeDict:
            return np.dtype(name).type
        if module.startswith("endcap.catalog.") and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"names {module}.{name}, which no catalogue holds")


@cache
def _code() -> str:
    """A digest of the code that decides what an image holds."""
    found = hashlib.sha256(np.__version__.encode() + msgspec.__version__.encode())
    here = Path(__file__).parent
    for file in (*sorted(here.glob("*.py")), *sorted((here.parent / "core").glob("[mp]*.py"))):
        found.update(file.read_bytes())
    return found.hexdigest()
