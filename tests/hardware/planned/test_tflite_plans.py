"""Plans of real tools, where they are installed."""

import pytest
import torch
from torch import nn

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.planned.planners import PLANNERS
from surrogate_nas.hardware.planned.tflite_plans import vela_ram_bytes
from surrogate_nas.nets.device_files import tflite_file

NAMES = {"tflite_micro": ("litert_torch", "tflite_micro"), "vela": ("litert_torch", "ethosu")}


def network(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 4, 3)).eval()


@pytest.mark.parametrize(
    ("accelerator", "sram", "dram", "area", "weights", "ram_bytes"),
    [
        ("ethos-u55-128", "16.0", "0.0", "Off-chip Flash", 421_456, 16_384),
        ("ethos-u65-256", "306.5625", "419.578125", "DRAM", 421_456, 8_192 + 313_920),
        ("ethos-u85-256", "16.0", "463.15625", "DRAM", 466_080, 8_192 + 16_384),
    ],
)
def test_weights_in_dram_are_no_ram(  # summaries of Vela 5.2 for five convolutions of 16 to 128 channels
    accelerator: str, sram: str, dram: str, area: str, weights: int, ram_bytes: int
) -> None:
    row = {"sram_memory_used": sram, "dram_memory_used": dram, "weights_storage_area": area}
    assert vela_ram_bytes(row, weights) == ram_bytes, accelerator


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
