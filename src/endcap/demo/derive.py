"""Category, colour, material and theme from a description, by the rules of a data file."""

import re
import tomllib
from importlib import resources
from typing import Any

import msgspec

_WORD = re.compile(r"[A-Z0-9'/\-]+")


class CategoryRule(msgspec.Struct, frozen=True):
    """A category and the words that put a product in it."""

    path: str
    words: list[str]


class Noise(msgspec.Struct, frozen=True):
    """Which lines are no sale of a product."""

    codes: list[str]
    invoices: list[str]
    notes: list[str]


class Rules(msgspec.Struct, frozen=True):
    """The data file."""

    noise: Noise
    titles: dict[str, list[str]]
    zones: dict[str, str]
    category: list[CategoryRule]
    colour: dict[str, str]
    material: dict[str, str]
    theme: dict[str, str]


class Deriver:
    """Applies the rules; matches whole words, so `cup` is not in `cupboard`."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._categories = [(rule.path, _pattern(rule.words)) for rule in rules.category]
        self._attributes = {
            name: [(_pattern([word]), value) for word, value in getattr(rules, name).items()]
            for name in ("colour", "material", "theme")
        }
        self._spelling = {word.upper(): word for word in rules.titles["keep"]}

    def category(self, description: str) -> str:
        """The first category whose words occur; `Other` when none does."""
        text = _normalised(description)
        return next((path for path, found in self._categories if found.search(text)), "Other")

    def attributes(self, description: str) -> dict[str, str]:
        """Colour, material and theme, as far as the description names them."""
        text = _normalised(description)
        found: dict[str, str] = {}
        for name, patterns in self._attributes.items():
            value = next((value for found_, value in patterns if found_.search(text)), None)
            if value is not None:
                found[name] = value
        return found

    def title(self, description: str) -> str:
        """The description with capitals as a title has them."""
        words = description.strip().strip(".,*").split()
        return " ".join(self._spelling.get(w.upper(), _capital(w)) for w in words)


def read_rules() -> Rules:
    """The rules that come with the package."""
    text = resources.files(__package__).joinpath("data/rules.toml").read_text("utf-8")
    fields: dict[str, Any] = tomllib.loads(text)
    return msgspec.convert(fields, Rules)


def _normalised(description: str) -> str:
    return " ".join(_WORD.findall(description.upper()))


def _pattern(words: list[str]) -> re.Pattern[str]:
    either = "|".join(re.escape(word.upper()) for word in words)
    return re.compile(rf"(?<![A-Z0-9'/\-])(?:{either})(?![A-Z0-9'/\-])")


def _capital(word: str) -> str:
    return "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))
