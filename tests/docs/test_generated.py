"""Pages made from the code say what the code says; links in the documents lead somewhere."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "llms.txt"])


def generator():
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_page_made_from_the_code_is_stale():
    assert generator().stale() == [], "run ./run docs"


def test_a_changed_setting_makes_the_page_stale(tmp_path):
    made = generator()
    made.HERE = tmp_path
    (tmp_path / "settings.md").write_text(made.settings_page().replace("8400", "8401"))
    (tmp_path / "strategies.md").write_text(made.strategies_page())
    assert made.stale() == ["settings.md"]


def test_the_page_of_strategies_names_every_strategy_and_its_options():
    from endcap.recommend.registry import Components

    page = (ROOT / "docs" / "strategies.md").read_text("utf-8")
    for name, kind in Components().retrievers.found.items():
        assert f"## {name}\n" in page
        assert all(f"| `{option}` |" in page for option in kind.__struct_fields__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        if page.name != "index.md":
            assert f"({page.name})" in index, page.name
            assert page.name in navigation, page.name
