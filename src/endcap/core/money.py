"""Money: a decimal with an ISO 4217 currency outside, integer minor units inside; never a float."""

from decimal import Decimal

# ISO 4217 currencies whose minor unit is not 1/100 (amendment 176).
_EXPONENTS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
MAX_MINOR = 10**15


def exponent(currency: str) -> int:
    """How many decimal places the currency has."""
    return _EXPONENTS.get(currency, 2)


def is_currency(code: str) -> bool:
    """Whether the text has the form of an ISO 4217 code (three capital letters)."""
    return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount in minor units. Raises ValueError, with the reason, if it does not fit."""
    if not amount.is_finite():
        raise ValueError("must be a finite number")
    # By its exponent, because arithmetic on a number this large is refused by the decimal module.
    if amount.adjusted() > 15 or abs(amount) >= MAX_MINOR:
        raise ValueError("is too large")
    scaled = amount.scaleb(exponent(currency))
    minor = int(scaled)
    if minor != scaled:
        raise ValueError(f"has more than {exponent(currency)} decimal places for {currency}")
    if abs(minor) >= MAX_MINOR:
        raise ValueError("is too large")
    return minor


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount as a decimal with exactly the currency's places."""
    return Decimal(int(minor)).scaleb(-exponent(currency))
