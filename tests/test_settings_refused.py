"""Settings that would leave a door open do not start, and say what to do."""

import pytest

from endcap.core.errors import ConfigurationError
from endcap.settings import read_settings

GOOD = "5f0c7a1e9b3d48a2b6c4e8f0d1a29374"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "0.0.0.0", "auth": "off"}, "auth: off would let everybody"),
        ({"auth": "maybe"}, "auth: must be required or off"),
        ({"auth": "off", "api_key": GOOD}, "contradict"),
        ({"api_key": "short"}, "at least 20 characters"),
        ({"api_key": "change-me-change-me-change-me"}, "nobody would try"),
        ({"public_url": "http://reco.example.com"}, "https://"),
        ({"public_url": "ftp://reco.example.com"}, "https://"),
        ({"shops": "*"}, "cannot be the name of a shop"),
        ({"consent_unknown": "ask"}, "granted or denied"),
        ({"limit_visitor": -1}, "limit_visitor"),
        ({"keep_events_days": -1}, "keep_events_days"),
    ],
)
def test_a_bad_setting_is_refused_with_one_line(settings, said):
    with pytest.raises(ConfigurationError) as refused:
        read_settings(None, {}, settings)
    assert said in refused.value.detail
    assert "\n" not in refused.value.detail


def test_beyond_loopback_callers_must_show_who_they_are():
    beyond = read_settings(None, {}, {"host": "0.0.0.0"})
    assert not beyond.open_door
    assert read_settings(None, {}, {}).open_door
    assert not read_settings(None, {}, {"auth": "required"}).open_door
    assert not read_settings(None, {}, {"api_key": GOOD}).open_door
