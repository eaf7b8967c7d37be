"""ResNets for small images have the parameters of their paper, and any width."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from surrogate_nas.rivals.small_resnets import resnet20, resnet32, resnet44


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(
    ("make", "depth", "millions"), [(resnet20, 20, 0.27), (resnet32, 32, 0.46), (resnet44, 44, 0.66)]
)
def test_depth_and_parameters_are_those_of_the_paper(
    make: Callable[[int, float], nn.Module], depth: int, millions: float
) -> None:
    network = make(10, 1.0)
    # Table 6 of arXiv 1512.03385, which does not count the two 1x1 convolutions.
    assert parameters(network) / 1e6 == pytest.approx(millions, abs=0.007)
    weighted = [one for one in network.modules() if isinstance(one, nn.Conv2d) and one.kernel_size == (3, 3)]
    assert len(weighted) + 1 == depth


def test_resnet20_has_272474_parameters() -> None:
    assert parameters(resnet20(10, 1.0)) == 272_474


def test_the_width_scales_channels() -> None:
    network = resnet20(7, 0.5)
    last = list(network.children())[-1]
    assert isinstance(last, nn.Linear)
    assert (last.in_features, last.out_features) == (32, 7)
    assert network.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 7)
