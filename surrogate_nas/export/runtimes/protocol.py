"""Defines a runtime: the code that writes a network as its file, and runs that file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Score = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From normalised images (B, C, S, S) to scores (B, classes)."""


@dataclass(frozen=True)
class Source:
    """A trained network, in every form that a runtime may start from.

    Attributes:
        network: The network in evaluation mode, on the CPU.
        onnx: Its ONNX file of each precision that is asked for, float or int8.
        calibration: Normalised training images (N, C, S, S) that 8-bit activations are measured on.
        description: Content of ``model.json``.
        batch: Images of a forward pass; files of runtimes without a dynamic batch take exactly so many.
        tuned: The network with weights that were trained for 8 bits; None where there are no others.
    """

    network: nn.Module
    onnx: Mapping[str, Path]
    calibration: Tensor
    description: Mapping[str, Any]
    batch: int
    tuned: nn.Module | None = None

    def network_of(self, precision: str) -> nn.Module:
        """Returns the network that a file of a precision, float or int8, is made from."""
        return self.tuned if precision == "int8" and self.tuned is not None else self.network


class Runtime(Protocol):
    """A runtime; ``write`` comes first, then ``open``, perhaps in another process.

    Both raise errors of any class, as the runtimes do.
    """

    def write(self, files: Sequence[Path], source: Source, precision: str) -> None:
        """Writes the files of the runtime's row, each of them whole, with the description inside."""

    def open(self, file: Path, batch: int, threads: int) -> Score:
        """Returns a function that runs a model on so many CPU threads, for batches of exactly ``batch`` images."""
