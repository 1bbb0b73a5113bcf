"""A real Chromium before a real server, and a shop full of hostile texts."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from door import open_door
from endcap.core.placement import ControlRecord
from server import serving

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
ARTEFACTS = Path(__file__).parent.parent / "artefacts" / "dashboard"
RUN = "window.ran=(window.ran||0)+1"
WRAPPERS = (
    "<script>{}</script>", "<img src=x onerror={}>", "<svg onload={}>", "<svg/onload={}>",
    "\"><script>{}</script>", "'><script>{}</script>", "\" onmouseover={} x=\"",
    "' onfocus={} autofocus x='", "<body onload={}>", "<iframe srcdoc='<script>{}</script>'>",
    "<a href=javascript:{}>x</a>", "javascript:{}", "</title><script>{}</script>",
    "</textarea><script>{}</script>", "</script><script>{}</script>", "<!--><script>{}</script>-->",
    "<math><mtext></form><form><mglyph><style></math><img src onerror={}>",
    "<details open ontoggle={}>", "<input autofocus onfocus={}>", "<video><source onerror={}>",
)  # fmt: skip
CALLS = (RUN, "parent." + RUN, "eval(`" + RUN + "`)")
PAYLOADS = tuple(wrapper.format(call) for call in CALLS for wrapper in WRAPPERS)
WATCH = """document.addEventListener("securitypolicyviolation", () => {
  window.broke = (window.broke || 0) + 1;
})"""


def needs_chromium():
    """Skip without a browser, except where all checks must run."""
    if not shutil.which("chromium"):
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is needed: apt-get install chromium", pytrace=False)
        pytest.skip("chromium is not installed", allow_module_level=True)


@contextmanager
def shop_site(folder):
    """The address of a server with a stocked demo shop."""
    with open_door(folder) as door:
        stock(door)
    with serving(folder) as (_, url):
        yield url


def stock(door):
    for n in range(12):
        door.put_product(
            f"mug-{n}", title=f"Mug {n}", brand="Aga", price=f"{n + 2}.50",
            stock=0 if n == 9 else 9, categories=["Kitchen > Mugs"], attributes={"colour": "red"},
        )  # fmt: skip
    for n, payload in enumerate(PAYLOADS):
        door.put_product(
            f"odd-{n}", title=payload, brand=payload[:90], price="1.00", stock=3,
            categories=["Odd"], tags=[payload[:90]],
        )  # fmt: skip
    events = [
        {"type": "purchase", "visitor": f"v{n}", "order": f"o{n}", "event_id": f"o{n}",
         "products": [{"id": f"mug-{i}", "price": "1.00"} for i in range(n % 4, 12, 2)]}
        for n in range(40)
    ]  # fmt: skip
    for n, payload in enumerate(PAYLOADS):
        events.append({"type": "view", "visitor": payload, "product": f"odd-{n}"})
        events.append({"type": "search", "visitor": payload, "query": payload})
        events.append({"type": "view", "visitor": "odd", "product": payload})
    door.send(*events)
    door.build()
    record = ControlRecord(
        kind="demo", name="x", version=0, body=b"{}", author="t", note="", created_at=1
    )
    door.installation.store.control.put("default", record, 0)


class Visit:
    """One browser window: what it asked for, what ran that should not, and its pictures."""

    def __init__(self, browser, url):
        self.url = url
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.add_init_script(WATCH)
        self.asked = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page = self.context.new_page()
        self.dialogs = []
        self.page.on("dialog", self._answer)

    def _answer(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.accept()

    def open(self, path):
        answer = self.page.goto(self.url + path)
        assert answer.status == 200, (path, answer.status)
        return self.page

    def ran(self):
        """How many payloads ran, and how often the policy had to step in."""
        return self.page.evaluate("[window.ran || 0, window.broke || 0]")

    def picture(self, name):
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)

    def check_access(self):
        """Nothing serious for axe in either scheme, and no sideways scrolling on a phone."""
        from axe_playwright_python.sync_playwright import Axe

        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found = Axe().run(self.page).response["violations"]
            serious = [
                (one["id"], node["html"][:120])
                for one in found
                if one["impact"] in ("serious", "critical")
                for node in one["nodes"]
            ]
            assert serious == [], (self.page.url, scheme)
        self.page.set_viewport_size({"width": 390, "height": 844})
        width = self.page.evaluate("document.documentElement.scrollWidth")
        self.page.set_viewport_size({"width": 1280, "height": 900})
        assert width <= 390, f"{self.page.url} is {width} wide"

    def abroad(self):
        """Requests that left the server."""
        return [one for one in self.asked if not one.startswith((self.url, "data:"))]
