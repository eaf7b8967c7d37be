"""A saved model computes the same after loading, and damage is reported."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from surrogate_nas.errors import ExportError, RunFolderError, StoreError
from surrogate_nas.export.model_folder import load_model, read_model, save_model


def save(folder: Path, model: Any, **changes: object) -> None:  # noqa: ANN401 - a fixture
    save_model(folder, model.network, {**model.description, **changes}, model.space_toml)


def test_a_loaded_model_computes_the_same(folder: Path, model: Any) -> None:  # noqa: ANN401
    save(folder, model)
    loaded = load_model(folder)
    assert not loaded.training
    with torch.no_grad():
        assert torch.equal(loaded(model.images), model.network(model.images))
    assert read_model(folder).class_names == ("a", "b", "c")


def test_loading_needs_nothing_of_the_search(folder: Path, model: Any) -> None:  # noqa: ANN401
    save(folder, model)
    script = (
        "import sys; from surrogate_nas.export.model_folder import load_model; load_model(sys.argv[1]);"
        "print([name for name in sys.modules if name.startswith('surrogate_nas.')"
        " and name.split('.')[1] in ('supernet', 'search', 'predictor', 'study', 'hardware')])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_missing_or_damaged_is_said(folder: Path, model: Any) -> None:  # noqa: ANN401
    with pytest.raises(RunFolderError, match="holds no model"):
        load_model(folder)
    save(folder, model)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(StoreError, match="weights of the model are missing or damaged"):
        load_model(folder)
    save(folder, model, network={"channels": 4})
    with pytest.raises(StoreError, match="description of the model is damaged"):
        load_model(folder)
    save(folder, model, effective_code=5)
    with pytest.raises(StoreError, match="description of the model is damaged"):
        load_model(folder)
    save(folder, model, network={**model.description["network"], "classes": 10**12})
    with pytest.raises(StoreError, match="description of the model is damaged"):
        load_model(folder)
    save(folder, model, space=[])
    with pytest.raises(StoreError, match="is not the space"):
        load_model(folder)
    save(folder, model, effective_code="999999")
    with pytest.raises(StoreError, match="description of the model is damaged"):
        load_model(folder)
    save(folder, model, effective_code="333333")
    with pytest.raises(StoreError, match="weights of the model are missing or damaged"):
        load_model(folder)
    save(folder, model, space={"fingerprint": "other"})
    with pytest.raises(StoreError, match="is not the space"):
        load_model(folder)
    (folder / "model.json").write_text(json.dumps({**model.description, "schema_version": 9}))
    with pytest.raises(StoreError, match="another version"):
        load_model(folder)


def test_what_cannot_be_written_is_said(folder: Path, model: Any) -> None:  # noqa: ANN401
    folder.write_text("in the way")
    with pytest.raises(ExportError, match="cannot be written"):
        save(folder, model)
