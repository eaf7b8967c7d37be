"""The plan of ExecuTorch's program, where it is installed."""

import pytest
import torch
from torch import nn

from surrogate_nas.hardware.planned.planners import PLANNERS
from surrogate_nas.nets.device_files.cortex_m_program import cortex_m_program


@pytest.mark.slow
def test_the_plan_in_the_file_is_the_programs() -> None:
    for package in ("executorch", "tosa_serializer"):
        pytest.importorskip(package)
    network = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 4, 3)).eval()
    images, row = torch.randn(2, 3, 16, 16), PLANNERS["executorch"]
    made = cortex_m_program(network, images)
    plan = row.plan(made.content, "")
    assert plan == (made.ram_bytes, len(made.content))
    assert plan.ram_bytes >= (16 + 3) * 16 * 16 * 0.8
