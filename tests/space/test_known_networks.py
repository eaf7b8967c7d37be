"""Networks that people take off the shelf are architectures of the spaces that are made to hold them."""

from dataclasses import replace

import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

IMAGENET = NetworkSpec(24, 1, 224, classes=1000, stages=6)
MOST_LAYERS = (3, 4, 4, 4, 4, 1)


def mobile(widths: str, kernels: tuple[int, ...], depths: tuple[int, ...]) -> list[int]:
    """Returns the code of inverted residuals of expansion 6, with one kernel and depth for each stage."""
    stages = [
        [f"mbconv_k{kernel}_e6"] * depth + ["identity"] * (most - depth)
        for kernel, depth, most in zip(kernels, depths, MOST_LAYERS, strict=True)
    ]
    code: list[int] = load_space("images224").parse(f"r224+{widths}+" + "+".join(map("|".join, stages))).tolist()
    return code


def counts(space: str, code: list[int], network: NetworkSpec) -> tuple[int, int]:
    """Returns parameters and multiply-accumulates."""
    loaded = load_space(space)
    return int(loaded.parameters([code], network)[0]), int(loaded.flops([code], network)[0])


def torch_counts(module: torch.nn.Module, side: int) -> tuple[int, int]:
    """Returns the same as torch counts them."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(torch.empty(1, 3, side, side))
    return sum(one.numel() for one in module.parameters()), counter.get_total_flops() // 2


def test_mobilenet_v2() -> None:
    code = mobile("w24|w32|w64|w96|w160", (3,) * 6, (2, 3, 4, 3, 3, 1))
    assert counts("images224", code, IMAGENET) == torch_counts(torchvision.models.mobilenet_v2(), 224)


def test_efficientnet_lite0() -> None:
    """Counts of timm's ``efficientnet_lite0``."""
    code = mobile("w24|w40|w80|w112|w192", (3, 5, 3, 5, 5, 3), (2, 2, 3, 3, 4, 1))
    assert counts("images224", code, IMAGENET) == (4_652_008, 385_187_552)


def test_resnets_for_small_images() -> None:
    """ResNet (arXiv 1512.03385, section 4.2) with 1x1 convolutions where the shape changes."""
    space = load_space("images32")
    for depth, parameters in ((20, 272_474), (32, 466_906)):
        blocks = (depth - 2) // 6
        stage = "|".join(["basic_k3"] * blocks + ["identity"] * (5 - blocks))
        code = space.parse(f"r32+w16|w32|w64+{stage}+{stage}+{stage}").tolist()
        assert counts("images32", code, space.network)[0] == parameters
        assert counts("images32", code, space.network) == torch_counts(build_network(space, code, space.network), 32)


def test_largest_architectures() -> None:
    for name, expected in (
        ("mobilenet_v2", torch_counts(torchvision.models.mobilenet_v2(), 224)),
        ("mobilenet_v3_large", torch_counts(torchvision.models.mobilenet_v3_large(), 224)),
        ("mobilenet_v3_small", torch_counts(torchvision.models.mobilenet_v3_small(), 224)),
        ("efficientnet_lite0", (4_652_008, 385_187_552)),
        ("resnet18", torch_counts(torchvision.models.resnet18(), 224)),
    ):
        space = load_space(name)
        assert isinstance(space, HasLargest)
        assert counts(name, space.largest().tolist(), replace(space.network, classes=1000)) == expected
