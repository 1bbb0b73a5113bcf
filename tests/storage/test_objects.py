"""The port of objects: one suite for a folder and for S3."""

import pytest

from endcap.core.errors import ConfigurationError, StoreUnavailable
from endcap.storage.objects import open_objects


@pytest.fixture
def objects(objects_url):
    return open_objects(objects_url)


def test_what_is_put_is_there_until_it_is_removed(objects, tmp_path):
    assert objects.get("a/none") is None
    assert objects.names("a/") == []
    for content in (b"one", b"", b"two" * 100_000):
        objects.put("a/small", content)
        assert objects.get("a/small") == content
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 50_000)
    objects.send(big, "a/day=2026-01-01/big.parquet")
    back = tmp_path / "back"
    assert objects.fetch("a/day=2026-01-01/big.parquet", back)
    assert back.read_bytes() == big.read_bytes()
    assert not objects.fetch("a/none", tmp_path / "none")
    objects.put("b/other", b"")
    assert objects.names("a/") == ["a/day=2026-01-01/big.parquet", "a/small"]
    objects.remove(["a/small", "a/none"])
    assert objects.names("a/") == ["a/day=2026-01-01/big.parquet"]
    assert objects.get("a/small") is None


def test_storage_that_is_away_is_said_to_be(servers, monkeypatch, tmp_path):
    s3 = servers["s3"]
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    nowhere = open_objects("s3://no-bucket-of-this-name/prefix")
    with pytest.raises(StoreUnavailable, match="object storage"):
        nowhere.put("a", b"1")
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:1")
    away = open_objects("s3://bucket/prefix")
    for call in (lambda: away.get("a"), lambda: away.names("a/"), lambda: away.put("a", b"")):
        with pytest.raises(StoreUnavailable, match="object storage"):
            call()


def test_an_address_that_means_nothing():
    with pytest.raises(ConfigurationError, match="objects_url"):
        open_objects("nonsense://bucket")
