"""Runs a network while it is timed: ONNX Runtime, eager torch, or a graph of torch.

A network takes a different time in each of them, and its operations a different share of it. So a budget applies to
the runtime that the network is deployed in.
"""

from collections.abc import Callable
from types import MappingProxyType

import torch
from torch import Tensor, nn

from surrogate_nas._support.onnx_session import open_session
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure.onnx_graph import INPUT, onnx_bytes

Forward = Callable[[Tensor], object]
Build = Callable[[Callable[[Tensor], Tensor], Tensor, int], Forward]
"""Takes a function to run, its input and the number of CPU threads; returns a function that runs it."""


class _AsModule(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, x: Tensor) -> Tensor:
        return self._function(x)


def _module(forward: Callable[[Tensor], Tensor]) -> nn.Module:
    return forward if isinstance(forward, nn.Module) else _AsModule(forward).eval()


def _eager(forward: Callable[[Tensor], Tensor], _example: Tensor, _threads: int) -> Forward:
    return forward


def _exported(forward: Callable[[Tensor], Tensor], example: Tensor, _threads: int) -> Forward:
    with torch.no_grad():
        program = torch.export.export(_module(forward), (example,))
    run: Forward = program.module()
    return run


def _compiled(forward: Callable[[Tensor], Tensor], example: Tensor, _threads: int) -> Forward:
    run: Forward = torch.compile(_module(forward))
    with torch.inference_mode():
        run(example)
    return run


def _onnx(forward: Callable[[Tensor], Tensor], example: Tensor, threads: int) -> Forward:
    if example.device.type != "cpu":
        raise MeasurementError(f"ONNX Runtime runs only on the CPU here (got {example.device}); use the eager backend")
    session = open_session(onnx_bytes(_module(forward), example), "ONNX models", MeasurementError, threads)
    images = {INPUT: example.numpy()}
    return lambda _: session.run(None, images)


BACKENDS: MappingProxyType[str, Build] = MappingProxyType(
    {"eager": _eager, "exported": _exported, "compiled": _compiled, "onnx": _onnx}
)


def resolve_backend(name: str, device: torch.device) -> str:
    """Returns the back-end of a setting: ``auto`` is ONNX Runtime on the CPU, eager torch on a GPU."""
    if name != "auto":
        return name
    return "onnx" if device.type == "cpu" else "eager"


def build_forward(
    backend: str, forward: Callable[[Tensor], Tensor], example: Tensor, threads: int
) -> Callable[[Tensor], object]:
    """Returns a function that runs a network, or a piece of one, on the example.

    Raises:
        MeasurementError: If the backend is not installed or cannot run it.
    """
    try:
        return BACKENDS[backend](forward, example, threads)
    except (MeasurementError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # compilers and runtimes raise errors of any class
        reason = first_line(error)
        raise MeasurementError(
            f"the backend {backend} cannot run this here: {reason}; use hardware.backend eager"
        ) from error
