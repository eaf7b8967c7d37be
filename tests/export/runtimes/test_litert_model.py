"""LiteRT runs what it wrote, in both precisions, where it is installed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from surrogate_nas.export.runtimes.protocol import Source


@pytest.mark.slow
def test_scores_are_torchs(exported: Path, model: Any, folder: Path) -> None:  # noqa: ANN401
    for package in ("litert_torch", "ai_edge_litert", "ai_edge_quantizer"):
        pytest.importorskip(package)
    from surrogate_nas.export.runtimes.litert_model import LiteRt

    folder.mkdir()
    source = Source(model.network, {"float": exported}, model.images, model.description, 2)
    with torch.no_grad():
        expected = model.network(model.images[:2]).numpy()
    for precision, most in (("float", 1e-3), ("int8", 0.2 * float(np.abs(expected).max()))):
        file = folder / f"{precision}.tflite"
        LiteRt().write([file], source, precision)
        scores = LiteRt().open(file, 2, 1)(model.images[:2].numpy())
        assert scores.dtype == np.float32
        assert np.abs(scores - expected).max() < most
