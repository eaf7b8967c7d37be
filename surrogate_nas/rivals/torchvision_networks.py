"""Small networks of torchvision, with random weights; each takes its width by torchvision's own parameter."""

import torch
import torchvision.models as models
from torch import nn
from torchvision.models.efficientnet import EfficientNet, MBConvConfig
from torchvision.models.regnet import BlockParams, RegNet

_SHUFFLENETS = {
    0.5: models.shufflenet_v2_x0_5,
    1.0: models.shufflenet_v2_x1_0,
    1.5: models.shufflenet_v2_x1_5,
    2.0: models.shufflenet_v2_x2_0,
}
# Expansion, kernel, stride, input and output channels, layers: table 1 of arXiv 1905.11946.
_EFFICIENTNET_B0 = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)


def mobilenet_v2(classes: int, width: float) -> nn.Module:
    """Returns a MobileNetV2 (arXiv 1801.04381)."""
    network: nn.Module = models.mobilenet_v2(num_classes=classes, width_mult=width)
    return network


def mobilenet_v3_small(classes: int, width: float) -> nn.Module:
    """Returns a small MobileNetV3 (arXiv 1905.02244)."""
    network: nn.Module = models.mobilenet_v3_small(num_classes=classes, width_mult=width)
    return network


def mobilenet_v3_large(classes: int, width: float) -> nn.Module:
    """Returns a large MobileNetV3 (arXiv 1905.02244)."""
    network: nn.Module = models.mobilenet_v3_large(num_classes=classes, width_mult=width)
    return network


def shufflenet_v2(classes: int, width: float) -> nn.Module:
    """Returns a ShuffleNetV2 (arXiv 1807.11164) of one of its published widths."""
    network: nn.Module = _SHUFFLENETS[width](num_classes=classes)
    return network


def squeezenet1_1(classes: int, width: float) -> nn.Module:  # noqa: ARG001 - it has one width
    """Returns a SqueezeNet 1.1 (arXiv 1602.07360)."""
    network: nn.Module = models.squeezenet1_1(num_classes=classes)
    return network


def mnasnet(classes: int, width: float) -> nn.Module:
    """Returns an MNASNet-B1 (arXiv 1807.11626)."""
    network: nn.Module = models.MNASNet(width, num_classes=classes)
    return network


def efficientnet_b0(classes: int, width: float) -> nn.Module:
    """Returns an EfficientNet-B0 (arXiv 1905.11946)."""
    blocks = [MBConvConfig(*row, width_mult=width) for row in _EFFICIENTNET_B0]
    network: nn.Module = EfficientNet(blocks, dropout=0.2, num_classes=classes)
    return network


def regnet_y_400mf(classes: int, width: float) -> nn.Module:  # noqa: ARG001 - it has one width
    """Returns a RegNetY-400MF (arXiv 2003.13678)."""
    with torch.device("cpu"):  # its widths are computed by tensors
        blocks = BlockParams.from_init_params(depth=16, w_0=48, w_a=27.89, w_m=2.09, group_width=8, se_ratio=0.25)
    network: nn.Module = RegNet(blocks, num_classes=classes)
    return network


def resnet18(classes: int, width: float) -> nn.Module:  # noqa: ARG001 - it has one width
    """Returns a ResNet-18 (arXiv 1512.03385)."""
    network: nn.Module = models.resnet18(num_classes=classes)
    return network
