"""The table names what can be built, and importing it costs nothing."""

import subprocess
import sys

import pytest

from surrogate_nas.rivals.table import RIVALS


@pytest.mark.parametrize("name", RIVALS)
def test_every_row_can_be_imported_and_has_its_published_width(name: str) -> None:
    row = RIVALS[name]
    assert 1.0 in row.widths
    assert list(row.widths) == sorted(set(row.widths))
    if row.is_installed:
        assert callable(row.make.target)


def test_titles_tell_rivals_apart() -> None:
    assert len({row.title for row in RIVALS.values()}) == len(RIVALS)


def test_the_table_loads_no_torch() -> None:
    code = "import sys, surrogate_nas.rivals.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
