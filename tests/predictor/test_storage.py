"""Files that are damaged, foreign or of another space are refused with a reason, and none is lost on the way."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.predictor import storage
from surrogate_nas.predictor.protocol import Arrays
from surrogate_nas.predictor.storage import DESCRIPTION, read_predictor, write_predictor
from surrogate_nas.space.space import Space

ARRAYS: Arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.array([1, 2], dtype=np.int64)}


def numbers_in(folder: Path) -> Path:
    (path,) = folder.glob("*.safetensors")
    return path


def change(folder: Path, **fields: object) -> None:
    path = folder / DESCRIPTION
    write_json(path, json.loads(path.read_text()) | fields)


@pytest.fixture
def folder(tmp_path: Path, space: Space) -> Path:
    write_predictor(tmp_path / "predictor", space, {"remark": 1}, ARRAYS)
    return tmp_path / "predictor"


def test_what_was_written_is_read(folder: Path, space: Space) -> None:
    description, arrays = read_predictor(folder, space)
    assert description["remark"] == 1
    assert arrays.keys() == ARRAYS.keys()
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


def test_a_second_predictor_replaces_the_first_and_nothing_else(folder: Path, space: Space) -> None:
    (folder / "predictor-notes.safetensors").write_bytes(b"mine")
    write_predictor(folder, space, {}, {"a": np.zeros(1)})
    assert read_predictor(folder, space)[1]["a"].tolist() == [0.0]
    assert len(list(folder.iterdir())) == 3
    assert (folder / "predictor-notes.safetensors").read_bytes() == b"mine"


def test_a_crash_between_the_two_writes_leaves_the_first(
    folder: Path, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(path: Path, content: object) -> None:
        raise OSError("power cut")

    monkeypatch.setattr(storage, "write_json", crash)
    with pytest.raises(OSError, match="power cut"):
        write_predictor(folder, space, {}, {"a": np.zeros(1)})
    assert read_predictor(folder, space)[1]["b"].tolist() == [1, 2]


def test_a_missing_folder_is_named(tmp_path: Path, space: Space) -> None:
    with pytest.raises(StoreError, match=r"missing.*nowhere"):
        read_predictor(tmp_path / "nowhere", space)


@pytest.mark.parametrize("keep", [0, 4, 20])
def test_a_truncated_file_of_numbers_is_refused(folder: Path, space: Space, keep: int) -> None:
    path = numbers_in(folder)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StoreError, match="checksum"):
        read_predictor(folder, space)


def test_a_truncated_description_is_refused(folder: Path, space: Space) -> None:
    path = folder / DESCRIPTION
    path.write_text(path.read_text()[:50])
    with pytest.raises(StoreError, match="cannot be read"):
        read_predictor(folder, space)


def test_a_missing_file_of_numbers_is_named(folder: Path, space: Space) -> None:
    numbers_in(folder).unlink()
    with pytest.raises(StoreError, match=r"numbers cannot be read.*safetensors"):
        read_predictor(folder, space)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "cookbook"}, "cookbook"),
        ({"schema": 99}, "version 99 and this program reads 3: the program is older"),
        ({"encoding": 0}, "encoding of .* has version 0 and this program reads 1; fit"),
        ({"arrays": {"file": "../secret.safetensors"}}, "secret"),
        ({"arrays": None}, "None"),
    ],
)
def test_a_foreign_description_is_refused(folder: Path, space: Space, fields: dict[str, object], message: str) -> None:
    change(folder, **fields)
    with pytest.raises(StoreError, match=message):
        read_predictor(folder, space)


def with_dimensions(count: int) -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1] * count, "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


@pytest.mark.parametrize("content", [b"not safetensors at all", with_dimensions(100)], ids=["text", "dimensions"])
def test_numbers_in_another_format_are_refused(folder: Path, space: Space, content: bytes) -> None:
    path = numbers_in(folder)
    path.write_bytes(content)
    change(folder, arrays={"file": path.name, "sha256": hashlib.sha256(content).hexdigest()})
    with pytest.raises(StoreError, match="not a safetensors file"):
        read_predictor(folder, space)


def test_a_predictor_of_another_space_is_not_used(folder: Path, space: Space) -> None:
    change(folder, space="macro", space_fingerprint="0123456789abcdef")
    with pytest.raises(RunFolderError, match="macro with fingerprint 0123456789abcdef"):
        read_predictor(folder, space)
