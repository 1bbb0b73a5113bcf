"""Every operation for every kind of caller: who may, may; nobody else gets through."""

import re

import pytest
from starlette.routing import Route

from door import open_door
from endcap.core.access import BROWSER_SCOPES, ROLES, SCOPES
from endcap.core.accounts import Account, Client
from endcap.services.authority import Subject
from endcap.web.app import all_operations

ORIGIN = "https://shop.example.com"
OPERATIONS = {op.id: op for op in all_operations()}
# Addresses beside the API, each with what guards it.
PAGES = {
    "/": "open",
    "/docs": "open",
    "/docs/assets/{name}": "open",
    "/docs/errors/{code}": "open",
    "/openapi.json": "open",
    "/endcap.js": "open",
    "/postman.json": "open",
    "/login": "signs in",
    "/login/oidc": "signs in",
    "/login/oidc/callback": "signs in",
    "/login/style.css": "open",
    "/logout": "session",
    "/account": "session",
    "/oauth/authorize": "session",
}


class Callers:
    """One of each kind, with what it may do."""

    def __init__(self, door):
        self.door = door
        self.security = door.installation.security
        self.headers = {"anonymous": []}
        self.scopes = {"anonymous": frozenset()}
        for scope in SCOPES:
            self.add_key(f"key {scope}", [scope])
        self.add_key("key of everything", list(SCOPES))
        self.add_key("publishable key", [], origins=[ORIGIN])
        self.headers["publishable key"].append(("origin", ORIGIN))
        self.scopes["publishable key"] = BROWSER_SCOPES
        for role, scopes in ROLES.items():
            self.add_account(role, [role], scopes)
        self.add_account("nobody", [], frozenset())
        self.add_client()
        self.add_refused()

    def add(self, name, credential, scopes):
        self.headers[name] = [("authorization", f"Bearer {credential}")]
        self.scopes[name] = frozenset(scopes)

    def add_key(self, name, scopes, **fields):
        kind = "publishable" if "origins" in fields else "secret"
        view = self.door.post("/v1/keys", {"kind": kind, "scopes": scopes, **fields}, [ROOT])
        assert view.status == 201, view
        self.add(name, view.json()["key"], scopes)
        return view.json()

    def add_account(self, name, roles, scopes):
        door, security = self.door, self.security
        account = Account(name=name, roles=tuple(roles))
        door.run(security.directory.put("default", account, "test"))
        session = door.run(security.people.start("default", account))
        csrf = security.people.csrf(session)
        self.headers[f"session of {name}"] = [
            ("cookie", f"endcap_session={session}"),
            ("x-csrf-token", csrf),
            ("sec-fetch-site", "same-origin"),
        ]
        self.scopes[f"session of {name}"] = scopes
        tool = Client(id=f"tool-{name}", public=True, scopes=tuple(SCOPES))
        door.run(security.directory.put("default", tool, "test"))
        subject = Subject(shop="default", client=tool, account=account)
        # The token claims everything; what the account may not do must still be refused.
        issued = security.authority.issue(subject, frozenset(SCOPES), f"jti-{name}")
        self.add(f"token of {name}", issued.token, scopes)

    def add_client(self):
        client = Client(id="narrow", scopes=("catalogue:read",))
        self.door.run(self.security.directory.put("default", client, "test"))
        subject = Subject(shop="default", client=client)
        issued = self.security.authority.issue(subject, frozenset(SCOPES), "jti-narrow")
        self.add("client token that claims too much", issued.token, client.scopes)

    def add_refused(self):
        """Callers who could do everything once."""
        door, everything = self.door, list(SCOPES)
        self.add_key("expired key", everything, expires_at="2020-01-01T00:00:00Z")
        view = self.add_key("deleted key", everything)
        assert door.call("DELETE", f"/v1/keys/{view['id']}", headers=[ROOT]).status == 204
        client = Client(id="gone", scopes=tuple(SCOPES))
        door.run(self.security.directory.put("default", client, "test"))
        subject = Subject(shop="default", client=client)
        for name, token_id in (("revoked token", "jti-revoked"), ("orphan token", "jti-orphan")):
            issued = self.security.authority.issue(subject, frozenset(SCOPES), token_id)
            self.add(name, issued.token, ())
        door.run(self.security.authority.revoke("jti-revoked", 2**52))
        self.scopes["expired key"] = self.scopes["deleted key"] = frozenset()
        door.run(self.security.directory.remove("default", Client, "gone", "test"))
        self.add("nonsense", "rk_sec_nonsense", ())
        self.add("api_key of another server", "x" * 40, ())


