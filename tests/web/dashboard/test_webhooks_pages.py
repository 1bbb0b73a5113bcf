"""Webhooks in the dashboard: make one, test it, see what became of it, take it out."""

from urllib.parse import urlencode

from door import open_door

HOME = "/dashboard/webhooks"


def post(door, path, **form):
    return door.post(path, urlencode(form).encode())


def test_a_webhook_from_made_to_gone(tmp_path):
    with open_door(tmp_path) as door:
        assert "No webhooks." in door.get(HOME).body.decode()
        wrong = post(door, "/dashboard/new-webhook", url="ftp://x", title="T<i>")
        assert wrong.status == 422 and 'value="ftp://x"' in wrong.body.decode()
        form = {"url": "https://hooks.example.com/x", "title": "T<i>", "event_rule.published": "1"}
        made = post(door, "/dashboard/new-webhook", **form)
        assert made.status == 200 and "shown this once" in made.body.decode()
        (hook,) = door.get(f"{HOME}.json").json()["webhooks"]
        assert hook["title"] == "T<i>" and hook["events"] == ["rule.published"]
        assert "secret" not in hook or hook["secret"] is None
        page = f"{HOME}/{hook['id']}"
        assert "Nothing was sent yet" in door.get(page).body.decode()
        assert post(door, f"{page}/test").status == 303
        shown = door.get(page, state="waiting").body.decode()
        assert "webhook.test" in shown and "T&lt;i&gt;" in shown and "<i>" not in shown
        assert door.get(f"{page}.json").json()["deliveries"][0]["state"] == "waiting"
        assert post(door, f"{page}/again", delivery="none").status == 404
        assert post(door, f"{page}/remove").status == 303
        assert door.get(page).status == 404
        assert door.get(f"{HOME}.json").json()["webhooks"] == []
