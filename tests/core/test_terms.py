import pytest

from endcap.core.terms import MAX_TERM, normalised


@pytest.mark.parametrize(
    ("query", "term"),
    [
        ("Blue  MUG!", "blue mug"),
        ("ＢＬＵＥ-mug", "blue mug"),
        ("cafe\u0301", "caf\u00e9"),
        ("Straße", "strasse"),
        ("?!", ""),
        ("100 % cotton", "100 cotton"),
    ],
)
def test_terms_that_say_the_same_are_one(query, term):
    assert normalised(query) == term
    assert normalised(term) == term


def test_a_term_is_bounded():
    assert len(normalised("x" * 1_000)) == MAX_TERM
