"""What is said of each operation against the module that is built under its name."""

import re

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.nets.operations import build_operation
from surrogate_nas.space.operations import OPERATIONS


def test_the_operations_are_those_of_nasbench201() -> None:
    """arXiv 2001.00326; the counts of nonlinear functions are those of EFS-NAS, arXiv 2412.14678."""
    counts = {name: spec.nonlinear_functions for name, spec in OPERATIONS.items()}
    assert counts == {"none": 0, "skip_connect": 0, "nor_conv_1x1": 1, "nor_conv_3x3": 1, "avg_pool_3x3": 0}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_what_its_module_is(name: str) -> None:
    spec = OPERATIONS[name]
    module = build_operation(name, 6).eval()
    x = torch.randn(2, 6, 5, 5, generator=torch.Generator().manual_seed(0))
    assert spec.is_zero == (not module(x).any())
    assert spec.is_identity == torch.equal(module(x), x)
    assert spec.nonlinear_functions == sum(isinstance(part, nn.ReLU) for part in module.modules())


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(("channels", "size"), [(1, 1), (3, 7), (16, 32)])
def test_an_operation_costs_what_torch_counts(name: str, channels: int, size: int) -> None:
    spec = OPERATIONS[name]
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module = build_operation(name, channels).eval()
        module(torch.empty(1, channels, size, size))
    assert spec.parameters(channels, size) == sum(weight.numel() for weight in module.parameters())
    assert 2 * spec.flops(channels, size) == counter.get_total_flops()


def test_names_can_be_written_in_an_architecture() -> None:
    """They stand between the marks ``|``, ``~`` and ``+``."""
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in OPERATIONS)
