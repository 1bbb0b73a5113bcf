"""People: passwords, one-time links and sessions."""

import asyncio
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from endcap.access.keys import digest, new_secret
from endcap.access.links import read_link
from endcap.access.passwords import DUMMY, hashed, matches, password_problem
from endcap.core.access import Caller
from endcap.core.accounts import Account
from endcap.core.errors import (
    EndcapError,
    Forbidden,
    InvalidInput,
    InvalidToken,
    Overloaded,
    Unauthenticated,
)
from endcap.core.ports import Control
from endcap.core.times import HOUR, MINUTE, Clock

from .directory import Directory
from .limits import Buckets, SharedBuckets
from .short_lived import Held, ShortLived

T = TypeVar("T")
IDLE = 30 * MINUTE
ABSOLUTE = 12 * HOUR
TOUCHED_EVERY = 5 * MINUTE
HASHERS = 1
WAITING = 32


class WrongPassword(Unauthenticated):
    """Name and password do not belong together; nothing more is told."""

    code = "wrong_password"
    title = "Wrong name or password"


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser. `epoch` is the account's when it signed in."""

    shop: str
    account: str
    epoch: int
    started: int


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who an identity provider says somebody is: the account's name, and the roles here."""

    shop: str
    name: str
    issuer: str
    roles: tuple[str, ...]


class UsedLink(msgspec.Struct, frozen=True):
    """A one-time link that was used."""

    account: str


