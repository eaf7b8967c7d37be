"""OpenVINO's two files belong together."""

import json
from pathlib import Path
from typing import Any

import pytest

from surrogate_nas._support import files as module
from surrogate_nas.errors import WriteError
from surrogate_nas.export.runtimes.protocol import Source

openvino = pytest.importorskip("openvino")


@pytest.fixture
def source(exported: Path, model: Any) -> Source:  # noqa: ANN401
    return Source(model.network, {"float": exported}, model.images, {**model.description, "class_names": ['<é & "']}, 1)


def test_the_description_comes_back_as_it_was(source: Source, folder: Path) -> None:
    from surrogate_nas.export.runtimes.openvino_model import OpenVino

    OpenVino().write([folder / "model.xml", folder / "model.bin"], source, "float")
    read = openvino.Core().read_model(str(folder / "model.xml"))
    assert json.loads(read.get_rt_info("surrogate_nas").astype(str)) == source.description
    assert read.input("images").partial_shape[0].is_dynamic


def test_a_full_disk_leaves_no_graph_beside_other_weights(
    source: Source, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from surrogate_nas.export.runtimes.openvino_model import OpenVino

    folder.mkdir()
    files = [folder / "model.xml", folder / "model.bin"]
    for file in files:
        file.write_bytes(b"old")
    in_place = module.put_in_place

    def full(temporary: Path, path: Path) -> None:
        if path.suffix == ".xml":
            raise OSError(28, "No space left on device")
        in_place(temporary, path)

    monkeypatch.setattr(module, "put_in_place", full)
    with pytest.raises(WriteError, match="No space left"):
        OpenVino().write(files, source, "float")
    assert not files[0].exists()
    monkeypatch.setattr(module, "flush_to_disk", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    files[0].write_bytes(b"old")
    weights = files[1].read_bytes()
    with pytest.raises(WriteError, match="No space left"):
        OpenVino().write(files, source, "float")
    assert files[1].read_bytes() == weights
