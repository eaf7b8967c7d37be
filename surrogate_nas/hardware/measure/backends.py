"""Runs a network while it is timed: ONNX Runtime, eager torch, or a graph of torch.

A network takes a different time in each of them, and its operations a different share of it. So a budget applies to
the runtime, and to the precision, that the network is deployed in.
"""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn

from surrogate_nas._support.model_format import INPUT
from surrogate_nas._support.onnx_session import open_session
from surrogate_nas._support.words import first_line
from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.nets.onnx_models.onnx_writer import onnx_of
from surrogate_nas.nets.onnx_models.quantised_onnx import quantise_onnx

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
    module = _module(forward)

    def alone(x: Tensor) -> object:
        return module(x)

    # Torch keeps what it has compiled by code object, of which it compiles eight forms. All networks share the code of
    # their class, so that the ninth would run as eager torch without a word.
    alone.__code__ = alone.__code__.replace()
    run: Forward = torch.compile(alone, dynamic=False)
    with torch.inference_mode():
        run(example)
    return run


def onnx_model(forward: Callable[[Tensor], Tensor], example: Tensor, numbers: Numbers = "float32") -> bytes:
    """Returns the ONNX model of a network, or of a piece of one, as its latency is measured.

    In 8 bits, ranges of activations are of the example alone: they do not change how long a network takes.

    Args:
        forward: A function; a module is in evaluation mode, on the CPU.
        example: Its input, whose shape the model takes.
        numbers: What the model computes with.

    Raises:
        MeasurementError: If a package is not installed, or the network cannot be exported.
        Exception: Whatever the quantiser raises for a model that it cannot quantise.
    """
    model = _onnx_bytes(_module(forward), example)
    if numbers == "float32":
        return model
    signed = numbers == "int8 with signed activations"
    return bytes(quantise_onnx(model, [example.numpy()], MeasurementError, signed=signed).SerializeToString())


def _onnx_bytes(module: nn.Module, example: Tensor) -> bytes:
    try:
        return bytes(onnx_of(module.eval(), example, MeasurementError).SerializeToString())
    except MeasurementError:
        raise
    except Exception as error:  # exporters raise errors of any class
        raise MeasurementError(
            f"{type(module).__name__} cannot be exported to ONNX: {_first_cause(error)}; use hardware.backend eager"
        ) from error


def _first_cause(error: BaseException) -> str:
    # The exporter surrounds it with advice for its own developers.
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error, 200)


def _onnx(forward: Callable[[Tensor], Tensor], example: Tensor, threads: int) -> Forward:
    if example.device.type != "cpu":
        raise MeasurementError(f"ONNX Runtime runs only on the CPU here (got {example.device}); use the eager backend")
    return _session(onnx_model(forward, example), example, threads)


def _quantised(numbers: Numbers, forward: Callable[[Tensor], Tensor], example: Tensor, threads: int) -> Forward:
    return _session(onnx_model(forward, example, numbers), example, threads)


def _session(model: bytes, example: Tensor, threads: int) -> Forward:
    session = open_session(model, "ONNX models", MeasurementError, threads)
    images = {INPUT: example.numpy()}
    return lambda _: session.run(None, images)


BACKENDS: MappingProxyType[str, Build] = MappingProxyType(
    {"eager": _eager, "exported": _exported, "compiled": _compiled, "onnx": _onnx}
)

QUANTISED: MappingProxyType[tuple[str, Numbers], Build] = MappingProxyType(
    {("onnx", numbers): partial(_quantised, numbers) for numbers in ("int8", "int8 with signed activations")}
)
"""Back-ends that run quantised networks, by what these compute with."""


def resolve_backend(name: str, device: torch.device, numbers: Numbers = "float32") -> str:
    """Returns the back-end of a setting: ``auto`` is ONNX Runtime on the CPU, eager torch on a GPU.

    Raises:
        SettingsError: If it cannot compute in that precision.
    """
    chosen = name if name != "auto" else "onnx" if device.type == "cpu" else "eager"
    if numbers != "float32" and (device.type != "cpu" or (chosen, numbers) not in QUANTISED):
        raise SettingsError(
            f"hardware.precision int8 is measured in ONNX Runtime on the CPU, not in the back-end {chosen} on {device};"
            " set hardware.backend onnx and hardware.device cpu, or hardware.precision float32"
        )
    return chosen


def build_forward(
    backend: str, forward: Callable[[Tensor], Tensor], example: Tensor, threads: int, numbers: Numbers = "float32"
) -> Callable[[Tensor], object]:
    """Returns a function that runs a network, or a piece of one, on the example.

    Raises:
        MeasurementError: If the backend is not installed or cannot run it.
    """
    try:
        build = BACKENDS[backend] if numbers == "float32" else QUANTISED[backend, numbers]
        return build(forward, example, threads)
    except (MeasurementError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # compilers and runtimes raise errors of any class
        reason = first_line(error)
        raise MeasurementError(
            f"the backend {backend} cannot run this here: {reason}; use hardware.backend eager"
        ) from error
