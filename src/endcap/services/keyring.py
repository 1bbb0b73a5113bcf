"""The keyring: keys that sign access tokens, kept sealed, announced before use, then retired.

Key states: `next` stands in the JWKS but does not sign yet, `current` signs, `previous` only
verifies until no token of it can be valid any more.
"""

import asyncio
import contextlib

import msgspec

from endcap.access.sealing import Sealer
from endcap.access.signing import (
    SigningKey,
    new_signing_key,
    public_jwk,
    verification_key,
)
from endcap.access.verify import LEEWAY, VerificationKey
from endcap.core.access import SYSTEM
from endcap.core.errors import ConfigurationError, VersionConflict
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.times import DAY, MINUTE, SECOND, Clock

KIND, NAME = "keyring", "signing"
ANNOUNCED = 10 * MINUTE
"""How long a new key stands in the JWKS before it signs; JWKS answers may be cached for half."""
ROTATE_AFTER = 30 * DAY
TOKEN_SECONDS = 600
_RETIRED_AFTER = (TOKEN_SECONDS + LEEWAY) * SECOND


class Keyring:
    """Loads, rotates and hands out signing keys."""

    def __init__(self, control: Control, sealer: Sealer, clock: Clock) -> None:
        self._control = control
        self._sealer = sealer
        self._clock = clock
        self._keys: list[SigningKey] = []
        self._public: dict[str, VerificationKey] = {}
        self._version = 0

    async def load(self) -> None:
        """Read the keys; a new installation gets its first. Raises ConfigurationError."""
        record = await asyncio.to_thread(self._control.get, SYSTEM, KIND, NAME, None)
        if record is None or record.body is None:
            now = self._clock()
            before = 0 if record is None else record.version
            # Should another process have just made the first one, that is the one.
            with contextlib.suppress(VersionConflict):
                await self._store([new_signing_key(now, now)], before)
            record = await asyncio.to_thread(self._control.get, SYSTEM, KIND, NAME, None)
        assert record is not None
        assert record.body is not None
        try:
            content = self._sealer.open(record.body, NAME)
        except ValueError as error:
            raise ConfigurationError(
                "the signing keys in the store are sealed under another `secret`; put back the "
                "secret (or secret.key) that this store was made with"
            ) from error
        self._take(msgspec.json.decode(content, type=list[SigningKey]), record.version)

    def current(self) -> SigningKey:
        """The key that signs now."""
        now = self._clock()
        return [key for key in self._keys if key.active_from <= now][-1]

    def public(self) -> dict[str, VerificationKey]:
        """The keys that verify, by kid: those in use or just replaced."""
        now = self._clock()
        return {k.kid: self._public[k.kid] for k in self._keys if not self._retired(k, now)}

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """What `/.well-known/jwks.json` shows: next, current and previous keys."""
        now = self._clock()
        return {"keys": [public_jwk(k) for k in self._keys if not self._retired(k, now)]}

    async def rotate(self, announced: int = ANNOUNCED) -> str:
        """Announce a new key that signs after `announced` milliseconds; return its kid.

        A key announced already is not doubled: its kid is returned. Raises VersionConflict when
        another replica rotates at the same moment.
        """
        now = self._clock()
        if self._keys[-1].active_from > now:
            return self._keys[-1].kid
        kept = [key for key in self._keys if not self._retired(key, now)]
        fresh = new_signing_key(now, now + announced)
        await self._store([*kept, fresh], self._version)
        return fresh.kid

    async def tend(self) -> None:
        """Rotate when the newest key has served its time."""
        if self._clock() - self._keys[-1].active_from >= ROTATE_AFTER:
            await self.rotate()

    def _retired(self, key: SigningKey, now: int) -> bool:
        later = [k.active_from for k in self._keys if k.active_from > key.active_from]
        return bool(later) and min(later) + _RETIRED_AFTER <= now

    async def _store(self, keys: list[SigningKey], expected: int) -> None:
        record = ControlRecord(
            kind=KIND,
            name=NAME,
            version=0,
            body=self._sealer.seal(msgspec.json.encode(keys), NAME),
            author="endcap",
            note="signing keys, sealed",
            created_at=self._clock(),
        )
        stored = await asyncio.to_thread(self._control.put, SYSTEM, record, expected)
        self._take(keys, stored.version)

    def _take(self, keys: list[SigningKey], version: int) -> None:
        self._keys = sorted(keys, key=lambda key: key.active_from)
        self._public = {key.kid: verification_key(key) for key in keys}
        self._version = version
