"""Pages are easy to read: no private words, one width of lines, and Markdown without traps."""

import itertools
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs.snippets import DOCS, LOG, PAGES, prose

WIDTH = 120
PRIVATE = "told|said|listed|oftener|alike|those of|gone on with|goes on with|taken for|winners?|unsurely"
_PRIVATE = re.compile(rf"\b(?:{PRIVATE})\b", re.IGNORECASE)
_LONG_SENTENCE = 36  # words


def sentences(text: str) -> list[str]:
    """Sentences of paragraphs and lists; code within them counts as one word, tables and headings not at all."""
    lines = [line for line in prose(text).splitlines() if not line.startswith(("|", "#", "!"))]
    body = re.sub(r"`[^`]*`", "code", "\n".join(lines))
    body = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", body)
    items = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", body)
    return [one for item in items for one in re.split(r"(?<=[.?!:;])\s+", item)]


def private_words(text: str) -> list[str]:
    """Returns private words of a page outside its code, each with the words around it."""
    body = " ".join(re.sub(r"`[^`]*`", "code", prose(text)).split())
    return [body[max(0, found.start() - 40) : found.end() + 20] for found in _PRIVATE.finditer(body)]


def wide_lines(text: str) -> list[str]:
    """Returns lines over the width; rows of tables and links to pictures cannot be broken."""
    return [line for line in text.splitlines() if len(line) > WIDTH and not line.startswith(("|", "!["))]


def unseparated(text: str) -> list[str]:
    """Lists and tables that follow a sentence without an empty line, which some readers of Markdown run together."""
    lines = prose(text).splitlines()
    starts, may_precede = re.compile(r"- |\d+\. "), re.compile(r"$|\s|#|- |\d+\. ")
    pairs = itertools.pairwise(lines)
    return [line for before, line in pairs if starts.match(line) and not may_precede.match(before)]


@pytest.mark.parametrize("page", [*PAGES, *LOG], ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_a_page_is_easy_to_read(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert private_words(text) == []
    assert wide_lines(text) == []
    assert unseparated(text) == []
    assert [one for one in sentences(text) if len(one.split()) > _LONG_SENTENCE] == []


def test_bad_writing_would_be_found() -> None:
    page = f"# It is told\n{'long ' * 30}\n- that is said of it\n\n| {'wide ' * 40} |\n\n```\nlisted\n```\n"
    assert [word for found in private_words(page) for word in _PRIVATE.findall(found)] == ["told", "said"]
    assert len(wide_lines(page)) == 1
    assert unseparated(page) == ["- that is said of it"]


def test_pages_lead_to_the_glossary() -> None:
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8")
    assert 12 <= glossary.count("\n### ") <= 20
    leading = [page for page in PAGES if "glossary.md#" in page.read_text(encoding="utf-8")]
    assert len(leading) >= 8
