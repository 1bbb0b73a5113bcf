"""Ids that engines are known to confuse, cut or refuse."""

PAIRS = [
    ("abc", "ABC"),
    ("a", "a "),
    ("a", " a"),
    ("\u00e9", "e\u0301"),
    ("stra\u00dfe", "strasse"),
    ("a%", "ab"),
    ("a_", "ab"),
    ("1", "01"),
    ("1", "1.0"),
    ("x" * 199 + "a", "x" * 199 + "b"),
    ("'", "''"),
    ('"', "'"),
    ("\\", "\\\\"),
    ("\U0001f380", "\U0001f381"),
    ("\u0130", "i"),
    ("k", "\u212a"),
]
EVERY = list(dict.fromkeys(one for pair in PAIRS for one in pair))
