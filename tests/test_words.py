"""Docstrings and messages are in words that a stranger reads once."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
_ROOTS = ("surrogate_nas", "benchmarks", "tests")
# Not by the syntax tree of every module, which takes ten times as long.
_LATE = re.compile(
    r'(?:\A|:\s*\n\s*)"""'
    r'((?:What|That|Those|Whether|How|Where|Which|Why|Who|Whose|When|Whoever)\b.*?)(?:"""|$)',
    re.MULTILINE,
)
_PRIVATE = re.compile(
    r"\b(?:oftener|whoever|anew|alike|(?:was|were|is|are) begun|begun with|gone on with|go on with|listed twice|"
    r"(?:is|are) (?:told|said)|(?:can|cannot) be listed|those of|(?<!there )is no (?:run|image|number|space|study)|"
    r"where not given|beside (?:a|an|the|its|them|others))\b",
    re.IGNORECASE,
)


def modules() -> list[Path]:
    """Returns all modules of the repository."""
    return [path for root in _ROOTS for path in sorted((REPOSITORY / root).rglob("*.py"))]


def texts(source: str) -> Iterator[str]:
    """Yields all strings of a module, docstrings too, but no pattern or name: a text has spaces."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield " ".join(node.value.split())


def late_subjects(source: str) -> list[str]:
    """Returns the first lines of docstrings that do not begin with their subject or verb."""
    return _LATE.findall(source)


def private_words(source: str) -> list[str]:
    """Returns the texts of a module that hold a private word."""
    return [text for text in texts(source) if _PRIVATE.search(text)]


def test_docstrings_begin_with_their_subject_or_verb() -> None:
    found = {str(path.relative_to(REPOSITORY)): late_subjects(path.read_text(encoding="utf-8")) for path in modules()}
    assert len(found) > 300
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_texts_of_the_package_have_no_private_words() -> None:
    package = [path for path in modules() if path.is_relative_to(REPOSITORY / "surrogate_nas")]
    found = {str(path.relative_to(REPOSITORY)): private_words(path.read_text(encoding="utf-8")) for path in package}
    assert {path: words for path, words in found.items() if words} == {}


def test_report_templates_have_no_private_words() -> None:
    pages = list((REPOSITORY / "surrogate_nas" / "report" / "templates").glob("*.html.j2"))
    assert pages
    assert [hit[0] for page in pages for hit in _PRIVATE.finditer(page.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("source", "late", "private"),
    [
        ('"""Whether it is so."""', ["Whether it is so."], []),
        ('def f(): "Returns whether it is so."', [], []),
        ('raise Wrong(f"{name} is listed twice")', [], ["is listed twice"]),
        ('"""Whoever asks, is told."""', ["Whoever asks, is told."], ["Whoever asks, is told."]),
        ('KEYS = ["begun", "anew"]', [], []),
    ],
)
def test_bad_words_would_be_found(source: str, late: list[str], private: list[str]) -> None:
    assert late_subjects(source) == late
    assert private_words(source) == private
