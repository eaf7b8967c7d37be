"""ExecuTorch's program for Cortex-M, where it is installed."""

import pytest
import torch
from torch import nn

from surrogate_nas.nets.device_files.cortex_m_program import cortex_m_program


@pytest.mark.slow
def test_a_wider_network_takes_more_of_both() -> None:
    for package in ("executorch", "tosa_serializer"):
        pytest.importorskip(package)
    made = []
    for width in (8, 32):
        network = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 4, 3)).eval()
        made.append(cortex_m_program(network, torch.randn(2, 3, 16, 16)))
    small, large = made
    assert large.ram_bytes - small.ram_bytes >= (32 - 8) * 16 * 16 * 0.9
    assert len(large.content) - len(small.content) >= (32 - 8) * 9 * (3 + 4)
