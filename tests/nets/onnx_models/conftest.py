"""ONNX models are written by the project."""

import pytest

from surrogate_nas.nets.onnx_models import onnx_writer


@pytest.fixture
def written_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's own exporter, which takes seconds for each network, is not used."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("torch's own exporter was used")

    monkeypatch.setattr(onnx_writer, "export_onnx", refuse)
