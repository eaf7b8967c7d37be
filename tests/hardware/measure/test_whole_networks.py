"""One call measures one architecture, and a second one asks the cache."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.hardware.measure import bench as module
from surrogate_nas.hardware.measure.backends import onnx_model
from surrogate_nas.hardware.measure.timing import measure_interleaved
from surrogate_nas.hardware.measure.whole_networks import measure
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


def test_an_architecture_is_measured_by_code_or_text_once(
    space: Space, network: NetworkSpec, quick: HardwareSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def calm(*words: Any) -> list[Measurement]:  # noqa: ANN401 - as it is called
        # The cache keeps no noisy ones, and this machine may be busy.
        return [replace(one, noisy=False) for one in measure_interleaved(*words)]

    monkeypatch.setattr(module, "measure_interleaved", calm)
    first = measure(space, "303101", network, quick)
    assert first.median_ms > 0
    monkeypatch.setattr(module, "measure_interleaved", None)
    assert measure(space, space.format(space.parse("303101")), network, quick) == first


def test_an_architecture_of_another_space_is_refused(space: Space) -> None:
    with pytest.raises(SpaceError, match="nasbench201"):
        measure(space, "12")


def test_the_model_of_a_folder_is_the_one_in_the_precision_of_the_settings(
    quick: HardwareSettings, tmp_path: Path
) -> None:
    for name, layer in (("model.onnx", nn.Conv2d(1, 1, 1)), ("model.int8.onnx", nn.Conv2d(2, 2, 1))):
        (tmp_path / name).write_bytes(onnx_model(layer, torch.ones(1, layer.in_channels, 2, 2)))
    assert measure(tmp_path, settings=quick).median_ms > 0
    small = quick.model_copy(update={"precision": "int8"})
    assert measure(tmp_path, settings=small).median_ms > 0
    (tmp_path / "model.int8.onnx").unlink()
    with pytest.raises(SettingsError, match=r"model\.int8\.onnx; export one by: .*train RUN --int8"):
        measure(tmp_path, settings=small)


def test_what_does_not_hold_for_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    for words, message in (
        ({"architecture": "311441"}, "leave out architecture and network"),
        ({"settings": HardwareSettings(backend="eager")}, "not by the back-end eager"),
    ):
        with pytest.raises(SettingsError, match=message):
            measure(tmp_path, **words)
    with pytest.raises(SettingsError, match=r"is the float model; measure model\.int8\.onnx beside it"):
        measure(tmp_path / "model.onnx", settings=HardwareSettings(precision="int8"))
