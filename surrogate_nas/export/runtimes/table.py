"""Table of runtimes that a trained network is exported to: one row each, imported when one is first used.

A row makes a runtime (``surrogate_nas.export.runtimes.protocol.Runtime``). Importing the table loads no torch.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from surrogate_nas._support.late import Late
from surrogate_nas.errors import SettingsError

_PLACE = "surrogate_nas.export.runtimes"
_ALWAYS = ("onnx", "pt2")  # are written without being asked for


@dataclass(frozen=True)
class ExportRow:
    """A runtime, with the facts that are known without its package.

    Attributes:
        title: Its name for people.
        package: The package that writes and runs its files, as it is imported.
        endings: Ending of each file of a model, first the one that is opened.
        make: Makes the runtime.
    """

    title: str
    package: str
    endings: tuple[str, ...]
    make: Callable[[], Any]

    def files(self, precision: str) -> tuple[str, ...]:
        """Returns the names of a model's files, first the one that is opened."""
        return tuple(f"model{'.int8' * (precision == 'int8')}.{ending}" for ending in self.endings)


EXPORTS: dict[str, ExportRow] = {
    "openvino": ExportRow("OpenVINO", "openvino", ("xml", "bin"), Late(f"{_PLACE}.openvino_model:OpenVino")),
    "litert": ExportRow("LiteRT", "litert_torch", ("tflite",), Late(f"{_PLACE}.litert_model:LiteRt")),
    "executorch": ExportRow("ExecuTorch", "executorch", ("pte",), Late(f"{_PLACE}.executorch_program:ExecuTorch")),
}
"""By the word for ``--export``, which is also the extra that installs the package."""

CORTEX_M = "model.cortex_m.pte"
"""ExecuTorch's program for microcontrollers, whose kernels do not run on this machine: no row of the table."""

RUNTIME_FILES = (
    *(name for row in EXPORTS.values() for precision in ("float", "int8") for name in row.files(precision)),
    CORTEX_M,
    "model.c",
    "model.h",
)


def asked_runtimes(text: str) -> tuple[str, ...]:
    """Returns the runtimes that a text such as ``"onnx,openvino"`` names, without those that need no asking.

    Raises:
        SettingsError: If a name is unknown, or its package is not installed.
    """
    names = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    for name in names:
        if name not in (*_ALWAYS, *EXPORTS):
            raise SettingsError(f"--export takes {', '.join((*_ALWAYS, *EXPORTS))} (got {name!r})")
    asked = tuple(name for name in names if name in EXPORTS)
    for name in asked:
        package = EXPORTS[name].package
        if importlib.util.find_spec(package) is None:
            raise SettingsError(
                f"--export {name} needs {package}, which is not installed; install it with:"
                f" pip install 'surrogate_nas[{name}]'"
            )
    return asked
