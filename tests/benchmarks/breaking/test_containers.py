"""Binary files are made again with hostile contents that their libraries can mostly open."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.numpy import load, save

from benchmarks.breaking.containers import (
    Change,
    changed_array,
    changed_image,
    changed_labels,
    changed_model,
    changed_parquet,
    changed_tensors,
    safely,
)


def a_table() -> bytes:
    sink = io.BytesIO()
    table = pa.table({"code": ["00", "01"], "params": [1.0, 2.0]}).replace_schema_metadata({"x": '{"a": 1}'})
    pq.write_table(table, sink)
    return sink.getvalue()


def an_array() -> bytes:
    sink = io.BytesIO()
    np.save(sink, np.zeros((3, 4), dtype=np.uint8))
    return sink.getvalue()


def some_labels(tmp_path: Path) -> bytes:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs["format"] = "x"
        file["codes"], file["loss"] = np.zeros((3, 4), dtype=np.int8), np.zeros(3)
    return (tmp_path / "x.h5").read_bytes()


def opened(open_one: Callable[[bytes], object], made: list[bytes]) -> int:
    found = 0
    for data in made:
        try:
            open_one(data)
        except Exception:
            continue
        found += 1
    return found


def test_each_library_opens_most_of_what_is_made(
    tmp_path: Path, make_model: Callable[..., Path], subtests: pytest.Subtests
) -> None:
    tensors = save({"a": np.zeros(3), "b": np.ones((2, 2))}, {"identity": '{"a": "b"}', "step": "3"})
    model = (make_model() / "model.onnx").read_bytes()

    def open_labels(data: bytes) -> None:
        (tmp_path / "y.h5").write_bytes(data)
        h5py.File(tmp_path / "y.h5", "r").close()

    cases: list[tuple[Change, bytes, Callable[[bytes], object], int]] = [
        (changed_parquet, a_table(), lambda data: pq.read_table(io.BytesIO(data)), 30),
        (changed_labels, some_labels(tmp_path), open_labels, 30),
        (changed_tensors, tensors, load, 10),
        (changed_array, an_array(), lambda data: np.load(io.BytesIO(data)), 3),
        (changed_model, model, onnx.load_model_from_string, 30),
        (changed_image, b"", lambda data: Image.open(io.BytesIO(data)).load(), 10),
    ]
    for change, good, open_one, least in cases:
        with subtests.test(change.__name__):
            made = [safely(change)(random.Random(seed), good) for seed in range(40)]
            assert made == [safely(change)(random.Random(seed), good) for seed in range(40)] or change in _DATED
            assert sum(one != good for one in made) > 20
            assert opened(open_one, made) >= least


# HDF5 writes the time into what it makes.
_DATED = (changed_labels,)


def test_data_that_cannot_be_changed_by_structure_are_changed_by_bytes() -> None:
    made = {safely(changed_parquet)(random.Random(seed), b"no table at all") for seed in range(20)}
    assert len(made) > 10
