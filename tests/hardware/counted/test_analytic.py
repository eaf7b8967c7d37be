"""Counts against the built network and torch's own counter."""

import re

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space

NETWORKS = [NetworkSpec(8, 1, 8, 1, 10), NetworkSpec(16, 5, 32, 3, 10), NetworkSpec(5, 2, 12, 4, 7, stages=2)]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: f"{network.channels}x{network.cells}")
def test_counts_are_those_of_the_network_without_dead_operations(space: Space, network: NetworkSpec) -> None:
    codes = np.concatenate([space.sample(12, np.random.default_rng(3)), [[0] * 6, [3] * 6, [0, 0, 3, 0, 0, 0]]])
    costs = AnalyticCosts(space, network).evaluate(codes)
    for row, code in enumerate(space.effective(codes)):
        with torch.device("meta"):
            module = build_network(space, code, network).eval()
            images = torch.empty(1, network.input_channels, network.image_size, network.image_size)
        with FlopCounterMode(display=False) as counter:
            module(images)
        assert costs["params"][row] == sum(parameter.numel() for parameter in module.parameters())
        assert 2 * costs["flops"][row] == counter.get_total_flops()


def test_parameters_of_nasbench201_are_the_published_ones(space: Space) -> None:
    # Table of NAS-Bench-201 (arXiv 2001.00326): the densest network has 1.531546 million parameters.
    dense = AnalyticCosts(space, NetworkSpec(16, 5, 32, 3, 10)).evaluate(np.full((1, 6), 3))
    assert dense["params"][0] == 1_531_546


def test_an_unknown_cost_is_named(space: Space, network: NetworkSpec) -> None:
    with pytest.raises(SettingsError, match=re.escape("'latency_ms'; choose from flops, params")):
        AnalyticCosts(space, network).relative_error("latency_ms")


def test_8_bits_take_a_quarter_of_the_memory_and_nothing_else_changes(space: Space, network: NetworkSpec) -> None:
    codes = space.sample(5, np.random.default_rng(0))
    floats, small = (AnalyticCosts(space, network, precision) for precision in ("float32", "int8"))
    for name, values in small.evaluate(codes).items():
        assert (4 ** (name == "memory_bytes") * values == floats.evaluate(codes)[name]).all()
    assert small.describe()["memory_bytes"]["notes"][0].endswith("in int8")