class Hashing:
    """Hashes passwords on a thread of its own, so many log-ins cannot slow the answers."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(HASHERS, "endcap-passwords")
        self._waiting = 0

    async def run(self, work: Callable[..., T], *arguments: str) -> T:
        """Run it in turn. Raises Overloaded when too many wait."""
        if self._waiting >= WAITING:
            raise Overloaded("too many people sign in at this moment")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class People:
    """Signs people in and out, and knows who a session is of."""

    def __init__(
        self,
        directory: Directory,
        control: Control,
        secret: bytes,
        clock: Clock,
        shared: SharedBuckets | None = None,
    ) -> None:
        self._directory = directory
        self._secret = secret
        self._clock = clock
        self._sessions = ShortLived(control, "session", Session, clock)
        self._links = ShortLived(control, "used_link", UsedLink, clock)
        self._near = Buckets("name and address", 10, clock, shared)
        self._name = Buckets("name", 100, clock, shared)
        self._address = Buckets("signing address", 30, clock, shared)
        self.hashing = Hashing()

    async def sign_in(self, shop: str, name: str, password: str, address: str) -> str:
        """A new session's id. Raises WrongPassword, TooManyRequests or Overloaded."""
        await self._near.take(f"{shop}\0{name}\0{address}")
        await self._name.take(f"{shop}\0{name}")
        await self._address.take(address)
        account = self._directory.find(shop, Account, name)
        known = account is not None and not account.disabled and bool(account.password)
        known = known and account is not None and not account.issuer
        stored = account.password if account is not None and known else DUMMY
        right = await self.hashing.run(matches, stored, password[:1_000])
        if account is None or not known or not right:
            raise WrongPassword
        return await self.start(shop, account)

    async def check_address(self, address: str) -> None:
        """Count a sign-in that is proven elsewhere. Raises TooManyRequests."""
        await self._address.take(address)

    async def use_link(self, text: str, address: str) -> tuple[str, str]:
        """The shop and new session of a one-time link. Raises InvalidToken, TooManyRequests.

        The first link of an installation makes its first account.
        """
        await self._address.take(address)
        link = read_link(self._secret, text, self._clock())
        if link is None or link.shop not in self._directory.shops:
            raise InvalidToken("the link is not valid or its time is over; make a new one")
        if not await self._links.add(link.nonce, UsedLink(link.account), link.until):
            raise InvalidToken("the link has been used; make a new one")
        account = self._directory.find(link.shop, Account, link.account)
        if account is None:
            if self._directory.all(link.shop, Account):
                raise InvalidToken("the link's account is not there any more")
            first = Account(name=link.account, roles=("admin",))
            account = await self._directory.put(link.shop, first, "endcap", "first account")
        if account.disabled:
            raise InvalidToken("the link's account is disabled")
        return link.shop, await self.start(link.shop, account)

    async def enter(self, who: Identity) -> str:
        """A new session of somebody whom an identity provider has signed in.

        Raises Forbidden for somebody without a role here, with a disabled account, or whose name
        is that of a local account.
        """
        account = self._directory.find(who.shop, Account, who.name)
        if account is not None and account.issuer != who.issuer:
            raise Forbidden("a local account has this name; an administrator has to rename one")
        if account is None and who.roles:
            account = Account(name=who.name, roles=who.roles, issuer=who.issuer)
            await self._directory.put(who.shop, account, "endcap", "first sign-in")
        elif account is not None and account.roles != who.roles:
            account = msgspec.structs.replace(account, roles=who.roles)
            await self._directory.put(who.shop, account, "endcap", "roles at sign-in")
        if account is None or not account.roles:
            raise Forbidden("your account has no role here; ask an administrator for one")
        if account.disabled:
            raise Forbidden("your account is disabled")
        return await self.start(who.shop, account)

    async def start(self, shop: str, account: Account) -> str:
        """A new session for the account; its id is kept only as a digest."""
        session, now = new_secret(), self._clock()
        held = Session(shop, account.name, account.epoch, now)
        await self._sessions.add(digest(session), held, now + IDLE)
        return session

    async def caller(self, session: str) -> Caller | None:
        """Who a session is of; None when it has ended, was idle too long, or is unknown."""
        name = digest(session)
        held = await self._sessions.get(name)
        if held is None:
            return None
        account = self._directory.find(held.value.shop, Account, held.value.account)
        if account is None or account.disabled or account.epoch != held.value.epoch:
            return None
        await self._touch(name, held)
        return Caller(
            kind="account",
            name=account.name,
            shop=held.value.shop,
            scopes=self._directory.scopes_of(held.value.shop, account.roles),
            session=session,
        )

    async def end(self, session: str) -> None:
        """End one session."""
        await self._sessions.drop(digest(session))

    async def end_all(self, shop: str, name: str, author: str) -> None:
        """End all sessions and tokens of an account. Raises NotFound."""
        account = self._directory.get(shop, Account, name)
        raised = msgspec.structs.replace(account, epoch=account.epoch + 1)
        await self._directory.put(shop, raised, author, "all sessions ended")

    async def hash_of(self, password: str, names: tuple[str, ...]) -> str:
        """The hash of a new password. Raises InvalidInput when it is too weak."""
        problem = password_problem(password, names)
        if problem is not None:
            raise InvalidInput("the password cannot be taken", [problem])
        return await self.hashing.run(hashed, password)

    def csrf(self, session: str) -> str:
        """The token that forms of this session carry."""
        return hmac.digest(self._secret, b"csrf:v1\0" + digest(session).encode(), "sha256").hex()

    def csrf_is_right(self, session: str, token: str) -> bool:
        """Whether a form's token is of this session."""
        return hmac.compare_digest(self.csrf(session).encode(), token.encode("utf-8", "replace"))

    async def sweep(self) -> None:
        """Purge sessions and links that are over."""
        await self._sessions.sweep()
        await self._links.sweep()

    async def _touch(self, name: str, held: Held[Session]) -> None:
        """Move the end of an idle session on, at most every few minutes."""
        now = self._clock()
        if held.until - now > IDLE - TOUCHED_EVERY:
            return
        until = min(now + IDLE, held.value.started + ABSOLUTE)
        try:
            # Purged first, so that a long session does not gather versions.
            if until > now and await self._sessions.drop(name):
                await self._sessions.add(name, held.value, until)
        except EndcapError:
            return  # the store is away: the session lives on until its time
