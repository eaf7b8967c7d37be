"""Parts of RAM and flash by counting, for networks that can be counted by hand."""

import numpy as np
import pytest
from torch import nn

from surrogate_nas.hardware.counted.memory import activation_bytes, planned_numbers
from surrogate_nas.hardware.planned.device_bytes import PARTS, DeviceBytes
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space


@pytest.mark.parametrize("name", ["quick", "nasbench201", "images32"])
def test_channels_and_operations_are_those_of_the_built_networks(name: str) -> None:
    space = load_space(name)
    codes = space.effective(space.sample(6, np.random.default_rng(1)))
    parts = DeviceBytes(space, space.network, "int8").parts(codes)
    for row, code in enumerate(codes):
        layers = [
            one for one in build_network(space, code, space.network).modules() if isinstance(one, nn.Conv2d | nn.Linear)
        ]
        channels = sum(one.out_channels if isinstance(one, nn.Conv2d) else one.out_features for one in layers)
        assert parts["ram_bytes"][row, 1] == 8 * channels
        assert parts["flash_bytes"][row, 1] == 26 * channels
        assert parts["ram_bytes"][row, 2] >= 336 * len(layers)
    assert parts["ram_bytes"].shape == (6, len(PARTS))


def test_precision_concerns_numbers_and_not_the_graph() -> None:
    space = load_space("quick")
    codes = space.all_codes()[[50]]
    small, large = (DeviceBytes(space, space.network, one).parts(codes) for one in ("int8", "float32"))
    for cost in ("ram_bytes", "flash_bytes"):
        assert large[cost][0, 0] == 4 * small[cost][0, 0]
        assert (large[cost][0, 1:] == small[cost][0, 1:]).all()
    assert small["flash_bytes"][0, 0] == space.parameters(codes, space.network)[0]


@pytest.mark.parametrize("name", ["quick", "nasbench201"])
def test_the_image_is_given_up_after_the_first_layer(name: str) -> None:
    space = load_space(name)
    codes = space.sample(20, np.random.default_rng(0))
    planned, eager = planned_numbers(space, codes, space.network), activation_bytes(space, codes, space.network) // 4
    image = space.network.input_channels * space.network.image_size**2
    assert (planned <= eager).all()
    assert (planned >= eager - image).all()
