"""Codes of rows."""

from pathlib import Path

from surrogate_nas.hardware.tables.row_codes import code_texts
from surrogate_nas.hardware.tables.text_columns import Columns
from surrogate_nas.space.space import Space


def test_zeros_come_back_only_where_some_code_has_all_digits(space: Space) -> None:
    def read(*texts: str) -> list[str]:
        return code_texts(space, Columns(Path("t.csv"), {"code": list(texts)}), "code")

    assert read("300", "123456", "0.0", "'000001", '="000002"') == ["000300", "123456", "000000", "000001", "000002"]
    assert read("300", "20") == ["300", "20"]
    assert read("x1", "123456", "") == ["x1", "123456", ""]
