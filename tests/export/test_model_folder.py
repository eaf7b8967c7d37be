"""A saved model computes the same after loading, and damage is reported."""

import errno
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import ExportError, RunFolderError, StoreError, WriteError
from surrogate_nas.export.model_folder import copy_model, load_model, read_model, save_model


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
    with pytest.raises(StoreError, match="weights of the model are damaged"):
        load_model(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(StoreError, match=r"weights of the model cannot be used: .*model\.safetensors is missing"):
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
    with pytest.raises(StoreError, match="weights of the model are damaged"):
        load_model(folder)
    save(folder, model, space={"fingerprint": "other"})
    with pytest.raises(StoreError, match="is not the space"):
        load_model(folder)
    write_json(folder / "model.json", {**model.description, "schema_version": 9})
    with pytest.raises(StoreError, match="the program is older than the file"):
        load_model(folder)


def test_what_cannot_be_written_is_said(folder: Path, model: Any) -> None:  # noqa: ANN401
    folder.write_text("in the way")
    with pytest.raises(ExportError, match="cannot be written"):
        save(folder, model)


NAMES = ("model.json", "space.toml", "model.safetensors", "model.onnx", "model-card.md")


def _two_models(folder: Path) -> tuple[Path, Path]:
    """Returns a new model, and the place of an old one with a file that the new one does not have."""
    for place, names in (("new", NAMES), ("best", (*NAMES, "model.int8.onnx", "architecture.json"))):
        (folder / place).mkdir(parents=True)
        for name in names:
            (folder / place / name).write_text(f"{place} {name}", encoding="utf-8")
    return folder / "new", folder / "best"


def _held(best: Path) -> set[str]:
    return {one.read_text(encoding="utf-8").split()[0] for one in best.glob("model*") if not one.name.startswith(".")}


def test_a_copied_model_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    new, best = _two_models(tmp_path)
    copy_model(new, best)
    assert {one.name for one in best.iterdir()} == {*NAMES, "architecture.json"}
    assert _held(best) == {"new"}


@pytest.mark.parametrize("operation", ["replace", "unlink"])
def test_a_copy_that_is_killed_leaves_a_model_or_none(
    operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(Path, operation)
    for kill_at in range(len(NAMES)):
        new, best = _two_models(tmp_path / str(kill_at))
        count = itertools.count()

        def step(self: Path, *words: Any, count: Any = count, kill_at: int = kill_at, **more: Any) -> object:  # noqa: ANN401
            if next(count) >= kill_at:
                raise KeyboardInterrupt
            return real(self, *words, **more)

        with monkeypatch.context() as patch:
            patch.setattr(Path, operation, step)
            with pytest.raises(KeyboardInterrupt):
                copy_model(new, best)
        # A model that is described is of one piece.
        assert not (best / "model.json").exists() or _held(best) in ({"best"}, {"new"})


def test_a_full_disk_costs_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, best = _two_models(tmp_path)
    copyfile, count = shutil.copyfile, itertools.count()

    def fills(source: Path, target: Path) -> object:
        if next(count) == len(NAMES) - 1:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return copyfile(source, target)

    monkeypatch.setattr(shutil, "copyfile", fills)
    with pytest.raises(WriteError, match="No space left on device"):
        copy_model(new, best)
    assert _held(best) == {"best"}
    assert (best / "model.json").exists()
    assert not [one for one in best.iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize("full_at", range(len(NAMES)))
def test_a_disk_that_is_found_full_when_it_is_flushed_costs_no_model(
    full_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, best = _two_models(tmp_path)
    flushed: set[int] = set()

    def flush(handle: int) -> None:
        if (file := os.fstat(handle).st_ino) not in flushed and len(flushed) == full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        flushed.add(file)

    monkeypatch.setattr(os, "fsync", flush)
    with pytest.raises(WriteError, match="No space left on device"):
        copy_model(new, best)
    assert _held(best) == {"best"}
    assert (best / "model.json").exists()
