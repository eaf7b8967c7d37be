"""The largest architecture of a space as a network with weights of a known network, found by the names of tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from surrogate_nas.errors import SettingsError
from surrogate_nas.nets.standalone import Network, build_network
from surrogate_nas.space.definitions.part_names import PartNames
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.layouts import layout_of
from surrogate_nas.space.network import RESOLUTION
from surrogate_nas.space.space import Space

_COUNTER = "num_batches_tracked"  # of a batch normalisation: no weight
_SHOWN = 3


def names_of(space: Space) -> tuple[PartNames, ...]:
    """Returns the names of the parts of a space's largest architecture, for each kind of files that it knows.

    Raises:
        SettingsError: If it knows none.
    """
    names = space.part_names if isinstance(space, HasLargest) else ()
    if not names:
        raise SettingsError(
            f"{space.name} says no names of weights, so no pretrained network can be read into it; take a space that"
            " has a known network, such as efficientnet_lite0, or add [[pretrained]] to its file"
        )
    return names


@torch.no_grad()
def largest_network(space: Space, tensors: Mapping[str, Tensor], source: str) -> Network:
    """Returns the largest architecture of a space with all weights of a file, in evaluation mode.

    It has as many classes and input channels as the network in the file, and computes the same.

    Args:
        space: A space whose largest architecture is a known network.
        tensors: By their names in the file.
        source: Of the tensors, for messages.

    Raises:
        SettingsError: If the tensors are of another network; the first names and shapes that differ are named.
    """
    names = max(names_of(space), key=lambda each: sum(_is_there(tensors, part) for part in _flat(each)))
    assert isinstance(space, HasLargest)
    first, last = (tensors.get(f"{part}.weight") for part in (names.layers[0][0], names.layers[-1][-1]))
    spec = space.network
    if first is not None and last is not None and first.ndim == 4 and last.ndim:
        spec = replace(spec, input_channels=first.shape[1], classes=len(last))
    code = space.largest()
    with torch.device("meta"):
        network = build_network(space, code, spec)
    layers = [
        module for layer, module in zip(layout_of(space, code, spec), network, strict=True) if layer.kind != RESOLUTION
    ]
    _require_same(_wanted(layers, names), tensors, f"{source} (names as in {names.source})")
    network.to_empty(device="cpu")
    for name, own in _wanted(layers, names).items():
        own.copy_(tensors[name])
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_var is not None and part.num_batches_tracked is not None:
            # The sum of both is what it divides by: another network's epsilon becomes a part of the variance.
            part.running_var.add_(names.norm_epsilon - part.eps)
            part.num_batches_tracked.zero_()
    return network.eval()


def _flat(names: PartNames) -> list[str]:
    return [part for layer in names.layers for part in layer]


def _is_there(tensors: Mapping[str, Tensor], part: str) -> bool:
    return f"{part}.weight" in tensors


def _wanted(layers: Sequence[nn.Module], names: PartNames) -> dict[str, Tensor]:
    """Returns the tensors of a network by their names in a file.

    Raises:
        SettingsError: If a layer has another number of parts than names.
    """
    wanted: dict[str, Tensor] = {}
    for number, (layer, parts) in enumerate(zip(layers, names.layers, strict=True), start=1):
        weighted = [part for part in layer.modules() if any(True for _ in part.parameters(recurse=False))]
        if len(weighted) != len(parts):
            raise SettingsError(
                f"the table of {names.source} has {len(parts)} names for layer {number} of the largest architecture,"
                f" which has {len(weighted)} parts with weights"
            )
        for part, name in zip(weighted, parts, strict=True):
            tensors = {**dict(part.named_parameters(recurse=False)), **dict(part.named_buffers(recurse=False))}
            wanted |= {f"{name}.{own}": tensor for own, tensor in tensors.items() if own != _COUNTER}
    return wanted


def _require_same(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], source: str) -> None:
    given = {name: tensor for name, tensor in found.items() if name.rpartition(".")[2] != _COUNTER}
    differing = [
        *(f"{name} is missing" for name in wanted if name not in given),
        *(f"{name} belongs to nothing here" for name in given if name not in wanted),
        *(
            f"{name} has shape {tuple(given[name].shape)}, here {tuple(own.shape)}"
            for name, own in wanted.items()
            if name in given and given[name].shape != own.shape
        ),
    ]
    if differing:
        more = f", and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise SettingsError(
            f"the weights {source} are of another network: {'; '.join(differing[:_SHOWN])}{more}; give weights of the"
            " space's network, or take the space of theirs"
        )
