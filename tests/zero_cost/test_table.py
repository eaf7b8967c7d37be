"""Files of scores, good and bad."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from surrogate_nas.errors import StoreError
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from surrogate_nas.zero_cost.settings import ZeroCostSettings
from surrogate_nas.zero_cost.table import KIND, identity, read_table, write_table


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture
def file(space: Space, tmp_path: Path) -> Path:
    codes = np.array([[0, 0, 0, 1, 0, 0], [0, 0, 0, 2, 0, 0]], dtype=np.int8)
    table = ClassTable(space, ("one", "two"), space.canonical(codes), np.array([[1.0, 2.0], [3.0, 4.0]]))
    write_table(tmp_path / "scores.safetensors", table, identity(space, ZeroCostSettings()))
    return tmp_path / "scores.safetensors"


def test_a_table_comes_back(space: Space, file: Path) -> None:
    for belongs_to in (None, identity(space, ZeroCostSettings())):
        table = read_table(file, space, belongs_to)
        assert table.names == ("one", "two")
        assert table.values.tolist() == [[1, 2], [3, 4]]


def test_scores_are_read_where_nothing_is_mapped(space: Space, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("No such device (os error 19)")

    monkeypatch.setattr("safetensors.safe_open", refuse)
    monkeypatch.setattr("surrogate_nas.zero_cost.table.safe_open", refuse, raising=False)
    assert read_table(file, space).values.tolist() == [[1, 2], [3, 4]]


def test_what_is_not_the_table_is_refused(space: Space, file: Path) -> None:
    other = identity(space, ZeroCostSettings(seed=1))
    assert other != identity(space, ZeroCostSettings())
    with pytest.raises(StoreError, match="other settings"):
        read_table(file, space, other)
    content = file.read_bytes()
    for broken in (content[: len(content) // 2], b"", content.replace(b"zero-cost", b"zero-debt")):
        file.write_bytes(broken)
        with pytest.raises(StoreError, match=r"scores\.safetensors"):
            read_table(file, space)
    with pytest.raises(StoreError, match="cannot be read"):
        read_table(file.with_name("missing"), space)


def test_a_flipped_bit_in_the_scores_is_refused(space: Space, file: Path) -> None:
    whole = file.read_bytes()
    for place in range(len(whole) - 40, len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(StoreError, match=r"scores\.safetensors: its content .*; remove it to compute them again"):
            read_table(file, space)


def test_newer_scores_say_so(space: Space, file: Path) -> None:
    save_file({"a": np.zeros(1)}, file, {"kind": KIND, "schema": "4"})
    with pytest.raises(StoreError, match="the program is older than the file"):
        read_table(file, space)
