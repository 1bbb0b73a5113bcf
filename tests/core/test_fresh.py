import secrets

from endcap.fresh import new_id


def test_ids_are_unlike_each_other_and_no_options():
    # Of plain random ids some 30 of these would begin with a dash.
    made = {new_id() for _ in range(2_000)}
    assert len(made) == 2_000
    assert {len(one) for one in made} == {24}
    assert not [one for one in made if one.startswith("-")]


def test_one_that_begins_with_a_dash_is_made_again(monkeypatch):
    drawn = iter(["-" + "a" * 23, "-" * 24, "b-" * 12])
    monkeypatch.setattr(secrets, "token_urlsafe", lambda size: next(drawn))
    assert new_id() == "b-" * 12
