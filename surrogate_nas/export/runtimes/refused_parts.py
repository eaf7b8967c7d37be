"""The parts of a network that a runtime cannot take: each part is exported alone, the larger ones first."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from surrogate_nas.errors import ExportError
from surrogate_nas.export.onnx_model import write_onnx
from surrogate_nas.export.runtimes.protocol import Runtime, Source

_MOST = 5
"""Parts that are named."""
_MAPS = 4  # dimensions of what a part takes: runtimes are written for networks of images


def refused_parts(runtime: Runtime, files: tuple[str, ...], source: Source, precision: str) -> list[str]:
    """Returns the smallest parts that a runtime refuses, each once, such as ``"Roll in layer 3"``.

    There are none where the runtime refuses every part, since it then does not work here at all. There are none where
    it takes every part alone, either.

    Args:
        runtime: The runtime.
        files: Names of a model's files.
        source: The network that it refused.
        precision: Precision of the files, float or int8.
    """

    def takes(part: nn.Module, given: Tensor) -> bool:
        try:
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder)
                onnx = {precision: place / "part.onnx"}
                # In 32 bits: a part alone is not quantised. Most runtimes do not read it.
                with suppress(ExportError):
                    write_onnx(onnx[precision], part, given[:1], {})
                alone = replace(source, network=part, tuned=None, calibration=given, onnx=onnx, description={}, batch=1)
                runtime.write([place / name for name in files], alone, precision)
        except Exception:
            return False
        return True

    seen: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    taken = list[bool]()
    inputs = _inputs(source.network_of(precision), source.calibration[: min(8, len(source.calibration))])

    def smallest(part: nn.Module) -> list[str]:
        """Returns what is refused of a part that was called with maps."""
        given = inputs[part]
        key = (repr(part), tuple(given.shape[1:]))
        if key not in seen:
            accepted = takes(part, given)
            taken.append(accepted)
            inner = [] if accepted else [one for child in _called(part, inputs) for one in smallest(child)]
            seen[key] = [] if accepted else inner or [type(part).__name__]
        return seen[key]

    found = dict[str, str]()
    for number, layer in enumerate(_called(source.network_of(precision), inputs), 1):
        for name in smallest(layer):
            found.setdefault(name, f"{name} in layer {number}")
    return list(found.values())[:_MOST] if any(taken) else []


@torch.no_grad()
def _inputs(network: nn.Module, images: Tensor) -> dict[nn.Module, Tensor]:
    """Returns what each part is called with, where that is one tensor of maps; the last call counts."""
    found: dict[nn.Module, Tensor] = {}

    def keep(part: nn.Module, given: tuple[object, ...]) -> None:
        if len(given) == 1 and isinstance(given[0], Tensor) and given[0].dim() == _MAPS:
            found[part] = given[0].detach().clone()

    hooks = [part.register_forward_pre_hook(keep) for part in network.modules()]
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _called(part: nn.Module, inputs: dict[nn.Module, Tensor]) -> Iterator[nn.Module]:
    """Yields the parts right below one that were called with maps; lists and the like are looked through."""
    for child in part.children():
        if child in inputs:
            yield child
        else:
            yield from _called(child, inputs)