ROOT_KEY = "fa0fb879390bc7bf2a3f087041a2faf9dacc440c"
ROOT = ("authorization", f"Bearer {ROOT_KEY}")


@pytest.fixture(scope="module")
def callers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    with open_door(folder, api_key=ROOT_KEY, limit_address=0) as door:
        yield Callers(door)
        door.run(door.installation.builds.finished("default"))


def call(callers, operation, headers):
    path = re.sub(r"\{[^}]+\}", "nothing", operation.path)
    body = operation.body_example
    return callers.door.call(operation.method, path, body, headers)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_only_who_may_gets_through(callers, operation):
    leaks, blocked, asked = [], [], 0
    for name, headers in callers.headers.items():
        answer = call(callers, operation, headers)
        asked += 1
        assert answer.status < 500 or operation.id == "readyz", answer
        # 403 also answers somebody who would give away more than it has.
        refused = answer.status == 401 or b"needs the scope" in answer.body
        if operation.scope == "open":
            # These two ask for proof of their own: a client's secret, a signature.
            own = operation.tag == "OAuth" or operation.id == "post_shopify_webhook"
            assert not refused or own, answer
            continue
        may = operation.scope in callers.scopes[name]
        if name == "publishable key":
            may = may and operation.browser
        if may and refused:
            blocked.append((name, answer))
        if not may and not refused:
            leaks.append((name, answer))
        if not callers.headers[name]:
            assert answer.status == 401
    assert leaks == []
    assert blocked == []
    assert asked == len(callers.headers) >= 30


def test_every_address_is_an_operation_or_a_known_page(callers):
    found = set()
    waiting = [callers.door.app]
    while waiting:
        app = waiting.pop()
        for route in getattr(app, "routes", []):
            assert isinstance(route, Route), route
            found.add(route.path)
        if hasattr(app, "_app"):
            waiting.append(app._app)
    paths = {op.path for op in OPERATIONS.values()}
    dashboard = {path for path in found if path.startswith(("/dashboard", "/demo-shop"))}
    assert found - dashboard == paths | set(PAGES)
    assert len(paths) >= 20


def test_the_document_names_the_scope_of_every_operation(callers):
    document = callers.door.get("/openapi.json").json()
    described = {
        entry["operationId"]: entry for ops in document["paths"].values() for entry in ops.values()
    }
    assert set(described) == set(OPERATIONS)
    schemes = document["components"]["securitySchemes"]
    assert set(schemes["oauth2"]["flows"]["clientCredentials"]["scopes"]) == set(SCOPES)
    for name, operation in OPERATIONS.items():
        needed = described[name]["security"]
        if operation.scope == "open":
            assert needed == []
        else:
            assert {"oauth2": [operation.scope]} in needed
            assert ({"publishable": []} in needed) == operation.browser


def test_an_operation_without_a_known_scope_does_not_start():
    import msgspec

    from endcap.core.errors import ConfigurationError

    operation = OPERATIONS["list_products"]
    for changed in ({"scope": ""}, {"scope": "catalogue:*"}, {"browser": True}):
        with pytest.raises(ConfigurationError):
            msgspec.structs.replace(operation, **changed).check()
