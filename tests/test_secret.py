"""The installation's secret."""

import secrets
import stat

import pytest

from endcap.core.errors import ConfigurationError
from endcap.secret import check_secret, read_secret
from endcap.settings import Settings, read_settings
from endcap.storage.memory_control import MemoryControl

GOOD = secrets.token_hex(32)


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    settings = Settings(data=str(tmp_path / "d"))
    key = read_secret(settings)
    assert len(key) == 32
    assert read_secret(settings) == key
    file = tmp_path / "d" / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [f.name for f in file.parent.iterdir()] == ["secret.key"]
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_secret(settings)


@pytest.mark.parametrize(
    "guessable", ["00" * 32, "deadbeef" * 8, "0123456789abcdef" * 4, "ab", GOOD[:62], "x" * 64]
)
def test_a_key_that_can_be_guessed_is_refused(guessable):
    with pytest.raises(ConfigurationError, match="secret: must be"):
        read_secret(Settings(secret=guessable))


def test_a_good_one_is_taken():
    assert read_secret(Settings(secret=GOOD)).hex() == GOOD


def test_the_store_knows_its_key_and_does_not_give_it_away():
    control = MemoryControl()
    key, other = bytes.fromhex(GOOD), secrets.token_bytes(32)
    check_secret(control, key, 1)
    check_secret(control, key, 2)
    with pytest.raises(ConfigurationError, match="with another"):
        check_secret(control, other, 3)
    (record,) = control.history("", "installation", "secret")
    assert key not in record.body
    assert GOOD.encode() not in record.body


@pytest.mark.parametrize(
    "key", ["changeme-changeme-changeme", "aaaaaaaaaaaaaaaaaaaaaaaa", "my-password-is-very-long"]
)
def test_an_api_key_that_anybody_would_try_is_refused(key):
    with pytest.raises(ConfigurationError, match="api_key"):
        read_settings(None, {"ENDCAP_HOST": "0.0.0.0", "ENDCAP_API_KEY": key})
