"""People sign in at an external OpenID provider: authorization code with PKCE, state and nonce.

What a browser began is in a sealed cookie of that browser: a sign-in begun elsewhere (login CSRF)
ends nowhere, and no replica has to remember anything.
"""

import asyncio
import base64
import hmac
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

import msgspec

from endcap.access.keys import challenge_of, new_secret
from endcap.access.sealing import Sealer
from endcap.core.errors import EndcapError, InvalidToken
from endcap.core.times import MINUTE, Clock

from .external import ExternalIssuer
from .people import People

Post = Callable[[str, bytes, Mapping[str, str]], bytes]
"""Sends a form to an address and gives the answer (blocking). Raises EndcapError."""
LIFE = 10 * MINUTE
CALLBACK = "/login/oidc/callback"
_ABOUT = "oidc-sign-in"


class OidcClient(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider knows this server as; without a secret PKCE alone protects the code."""

    id: str
    secret: str
    url: str
    scopes: str = "openid"

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to."""
        return self.url + CALLBACK


class _Begun(msgspec.Struct, frozen=True, array_like=True):
    """What the browser's cookie holds; `until` in UTC milliseconds."""

    state: str
    nonce: str
    verifier: str
    after: str
    until: int


class _Tokens(msgspec.Struct):
    id_token: str


class OidcSignIn:
    """Sends people to the provider and takes them in when they come back."""

    def __init__(
        self,
        external: ExternalIssuer,
        client: OidcClient,
        people: People,
        sealer: Sealer,
        post: Post,
        clock: Clock,
    ) -> None:
        self._external = external
        self._client = client
        self._people = people
        self._sealer = sealer
        self._post = post
        self._clock = clock
        self.title = re.sub(r"^https?://", "", external.name).partition("/")[0]

    async def begin(self, after: str) -> tuple[str, str]:
        """The provider's address to go to, and the cookie to keep. Raises EndcapError."""
        if self._external.endpoints is None:
            await self._external.tend()
        found = self._external.endpoints
        if found is None or not found.authorization_endpoint:
            raise EndcapError("the identity provider cannot be reached; try again in a minute")
        begun = _Begun(new_secret(), new_secret(), new_secret(), after, self._clock() + LIFE)
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.redirect_uri,
            "scope": self._client.scopes,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge_of(begun.verifier),
            "code_challenge_method": "S256",
        }
        sealed = self._sealer.seal(msgspec.msgpack.encode(begun), _ABOUT)
        joint = "&" if "?" in found.authorization_endpoint else "?"
        address = f"{found.authorization_endpoint}{joint}{urlencode(asked)}"
        return address, base64.urlsafe_b64encode(sealed).decode()

    async def finish(self, answer: Mapping[str, str], cookie: str) -> tuple[str, str]:
        """The new session, and where to go on to.

        Raises InvalidToken for an answer that is not to this browser's question or whose token is
        not right, Forbidden for somebody without a role here.
        """
        begun = self._begun(cookie)
        if not _same(begun.state, answer.get("state", "")):
            raise InvalidToken("this sign-in was not begun by this browser; begin again")
        issuer = answer.get("iss")
        if issuer is not None and issuer != self._external.name:
            raise InvalidToken("the answer is of another identity provider")
        if "error" in answer or not answer.get("code"):
            code = answer.get("error", "")
            said = f" (`{code}`)" if re.fullmatch(r"[a-z_]{1,40}", code) else ""
            raise InvalidToken(f"the identity provider did not sign you in{said}")
        token = await asyncio.to_thread(self._exchange, answer["code"], begun.verifier)
        identity = await self._external.identity(token, self._client.id, begun.nonce)
        return await self._people.enter(identity), begun.after

    def _begun(self, cookie: str) -> _Begun:
        try:
            sealed = base64.urlsafe_b64decode(cookie.encode("ascii")[:4_000])
            begun = msgspec.msgpack.decode(self._sealer.open(sealed, _ABOUT), type=_Begun)
        except (ValueError, msgspec.DecodeError) as error:
            raise InvalidToken("this sign-in was not begun by this browser; begin again") from error
        if begun.until <= self._clock():
            raise InvalidToken("the sign-in took too long; begin again")
        return begun

    def _exchange(self, code: str, verifier: str) -> str:
        """The ID token for a code (blocking). Raises InvalidToken or EndcapError."""
        found, client = self._external.endpoints, self._client
        if found is None or not found.token_endpoint:
            raise EndcapError("the identity provider cannot be reached; try again in a minute")
        form = {
            "grant_type": "authorization_code",
            "code": code[:4_000],
            "redirect_uri": client.redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if not client.secret:
            form["client_id"] = client.id
        elif "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            pair = f"{quote(client.id, safe='')}:{quote(client.secret, safe='')}".encode()
            headers["authorization"] = "Basic " + base64.b64encode(pair).decode()
        else:
            form |= {"client_id": client.id, "client_secret": client.secret}
        content = self._post(found.token_endpoint, urlencode(form).encode(), headers)
        try:
            return msgspec.json.decode(content, type=_Tokens).id_token
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidToken("the identity provider gave no ID token") from error


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))
