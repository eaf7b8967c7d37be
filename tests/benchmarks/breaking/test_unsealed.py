"""Files lose their checksum and nothing else, so that a change of them is read and not only compared."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from benchmarks.breaking.formats import FORMATS, lay_out, seeds
from benchmarks.breaking.unsealed import unsealed_bytes
from surrogate_nas._support.files import read_json, write_json
from surrogate_nas._support.stored.checksums import KEY, sealed_line, sealed_onnx


def test_json_and_journals_are_read_without(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"one": 1})
    assert KEY in json.loads(path.read_text())
    path.write_bytes(unsealed_bytes(".json", path.read_bytes()).replace(b"1", b"2"))
    assert read_json(path, "thing", "make it again") == {"one": 2}
    record = sealed_line('{"op_code":0}').encode() + b"\n"
    assert json.loads(unsealed_bytes(".journal", record + b'{"other":1}\n').splitlines()[0]) == {"op_code": 0}


def test_models_and_other_files_keep_the_rest() -> None:
    assert unsealed_bytes(".onnx", sealed_onnx(b"model")) == b"model"
    assert unsealed_bytes(".onnx", b"a model of another program, without a checksum") == (
        b"a model of another program, without a checksum"
    )
    assert unsealed_bytes(".png", b"picture") == b"picture"


@pytest.mark.parametrize("name", ["model-weights", "zero-cost"])
def test_tensors_are_the_same(name: str, trained_run: Path, tmp_path: Path) -> None:
    lay_out(name, trained_run, tmp_path / "at")
    path, content = seeds(name, tmp_path / "at")[0]
    before, after = load(path.read_bytes()), load(content)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[key], after[key]) for key in before)
    assert KEY.encode() not in content
    path.write_bytes(content)
    FORMATS[name].read(tmp_path / "at")
