"""Planners of memory, where their packages are installed."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks.planners import PLANNERS
from surrogate_nas.errors import SettingsError


@pytest.mark.parametrize("name", list(PLANNERS))
def test_a_network_with_more_weights_and_maps_takes_more(name: str) -> None:
    for package in PLANNERS[name].packages:
        pytest.importorskip(package)
    planned = []
    for width in (8, 32):
        network = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 4, 3)).eval()
        planned.append(PLANNERS[name].plan(network, torch.randn(1, 3, 16, 16)))
    small, large = planned
    number = {"float32": 4, "int8": 1}[PLANNERS[name].precision]
    assert large.ram_bytes - small.ram_bytes >= number * (32 - 8) * 16 * 16 * 0.9
    assert large.flash_bytes - small.flash_bytes >= number * (32 - 8) * 9 * (3 + 4)


def test_a_missing_package_is_named_with_the_remedy() -> None:
    with pytest.raises(SettingsError, match=r"Cortex-M needs no_such_package, .* pip install 'executorch\[ethos-u\]'"):
        replace(PLANNERS["cortex_m"], packages=("no_such_package",)).require()
