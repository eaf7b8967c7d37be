"""Ground-truth files, good and bad."""

import csv
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas.errors import TruthError
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "truth.csv"


def test_a_partial_table_leaves_nan(file: Path, space: Space) -> None:
    file.write_text("code,acc\n000002,71.5\n000000,10\n000004,\n")
    truth = read_truth(file, space)
    assert (truth.file, truth.column) == ("truth.csv", "acc")
    assert truth.accuracy_percent.shape == (space.size,)
    assert truth.accuracy_percent[[0, 2]].tolist() == [10.0, 71.5]
    assert np.isnan(truth.accuracy_percent).sum() == space.size - 2


def test_architectures_may_be_written_out(file: Path, space: Space) -> None:
    file.write_text("arch,acc\n|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|,12\n")
    assert read_truth(file, space).accuracy_percent[3] == 12


def test_a_byte_order_mark_and_spaces_do_no_harm(file: Path, space: Space) -> None:
    file.write_bytes("\ufeffcode, acc \r\n000001, 12.5 \r\n\r\n".encode())
    assert read_truth(file, space).accuracy_percent[1] == 12.5


@pytest.mark.parametrize("text", ["sep=;\ncode;acc\n000002;71,5\n", "# of 2025\ncode\tacc\n000002\t71,5\n"])
def test_tables_of_other_countries_say_the_same(file: Path, space: Space, text: str) -> None:
    file.write_text(text)
    assert read_truth(file, space).accuracy_percent[2] == 71.5


def test_utf_16_is_refused_with_the_remedy(file: Path, space: Space) -> None:
    file.write_text("code,acc\n000002,71.5\n", encoding="utf-16")
    with pytest.raises(TruthError, match="it is not UTF-8; save it as 'CSV UTF-8'"):
        read_truth(file, space)


def test_parquet_says_the_same(tmp_path: Path, space: Space) -> None:
    pq.write_table(pa.table({"code": ["000002", "000003"], "acc": [71.5, None]}), tmp_path / "truth.parquet")
    truth = read_truth(tmp_path / "truth.parquet", space)
    assert truth.accuracy_percent[2] == 71.5
    assert np.isfinite(truth.accuracy_percent).sum() == 1


@pytest.mark.slow
def test_the_published_table(shared_data: Path, space: Space) -> None:
    path = shared_data / "nasbench201_accuracy.csv"
    truth = read_truth(path, space, "cifar10_test")
    with path.open() as rows:
        expected = {row["code"]: float(row["cifar10_test"]) for row in csv.DictReader(rows)}
    assert truth.accuracy_percent.tolist() == [expected[digits] for digits in space.digits(space.all_codes())]
    with pytest.raises(
        TruthError, match=r"set truth.column to the column of the true accuracy: cifar10_valid, cifar10_test, .*"
    ):
        read_truth(path, space)


SAME = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", None, "needs a column code or arch (has no columns)"),
        ("name,acc\nx,1\n", None, "needs a column code or arch (has name, acc)"),
        ("code,acc\n", None, "holds no rows below its header"),
        ("code,a,a\n000000,1,2\n", None, "two columns have one name"),
        (
            "code,acc\n000000,50,1\n",
            None,
            "line 2: a row needs 2 cells, as the header has (got 3); write decimal points",
        ),
        ("code,a,b\n000000,50,51\n", None, "set truth.column to the column of the true accuracy: a, b"),
        ("code,a,b\n000000,50,51\n", "c", "has no accuracy column 'c'; choose from a, b"),
        ("code,a\n000000,50\n", "code", "has no accuracy column 'code'; choose from a"),
        ("code,a\n000000,good\n", None, "no column is numeric (has code, a)"),
        ("code,a\n000000,50\n000001,good\n", "a", "line 3: a must be an accuracy in percent, 0 to 100 (got 'good')"),
        ("code,a\n000000,inf\n", "a", "line 2: a must be an accuracy in percent, 0 to 100 (got 'inf')"),
        ("code,a\n000000,100.5\n", None, "(got '100.5')"),
        ("code,a\n000000,-1\n", None, "(got '-1')"),
        ("code,a\n000000,0.71\n000001,0.9\n", None, "its largest value is 0.9, which looks like a fraction"),
        ("code,a\n000000,\n", "a", "column a holds no number"),
        (
            "code,a\n000000,50\n000001,51\n000000,52\n",
            None,
            "line 4: every architecture may appear once ('000000' was on line 2",
        ),
        ("code,a\n00000000,50\n", None, "line 2: not an architecture of nasbench201"),
        ("code,a\n000009,50\n", None, "line 2: not an architecture of nasbench201"),
        ("code,a\n13,50\n", None, "were leading zeros lost? Store the column as text"),
        (f"code,arch,a\n000001,{SAME},50\n", None, "code and arch must name the same architecture of nasbench201"),
    ],
)
def test_what_is_wrong_is_said(file: Path, space: Space, text: str, column: str | None, message: str) -> None:
    file.write_text(text)
    with pytest.raises(TruthError, match=re.escape(message)) as caught:
        read_truth(file, space, column)
    assert str(file) in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["truth.csv", "truth.parquet"])
def test_missing_and_damaged_files(tmp_path: Path, space: Space, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(TruthError, match="does not exist"):
        read_truth(path, space)
    path.write_bytes(b"PAR1\xff\xfe\x00 nothing of use")
    with pytest.raises(TruthError, match="cannot be read as"):
        read_truth(path, space)
    path.unlink()
    path.mkdir()
    with pytest.raises(TruthError, match="cannot be read as"):
        read_truth(path, space)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path, space: Space) -> None:
    path = tmp_path / "t.parquet"
    buffers = pa.array([b"\xff\xfe"], pa.binary()).buffers()
    pq.write_table(pa.table({"code": pa.Array.from_buffers(pa.string(), 1, buffers), "acc": [1.0]}), path)
    with pytest.raises(TruthError, match="cannot be read as Parquet: "):
        read_truth(path, space)
