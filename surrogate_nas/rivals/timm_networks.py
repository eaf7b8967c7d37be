"""Small networks of timm, where that is installed, with random weights and in their published widths."""

import timm
from torch import nn


def efficientnet_lite0(classes: int, width: float) -> nn.Module:  # noqa: ARG001 - it has one width
    """Returns an EfficientNet-Lite0: EfficientNet-B0 without squeeze and excitation, with ReLU6."""
    return _network("efficientnet_lite0", classes)


def mobilenetv4_conv_small(classes: int, width: float) -> nn.Module:
    """Returns a MobileNetV4-Conv-S (arXiv 2404.10518)."""
    return _network({0.5: "mobilenetv4_conv_small_050", 1.0: "mobilenetv4_conv_small"}[width], classes)


def lcnet(classes: int, width: float) -> nn.Module:
    """Returns an LCNet (arXiv 2109.15099)."""
    return _network(f"lcnet_{round(100 * width):03d}", classes)


def _network(name: str, classes: int) -> nn.Module:
    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=classes)
    return network
