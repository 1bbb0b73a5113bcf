"""What a shop asks of its own people before something goes live."""

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With `four_eyes`, whoever wrote a rule, placement or experiment cannot make it live."""

    four_eyes: bool = False


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """The policy with who set it, and when (UTC milliseconds; 0: nobody has)."""

    four_eyes: bool
    version: int = 0
    author: str = ""
    created_at: int = 0
