"""Table of planners: tools that say how much RAM and flash a network takes on a device, without the device.

A row's packages are imported when it is first used. All of them plan networks with 8-bit numbers and one image.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor, nn

from surrogate_nas._support.late import Late
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.settings import HardwareSettings

_PLACE = "surrogate_nas.hardware.planned"


class Plan(NamedTuple):
    """Memory of a network on a device.

    Attributes:
        ram_bytes: Of feature maps, input and scores, and of what the runtime and its kernels set aside for them.
        flash_bytes: Of the file.
    """

    ram_bytes: int
    flash_bytes: int


@dataclass(frozen=True)
class PlannerRow:
    """A planner.

    Attributes:
        title: Its name for people.
        packages: Package to the name under which it is imported.
        extra: Extra of this project that installs them.
        ending: Of the file that goes to the device.
        make: Returns the content of that file, for a network and images (N, C, S, S).
        plan: Returns the plan of a file, for its content and the accelerator.
        embedded: Whether firmware holds the file as it is; another tool compiles it otherwise.
    """

    title: str
    packages: Mapping[str, str]
    extra: str
    ending: str
    make: Callable[[nn.Module, Tensor], bytes]
    plan: Callable[[bytes, str], Plan]
    embedded: bool = False

    def versions(self) -> dict[str, str]:
        """Returns the versions of its packages, on which plans depend."""
        found = {}
        for package in self.packages:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "unknown"
        return found


_TFLITE = {
    "litert-torch": "litert_torch",
    "ai-edge-litert": "ai_edge_litert",
    "ai-edge-quantizer": "ai_edge_quantizer",
}
_TFLITE_BYTES: Callable[..., Any] = Late("surrogate_nas.nets.device_files.tflite_file:tflite_bytes")

PLANNERS: Mapping[str, PlannerRow] = MappingProxyType(
    {
        "tflite_micro": PlannerRow(
            "TensorFlow Lite Micro",
            {**_TFLITE, "tflite-micro": "tflite_micro"},
            "tflite-micro",
            "tflite",
            _TFLITE_BYTES,
            Late(f"{_PLACE}.tflite_plans:tflite_micro_plan"),
            embedded=True,
        ),
        "vela": PlannerRow(
            "Vela for Ethos-U",
            {**_TFLITE, "ethos-u-vela": "ethosu"},
            "vela",
            "tflite",
            _TFLITE_BYTES,
            Late(f"{_PLACE}.tflite_plans:vela_plan"),
        ),
        "executorch": PlannerRow(
            "ExecuTorch for Cortex-M",
            {"executorch": "executorch", "tosa-tools": "tosa_serializer"},
            "cortex-m",
            "pte",
            Late(f"{_PLACE}.executorch_plan:cortex_m_file"),
            Late(f"{_PLACE}.executorch_plan:cortex_m_plan"),
            embedded=True,
        ),
    }
)
"""By the value of ``hardware.planner``; ``none`` is not among them."""


def find_planner(settings: HardwareSettings) -> PlannerRow | None:
    """Returns the planner of the settings, which can be used here; None where RAM and flash are counted.

    Raises:
        SettingsError: If a package is not installed, or networks do not compute in 8 bits.
    """
    if settings.planner == "none":
        return None
    row = PLANNERS[settings.planner]
    if settings.precision != "int8":
        raise SettingsError(
            f"hardware.planner {settings.planner} plans networks in 8 bits (got hardware.precision"
            f" {settings.precision}); set --precision int8, or hardware.planner none"
        )
    missing = [package for package, module in row.packages.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise SettingsError(
            f"hardware.planner {settings.planner} needs {missing[0]}, which is not installed; install it with:"
            f" pip install 'surrogate_nas[{row.extra}]', or set hardware.planner none"
        )
    return row
