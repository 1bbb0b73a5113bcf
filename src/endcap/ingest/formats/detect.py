"""Which format a file or a body has."""

from pathlib import PurePath

FORMATS = ("ndjson", "json", "csv", "tsv", "xml")
_TYPES = {
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/json": "json",
    "application/ld+json": "json",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/rss+xml": "xml",
    "application/atom+xml": "xml",
}
_ENDINGS = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".jsonld": "json",
    ".xml": "xml",
    ".rss": "xml",
    ".atom": "xml",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}


def format_of_type(content_type: str) -> str:
    """The format a content type names; empty for one we do not read."""
    return _TYPES.get(content_type.partition(";")[0].strip().lower(), "")


def format_of_name(name: str) -> str:
    """The format a file's name names (`.gz` is looked through); empty for one we do not read."""
    path = PurePath(name)
    if path.suffix == ".gz":
        path = path.with_suffix("")
    return _ENDINGS.get(path.suffix.lower(), "")
