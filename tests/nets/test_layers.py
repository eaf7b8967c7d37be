"""The fixed layers against plain torch functions."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.layers import Reduction, build_layer, resizing
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.fixed import find_fixed_layer


@pytest.mark.parametrize(("channels", "out", "size"), [(3, 6, 8), (1, 2, 2), (4, 5, 6)])
def test_a_reduction_halves_the_side(channels: int, out: int, size: int) -> None:
    assert Reduction(channels, out, nn.BatchNorm2d)(torch.randn(2, channels, size, size)).shape == (
        2,
        out,
        size // 2,
        size // 2,
    )


def test_a_reduction_is_two_convolutions_beside_a_pooled_shortcut() -> None:
    """The residual block of NAS-Bench-201, arXiv 2001.00326, section 2."""
    torch.manual_seed(0)
    layer = build_layer(Layer("reduction", 3, 6, 8, 4, 1))
    first, second, shortcut = (part.weight for part in layer.modules() if isinstance(part, nn.Conv2d))
    x = torch.randn(5, 3, 8, 8)
    y = F.batch_norm(F.conv2d(F.relu(x), first, stride=2, padding=1), None, None, training=True)
    y = F.batch_norm(F.conv2d(F.relu(y), second, padding=1), None, None, training=True)
    expected = y + F.conv2d(F.avg_pool2d(x, 2), shortcut)
    torch.testing.assert_close(layer(x), expected)


def test_a_light_reduction_is_one_convolution_beside_a_pooled_shortcut() -> None:
    torch.manual_seed(0)
    layer = build_layer(Layer("light_reduction", 3, 6, 8, 4, 1))
    weight, shortcut = (part.weight for part in layer.modules() if isinstance(part, nn.Conv2d))
    x = torch.randn(5, 3, 8, 8)
    y = F.batch_norm(F.conv2d(F.relu(x), weight, stride=2, padding=1), None, None, training=True)
    torch.testing.assert_close(layer(x), y + F.conv2d(F.avg_pool2d(x, 2), shortcut))


def test_a_stem_is_a_convolution_without_an_activation() -> None:
    torch.manual_seed(0)
    layer = build_layer(Layer("stem", 1, 4, 6, 6, 0))
    (weight,) = (part.weight for part in layer.modules() if isinstance(part, nn.Conv2d))
    x = torch.randn(3, 1, 6, 6)
    torch.testing.assert_close(layer(x), F.batch_norm(F.conv2d(x, weight, padding=1), None, None, training=True))


def test_a_head_averages_and_classifies() -> None:
    torch.manual_seed(0)
    layer = build_layer(Layer("head", 4, 7, 5, 1, 2))
    (linear,) = (part for part in layer.modules() if isinstance(part, nn.Linear))
    x = torch.randn(3, 4, 5, 5)
    pooled = F.relu(F.batch_norm(x, None, None, training=True)).mean(dim=(2, 3))
    torch.testing.assert_close(layer(x), F.linear(pooled, linear.weight, linear.bias))


@pytest.mark.parametrize(("kind", "norms"), [("stem", 1), ("reduction", 2), ("light_reduction", 1), ("head", 1)])
def test_the_normalisation_is_the_one_asked_for(kind: str, norms: int) -> None:
    layer = build_layer(Layer(kind, 4, 4, 4, 4, 0), RecordingBatchNorm)
    assert sum(isinstance(part, RecordingBatchNorm) for part in layer.modules()) == norms
    assert not any(isinstance(part, nn.BatchNorm2d) for part in layer.modules())


def test_a_cell_is_not_a_fixed_layer() -> None:
    with pytest.raises(ValueError, match=re.escape("a cell is built from an architecture")):
        build_layer(Layer("cell", 4, 4, 4, 4, 0))


def test_resized_values_are_taken_between_centres_of_pixels() -> None:
    image = torch.arange(4.0).reshape(1, 1, 1, 4).expand(1, 1, 4, 4)
    # Centres of two pixels lie at 0.5 and 2.5 of four, the centres of three at 1/6, 3/2 and 17/6.
    assert resizing(4, 2)(image)[0, 0, 0].tolist() == [0.5, 2.5]
    torch.testing.assert_close(resizing(4, 3)(image)[0, 0, 1], torch.tensor([1 / 6, 1.5, 17 / 6]))


def test_a_pooling_gives_the_channels_that_it_takes() -> None:
    pool = build_layer(Layer("max_pool_k3", 4, 4, 7, 4, 0))
    x = torch.randn(2, 4, 7, 7, generator=torch.Generator().manual_seed(0))
    around = nn.functional.pad(x, (1, 1, 1, 1), value=-torch.inf).unfold(2, 3, 2).unfold(3, 3, 2)
    assert torch.equal(pool(x), around.amax(dim=(-1, -2)))
    with pytest.raises(SpaceError, match=r"gives as many channels as it takes \(got 4 and 8\)"):
        build_layer(Layer("max_pool_k3", 4, 8, 7, 4, 0))


def test_a_pooled_linear_layer_gives_one_pixel() -> None:
    layer = Layer("pooled_linear_hs", 6, 10, 5, 1, 0)
    module, x = build_layer(layer), torch.randn(2, 6, 5, 5)
    y = module(x)
    assert y.shape == (2, 10, 1, 1)
    linear = next(part for part in module.modules() if isinstance(part, nn.Linear))
    torch.testing.assert_close(y.flatten(1), nn.functional.hardswish(linear(x.mean(dim=(2, 3)))))
    spec = find_fixed_layer("pooled_linear_hs")
    assert spec.parameters(layer.shape) == sum(one.numel() for one in module.parameters()) == 70
    assert spec.flops(layer.shape) == 60
