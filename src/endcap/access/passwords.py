"""Passwords: argon2id, a minimum length, and a list of those everybody tries first.

The list is drawn from the one of zxcvbn (Dan Wheeler and others, MIT licence)."""

from functools import cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from endcap.core.errors import FieldProblem

MIN_LENGTH = 12
MAX_LENGTH = 200
# OWASP's minimum for argon2id: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
DUMMY = (
    "$argon2id$v=19$m=19456,t=2,p=1$JIEmGwJfe7UgmFbPT1Qk8A"
    "$BVz129NY6oScp8imDC7IdH++ko6vNtkl4CUdpo4rSfg"
)
"""Checked when there is no such account, so that it takes as long as a wrong password."""


def password_problem(password: str, names: tuple[str, ...] = ()) -> FieldProblem | None:
    """What is wrong with a new password, or None; `names` are words it may not be made of."""
    if len(password) < MIN_LENGTH:
        return FieldProblem("/password", "too_short", f"needs at least {MIN_LENGTH} characters")
    if len(password) > MAX_LENGTH:
        return FieldProblem("/password", "too_long", f"takes at most {MAX_LENGTH} characters")
    folded = password.casefold()
    stem = folded.rstrip("0123456789!?.#$-_")
    if folded in _common() or stem in _common() or len(set(folded)) < 5:
        return FieldProblem("/password", "too_common", "is among those everybody tries first")
    if any(name and name.casefold() in folded for name in names if len(name) >= 4):
        return FieldProblem("/password", "too_common", "must not hold the account's name")
    return None


def hashed(password: str) -> str:
    """The argon2id hash. Takes about 40 ms of one core and 19 MiB."""
    return _HASHER.hash(password)


def matches(hashed_password: str, password: str) -> bool:
    """Whether it is the password; as slow as hashing it, whatever the answer."""
    try:
        return _HASHER.verify(hashed_password, password)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _common() -> frozenset[str]:
    text = resources.files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(text.split())
