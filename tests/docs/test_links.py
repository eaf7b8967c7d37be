"""Links lead somewhere: to files that are there, to headings that they have, and to hosts by a sound address."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import REPOSITORY
from tests.docs.snippets import LOG, PAGES, prose

DOCS = REPOSITORY / "docs"
EVERY_PAGE = [*PAGES, *LOG, *(page for page in REPOSITORY.glob("*.md") if page not in PAGES)]
# Written when the site is built, which checks links to them.
GENERATED = {DOCS / "reference" / f"{name}.md" for name in ("settings", "commands", "api")}
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as sites make them of plain headings."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower() for heading in headings]
    return {re.sub(r"[\s-]+", "-", heading) for heading in plain}


def broken(page: Path) -> list[str]:
    """Links of a page that lead nowhere."""
    return [link for link in _LINK.findall(prose(page.read_text(encoding="utf-8"))) if not leads(page, link)]


def leads(page: Path, link: str) -> bool:
    """Returns whether a link has a target; addresses of other hosts are checked by their form alone."""
    address = urlsplit(link)
    if address.scheme:
        return address.scheme == "https" and "." in address.netloc
    target = (page.parent / address.path).resolve() if address.path else page
    if target in GENERATED:
        return True
    # Pages of the site may lead to pages and pictures of the site alone.
    if page.is_relative_to(DOCS) and not target.is_relative_to(DOCS):
        return False
    return target.is_file() and (
        not address.fragment or address.fragment in anchors(target.read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# One `code` heading: yes\n")
    page = tmp_path / "page.md"
    good = "[a](there.md) [b](there.md#one-code-heading-yes) [c](https://example.org/x) [d](#here)"
    page.write_text(f"# Here\n{good} [e](gone.md) [f](there.md#two) [g](http://example.org) [h](https://nowhere)\n")
    assert broken(page) == ["gone.md", "there.md#two", "http://example.org", "https://nowhere"]


def test_every_page_can_be_reached() -> None:
    """From the start page, by links alone."""
    seen, left = set(), [DOCS / "index.md"]
    while left:
        page = left.pop()
        if page in seen or page in GENERATED:
            continue
        seen.add(page)
        links = [urlsplit(link) for link in _LINK.findall(prose(page.read_text(encoding="utf-8")))]
        left += [(page.parent / link.path).resolve() for link in links if link.path.endswith(".md") and not link.scheme]
    assert sorted(seen) == sorted(DOCS.rglob("*.md"))
