"""The counted memory peak against the feature maps that the built network really has alive."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.errors import SpaceError
from surrogate_nas.hardware.counted.memory import activation_bytes
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from tests.hardware.live_maps import observed_peak

NETWORKS = [NetworkSpec(8, 1, 8, 1, 10), NetworkSpec(16, 2, 32, 3, 10), NetworkSpec(5, 2, 12, 4, 7, stages=2)]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: f"{network.channels}x{network.cells}")
def test_peaks_are_those_of_the_built_network(space: Space, network: NetworkSpec) -> None:
    codes = np.concatenate(
        [space.sample(25, np.random.default_rng(3)), [[0] * 6, [3] * 6, [1] * 6, [0, 0, 0, 1, 0, 0]]]
    )
    counted = activation_bytes(space, codes, network)
    assert counted.tolist() == [observed_peak(space, code, network) for code in codes]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_the_effective_cell_never_needs_more(code: list[int]) -> None:
    space, network = load_space("nasbench201"), NETWORKS[0]
    codes = np.array([code])
    assert activation_bytes(space, space.effective(codes), network) <= activation_bytes(space, codes, network)


@pytest.mark.parametrize(
    "name",
    [
        *("quick", "nasbench_macro", "quick_elastic"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("mobilenet_se", "fbnet", "ofa_mobilenetv3")),
    ],
)
def test_peaks_of_chains_are_those_of_the_built_network(name: str) -> None:
    space = load_space(name)
    network = NetworkSpec(8, 1, 64, 3, 10, stages=space.network.stages)
    codes = space.sample(12, np.random.default_rng(3))
    counted = activation_bytes(space, codes, network)
    assert counted.tolist() == [observed_peak(space, code, network) for code in codes]


def test_the_peak_grows_with_the_area(space: Space) -> None:
    small, large = (activation_bytes(space, [[3] * 6], NetworkSpec(8, 1, size))[0] for size in (8, 16))
    assert large == 4 * small


def test_codes_of_another_space_are_refused(space: Space) -> None:
    with pytest.raises(SpaceError, match=re.escape("(got shape (1, 1))")):
        activation_bytes(space, [[0]], NETWORKS[0])
