"""Tables as files, good and bad."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.text_columns import read_columns


def test_csv_is_read_as_text_whoever_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "t.CSV"
    path.write_bytes('\ufeffcode, my "device"\r\n001,1.50\r\n\r\n"010", 2 \r\n'.encode())
    columns = read_columns(path)
    assert columns.cells == {"code": ["001", "010"], 'my "device"': ["1.50", "2"]}
    assert columns.where(1, "code") == f"{path}, line 4, column code"


def test_parquet_keeps_digits_and_shows_missing_values_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"code": ["001", None], "a": [0.1, None], "b": [7, 8]}), path)
    columns = read_columns(path)
    assert columns.cells == {"code": ["001", ""], "a": ["0.1", ""], "b": ["7", "8"]}
    assert columns.place(1) == "row 2"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.txt", b"code\n", "must be a .csv, .tsv or .parquet file"),
        ("t.csv", b"", "is empty"),
        ("t.csv", b"\n", "is empty"),
        ("t.csv", b"code,a,a\n", "column 'a' appears twice"),
        ("t.csv", b"code,a\n000,1\n001\n", "line 3: a row needs 2 cells, as the header has (got 1)"),
        ("t.csv", b"code,a\n\xff\xfe,1\n", "cannot be read as csv"),
        ("t.csv", "code,a\n000,1\n".encode("utf-16"), "it is not UTF-8; save it as 'CSV UTF-8'"),
        ("t.xlsx", b"PK", "save the sheet as 'CSV UTF-8'"),
        ("t.csv", b'code,a\n"000,1\n', "cannot be read as csv"),
        ("t.parquet", b"code,a\n", "cannot be read as parquet"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CostTableError, match=re.escape(message)) as error:
        read_columns(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_a_missing_file_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("none.csv", "folder.csv"):
        with pytest.raises(CostTableError, match=f"does not exist: .*{name}"):
            read_columns(tmp_path / name)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    buffers = pa.array([b"\xff\xfe"], pa.binary()).buffers()
    pq.write_table(pa.table({"code": pa.Array.from_buffers(pa.string(), 1, buffers)}), path)
    with pytest.raises(CostTableError, match="cannot be read as parquet: "):
        read_columns(path)
