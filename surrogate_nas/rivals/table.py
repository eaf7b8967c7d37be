"""The table of rivals: networks that people take off the shelf for small devices. Importing it loads no torch."""

from types import MappingProxyType

from surrogate_nas._support.late import Late
from surrogate_nas.rivals.rival import Rival

_PLACE = "surrogate_nas.rivals"
_TORCHVISION = f"{_PLACE}.torchvision_networks"
_TIMM = f"{_PLACE}.timm_networks"
# Of 16 channels. Runtimes compute in blocks of 8: ResNet-20 with 14 channels takes longer than with 16, with 22 as long
# as with 24.
_SMALL_WIDTHS = tuple(n / 16 for n in (2, 4, 6, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64))


def _small(depth: int) -> Rival:
    make = Late(f"{_PLACE}.small_resnets:resnet{depth}")
    return Rival(f"ResNet-{depth}", "ResNet for small images", make, _SMALL_WIDTHS, is_for_photos=False)


RIVALS: MappingProxyType[str, Rival] = MappingProxyType(
    {
        "resnet20": _small(20),
        "resnet32": _small(32),
        "resnet44": _small(44),
        "mobilenet_v2": Rival("MobileNetV2", "MobileNet", Late(f"{_TORCHVISION}:mobilenet_v2")),
        "mobilenet_v3_small": Rival("MobileNetV3-Small", "MobileNet", Late(f"{_TORCHVISION}:mobilenet_v3_small")),
        "mobilenet_v3_large": Rival("MobileNetV3-Large", "MobileNet", Late(f"{_TORCHVISION}:mobilenet_v3_large")),
        "shufflenet_v2": Rival(
            "ShuffleNetV2", "ShuffleNet", Late(f"{_TORCHVISION}:shufflenet_v2"), (0.5, 1.0, 1.5, 2.0)
        ),
        "squeezenet1_1": Rival("SqueezeNet 1.1", "SqueezeNet", Late(f"{_TORCHVISION}:squeezenet1_1"), (1.0,)),
        "mnasnet": Rival("MNASNet", "MNASNet", Late(f"{_TORCHVISION}:mnasnet")),
        "efficientnet_b0": Rival("EfficientNet-B0", "EfficientNet", Late(f"{_TORCHVISION}:efficientnet_b0")),
        "regnet_y_400mf": Rival("RegNetY-400MF", "RegNet", Late(f"{_TORCHVISION}:regnet_y_400mf"), (1.0,)),
        "resnet18": Rival("ResNet-18", "ResNet", Late(f"{_TORCHVISION}:resnet18"), (1.0,)),
        "efficientnet_lite0": Rival(
            "EfficientNet-Lite0", "EfficientNet", Late(f"{_TIMM}:efficientnet_lite0"), (1.0,), package="timm"
        ),
        "mobilenetv4_conv_small": Rival(
            "MobileNetV4-Conv-S", "MobileNet", Late(f"{_TIMM}:mobilenetv4_conv_small"), (0.5, 1.0), package="timm"
        ),
        "lcnet": Rival("LCNet", "LCNet", Late(f"{_TIMM}:lcnet"), (0.5, 0.75, 1.0), package="timm"),
    }
)
