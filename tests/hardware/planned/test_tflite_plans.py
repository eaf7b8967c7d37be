"""Plans of real tools, where they are installed."""

import pytest
import torch
from torch import nn

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.planned.planners import PLANNERS
from surrogate_nas.nets.device_files import tflite_file

NAMES = {"tflite_micro": ("litert_torch", "tflite_micro"), "vela": ("litert_torch", "ethosu")}


def network(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 4, 3)).eval()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_more_weights_and_maps_take_more(name: str) -> None:
    for package in NAMES[name]:
        pytest.importorskip(package)
    row, planned = PLANNERS[name], []
    for width in (16, 64):
        content = tflite_file.tflite_bytes(network(width), torch.randn(4, 3, 32, 32))
        planned.append(row.plan(content, "ethos-u55-128"))
    small, large = planned
    assert large.flash_bytes - small.flash_bytes >= 48 * 9 * (3 + 4)
    if name == "tflite_micro":
        assert large.ram_bytes - small.ram_bytes >= 48 * 32 * 32 * 0.9
        assert small.ram_bytes >= (16 + 3) * 32 * 32
    else:
        assert large.ram_bytes > small.ram_bytes


@pytest.mark.slow
def test_an_accelerator_that_is_none_is_one_line() -> None:
    for package in NAMES["vela"]:
        pytest.importorskip(package)
    content = tflite_file.tflite_bytes(network(8), torch.randn(1, 3, 8, 8))
    with pytest.raises(MeasurementError, match="Vela cannot compile a network for ethos-u1:"):
        PLANNERS["vela"].plan(content, "ethos-u1")
