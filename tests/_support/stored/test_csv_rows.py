"""CSV of many programs."""

from pathlib import Path

import pytest

from surrogate_nas._support.stored.csv_rows import read_csv_rows
from surrogate_nas.errors import CostTableError


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_comments_and_empty_columns_are_found(tmp_path: Path, separator: str) -> None:
    lines = ["#a;b,c", "code,a,", "", "  # x", "01,2,,", ",,", "02,3"]
    (tmp_path / "t.csv").write_text("\r\n".join(lines[:1] + [line.replace(",", separator) for line in lines[1:-1]]))
    held = read_csv_rows(tmp_path / "t.csv", CostTableError)
    assert (held.header, held.rows, held.lines) == (["code", "a"], [["01", "2"]], [5])
    assert held.separator == separator


def test_a_quotation_mark_in_a_comment_is_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('#of "5\ncode,ms\n0,1\n #run A,"x\n1,2\n2,3\n#run B,",y\n3,4\n')
    held = read_csv_rows(tmp_path / "t.csv", CostTableError)
    assert held.rows == [["0", "1"], ["1", "2"], ["2", "3"], ["3", "4"]]
    assert held.lines == [3, 5, 6, 8]


def test_a_separator_in_a_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('code,"a;b;c"\n01,2\n')
    held = read_csv_rows(tmp_path / "t.csv", CostTableError)
    assert (held.header, held.separator) == (["code", "a;b;c"], ",")


def test_a_column_without_a_name_stays_where_it_holds_something(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",code,\n0,01,\n1,02,x\n")
    assert read_csv_rows(tmp_path / "t.csv", CostTableError).header == ["", "code", ""]


def test_the_separator_may_be_named_as_excel_does(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sep=;\ncode;a,b,c\n01;2\n")
    held = read_csv_rows(tmp_path / "t.csv", CostTableError)
    assert (held.header, held.rows) == (["code", "a,b,c"], [["01", "2"]])


def test_decimal_commas_between_commas_are_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,a\n01,2,5\n")
    with pytest.raises(CostTableError, match=r"line 2: a row needs 2 cells.*\(got 3\); write decimal points"):
        read_csv_rows(tmp_path / "t.csv", CostTableError)


def test_a_column_whose_name_is_the_sign_of_a_comment_is_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("# made by hand\n#,code,pi\n0,01,2\n")
    held = read_csv_rows(tmp_path / "t.csv", CostTableError)
    assert (held.header, held.rows) == (["#", "code", "pi"], [["0", "01", "2"]])
