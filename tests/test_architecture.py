"""Rules of the tree that no other tool checks: small files, plain names, one component per file."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "endcap"
FILES = sorted(SOURCE.rglob("*.py"))
BANNED = {"utils", "util", "helpers", "common", "base", "manager", "models", "types"}
MAX_LINES = 300
# Longer files, each with its reason; a file that has become shorter must leave the table.
LONGER = {
    "rules/operators.py": "one table: every operator of the language, a row each",
    "rules/kernels.py": "the numpy side of that table",
    "services/erasure.py": "one state machine: an erasure from request to verified",
}
COMPONENTS = ("retrievers", "filters", "rerankers", "scorers", "badges")
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("**/*.md"))]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def name_of(file):
    return file.relative_to(SOURCE).as_posix()


def test_there_is_a_tree_to_look_at():
    assert len(FILES) >= 120
    assert len(PAGES) >= 5


def test_files_are_short():
    long = {name_of(f) for f in FILES if len(f.read_text("utf-8").splitlines()) > MAX_LINES}
    assert long <= set(LONGER), "split these, or give the reason in LONGER"
    assert {name for name in LONGER if (SOURCE / name).exists()} >= set(LONGER) & long


def test_no_module_is_named_for_nothing():
    names = {f.stem for f in FILES} | {f.parent.name for f in FILES}
    assert names & BANNED == set()


@pytest.mark.parametrize("kind", COMPONENTS)
def test_one_component_per_file(kind):
    folder = SOURCE / "recommend" / kind
    for file in sorted(folder.glob("*.py")) if folder.is_dir() else ():
        if file.name == "__init__.py":
            continue
        tree = ast.parse(file.read_text("utf-8"))
        shapes = {"Retriever", "Filter", "Reranker", "Scorer", "Badge"}
        own = [
            node.name
            for node in tree.body
            if isinstance(node, ast.ClassDef)
            and any(isinstance(b, ast.Name) and b.id in shapes for b in node.bases)
        ]
        assert len(own) <= 1, file.name
        assert ast.get_docstring(tree), file.name


def test_every_sql_kernel_begins_with_what_it_does():
    kernels = sorted((SOURCE / "build" / "sql").glob("*.sql"))
    assert len(kernels) >= 7
    for file in kernels:
        assert file.read_text("utf-8").startswith("-- "), file.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(page):
    if not page.exists():
        pytest.skip("not there")
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_commands_of_the_readme_exist():
    from endcap.cli.commands import app

    known = {command.name for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"^endcap ([a-z]+)", text, re.MULTILINE))
    assert named
    assert named <= known
    runs = set(re.findall(r"\./run ([a-z]+)", text))
    script = (ROOT / "run").read_text("utf-8")
    assert {"demo", "test"} <= runs
    for one in runs:
        assert re.search(rf"^  {one}\)", script, re.MULTILINE), one


def test_nothing_names_a_machine():
    """No absolute paths of a developer's machine in what is shipped."""
    pattern = re.compile(r"/(?:work|home|root|Users)/[a-z]")
    for file in [*FILES, *PAGES, *sorted((ROOT / "tests").rglob("*.py"))]:
        if file.exists() and file.name != Path(__file__).name:
            assert not pattern.search(file.read_text("utf-8")), file
