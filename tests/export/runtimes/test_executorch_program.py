"""ExecuTorch's program has one batch size and its description inside."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from surrogate_nas.export.runtimes.protocol import Source

pytest.importorskip("executorch")


@pytest.mark.slow  # quantisation alone takes half a minute
def test_the_description_comes_back_and_the_terminal_stays_quiet(
    exported: Path,
    model: Any,  # noqa: ANN401
    folder: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from executorch.extension.pybindings import portable_lib

    from surrogate_nas.export.runtimes.executorch_program import ExecuTorch

    description = {**model.description, "class_names": ['<é & "']}
    file = folder / "model.pte"
    # 33 images: a part of one image alone would not be taken.
    source = Source(model.network, {"float": exported}, model.images[:33], description, 3)
    capfd.readouterr()
    ExecuTorch().write([file], source, "int8")
    score = ExecuTorch().open(file, 3, 1)
    assert score(model.images[:3].numpy()).shape == (3, 3)
    assert capfd.readouterr().err == ""
    program = portable_lib._load_for_executorch(str(file))
    (text,) = program.run_method("surrogate_nas", ())
    assert json.loads(text) == description
    with pytest.raises(RuntimeError):
        program.forward((torch.zeros(2, 1, 8, 8),))
