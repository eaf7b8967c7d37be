"""A writer that replaces a file whole passes every point; one that writes in place does not."""

from pathlib import Path
from typing import get_args

import pytest

from benchmarks.breaking.crash_points import How, Writer, stop_everywhere
from surrogate_nas._support.files import write_text
from surrogate_nas.errors import StoreError

pytestmark = pytest.mark.posix
HOWS = get_args(How)


def in_one_piece(text: str, *names: str) -> Writer:
    def write(at: Path, content: str) -> None:
        for name in names:
            write_text(at / name, content)

    def read(at: Path) -> object:
        return [(at / name).read_text(encoding="utf-8") for name in names]

    return Writer(lambda at: write(at, "old"), lambda at: write(at, text), read)


@pytest.mark.parametrize("how", HOWS)
def test_a_file_that_is_replaced_whole_is_old_or_new(tmp_path: Path, how: How) -> None:
    found = stop_everywhere("one", in_one_piece("new", "x"), tmp_path / "stops", how)
    assert found.faults == ()
    assert found.old >= 3
    assert found.new + found.old + found.refused >= 4


@pytest.mark.parametrize("how", HOWS)
def test_two_files_that_belong_together_are_mixed(tmp_path: Path, how: How) -> None:
    found = stop_everywhere("two", in_one_piece("new", "x", "y"), tmp_path / "stops", how)
    assert any("a mixture" in fault for fault in found.faults)


def test_a_file_that_is_written_in_place_is_lost(tmp_path: Path) -> None:
    def write(at: Path) -> None:
        with (at / "x").open("w", encoding="utf-8") as file:
            (at / "note").write_text("begun", encoding="utf-8")
            file.write("new")

    def read(at: Path) -> str:
        text = (at / "x").read_text(encoding="utf-8")
        if not text:
            raise StoreError("x is empty")
        return text

    writer = Writer(lambda at: (at / "x").write_text("old", encoding="utf-8"), write, read)
    found = stop_everywhere("in place", writer, tmp_path / "stops", "kill")
    assert found.faults == ("operation 1: refused: x is empty",)
    found = stop_everywhere("in place", writer, tmp_path / "stops", "full disk")
    assert any("a traceback" in fault for fault in found.faults)


def test_a_write_that_changes_nothing_is_no_test(tmp_path: Path) -> None:
    found = stop_everywhere("same", in_one_piece("old", "x"), tmp_path / "stops", "kill")
    assert "old and new look the same" in found.faults
