"""Splits the networks of a space into pieces whose latency is measured once, and prepares them for timing.

Symbols:
    N: architectures in the batch.
    P: distinct pieces.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas.nets.places.table import PLACES
from surrogate_nas.nets.workload import Piece, Workload, always, joined
from surrogate_nas.space.layouts import chosen_variants, layer_variants
from surrogate_nas.space.network import Layer, NetworkSpec
from surrogate_nas.space.space import Codes, Space

_STATISTICS_BATCH = 8
_FIXED = "fixed"


def workload(space: Space, network: NetworkSpec) -> Workload:
    """Returns the pieces of the networks of a space, for one size of network.

    Raises:
        SpaceError: If the sizes do not suit the space.
    """
    positions = layer_variants(space, network)
    parts = [_of_layers(space, [variants[0] for variants in positions if len(variants) == 1])]
    sized = [position for position, variants in enumerate(positions) if len(variants) > 1]
    if not sized:
        return parts[0]
    owners: list[tuple[int, int]] = []  # position and variant of all parts but the first
    for position in sized:
        for variant, layer in enumerate(positions[position]):
            owners.append((position, variant))
            parts.append(_of_layers(space, [layer]))
    rows: dict[Piece, int] = {}
    columns = [[rows.setdefault(piece, len(rows)) for piece in part.pieces] for part in parts]

    def counts(codes: Codes) -> NDArray[np.int64]:
        found = np.zeros((len(codes), len(rows)), dtype=np.int64)
        found[:, columns[0]] = parts[0].counts(codes)
        chosen = chosen_variants(space, codes, network)
        for (position, variant), part, own in zip(owners, parts[1:], columns[1:], strict=True):
            members = np.flatnonzero(chosen[:, position] == variant)
            found[members[:, None], own] += part.counts(codes[members])
        return found

    return Workload(tuple(rows), counts)


def _of_layers(space: Space, layers: Sequence[Layer]) -> Workload:
    """Returns the pieces of networks that have the same layers, kind by kind in the order of data."""
    kinds: dict[str, list[Layer]] = {}
    for layer in layers:
        kinds.setdefault(_FIXED if layer.is_fixed else layer.kind, []).append(layer)
    return joined(
        [
            always(Piece.at("layer", layer.kind, layer) for layer in alike)
            if kind == _FIXED
            else PLACES[kind].workload(space, alike)
            for kind, alike in kinds.items()
        ]
    )


def prepare(
    forward: Callable[[Tensor], Tensor], input_shape: tuple[int, int, int], batch: int, device: torch.device
) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """Returns a module ready to be timed, and an input of shape (batch, C, H, W).

    The batch-norm statistics of a new network match no data: its activations fade from layer to layer until they are
    denormal numbers, with which arithmetic is many times slower. So the statistics are taken from one batch, as a
    training takes them from many.
    """
    if isinstance(forward, nn.Module):
        for part in forward.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = 1.0
        with torch.no_grad():
            forward.train()(torch.randn(_STATISTICS_BATCH, *input_shape))
        forward = forward.eval().to(device)
    return forward, torch.randn(batch, *input_shape).to(device)
