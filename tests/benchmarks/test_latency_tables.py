"""Reading tables of many devices."""

from pathlib import Path

import pytest

from benchmarks.latency_tables import LAYERS, read_devices
from surrogate_nas.errors import CostTableError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(text)
    return path


def test_rows_need_not_cover_a_space(tmp_path: Path) -> None:
    table = read_devices(write(tmp_path, "code,a,b\n000000,1,2\n000100,3,4\n"), "nasbench201")
    assert table.codes.tolist() == [[0] * 6, [0, 0, 0, 1, 0, 0]]
    assert table.connected.tolist() == [False, True]
    assert table.subset(["b"]).latency_ms["b"].tolist() == [2, 4]
    with pytest.raises(CostTableError, match="unknown device 'c'; choose from a, b"):
        table.subset(["c"])


def test_layers_are_digits(tmp_path: Path) -> None:
    table = read_devices(write(tmp_path, "code,a\n0081,1\n1234,3\n"), LAYERS)
    assert table.space is None
    assert table.codes.tolist() == [[0, 0, 8, 1], [1, 2, 3, 4]]
    assert table.connected.all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,a\n01,x\n", "column a has cells that are not numbers"),
        ("code,a\n01,0\n", "column a has latencies that are missing or not above zero"),
        ("code,a\n01,1\n2,1\n", "the same number in every row"),
        ("name,a\n01,1\n", "needs a column 'code' and one per device"),
        ("code,a\n", "has no rows"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CostTableError, match=message):
        read_devices(write(tmp_path, text), LAYERS)
