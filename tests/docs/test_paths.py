"""Files that pages name are there."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs.snippets import LOG

PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *LOG]
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w-]+\.(?:py|md|ipynb|schema\.json))`")
# New files of examples, and files of users.
MADE = re.compile(r"^New file `([^`]+)`:$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    roots = (REPOSITORY, REPOSITORY / "surrogate_nas", REPOSITORY / "surrogate_nas" / "supernet")
    made = set(MADE.findall(text))
    missing = [
        name
        for name in NAMED.findall(text)
        if name not in made
        and "NAME" not in name
        and "KIND" not in name
        and name != "surrogate_nas/a/b.py"
        and name != "tests/a/test_b.py"
        and not any((root / name).is_file() for root in roots)
    ]
    assert missing == []
