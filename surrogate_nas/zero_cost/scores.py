"""Computes zero-cost scores of architectures: measures of networks with random weights, without training.

Symbols:
    N: architectures.
    A: architectures in one batch.
    B: images.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas.errors import Interrupted, SpaceError
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.zero_cost.measures import (
    code_matches,
    gradient_gain,
    log_determinant,
    spectrum_entropy,
    trainability,
)
from surrogate_nas.zero_cost.random_supernet import RandomSupernet, scored_places
from surrogate_nas.zero_cost.settings import ZeroCostSettings

SCORES = ("expressivity", "progressivity", "trainability", "complexity", "synflow", "naswot")
_SIDE_BY_SIDE = 64
# Trainability of a layer that changes nothing: it keeps gradients perfectly and cannot be trained. In cells it is below
# every value that occurs: AZ-NAS puts such cells last. In chains it is none: such a layer stands for a missing one.
_NEVER, _LEFT_OUT = -1e3, float("nan")


class _Watched:
    """Runs modules on (A, B, ...) tensors, and collects the inputs of their rectifiers.

    Attributes:
        matches: Sum over rectifiers of ``code_matches``, shape (A, B, B).
    """

    def __init__(self, count: int, images: int) -> None:
        self.matches = torch.zeros(count, images, images)

    def __call__(self, module: nn.Module, x: Tensor, who: Tensor) -> Tensor:
        """Runs (A', B, ...) through a module."""

        def record(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen = inputs[0].detach()
            seen = seen.reshape(len(who), -1, *seen.shape[1:])
            self.matches.index_add_(0, who, code_matches(seen))

        rectifiers = nn.ReLU | nn.ReLU6 | nn.Hardswish
        hooks = [part.register_forward_pre_hook(record) for part in module.modules() if isinstance(part, rectifiers)]
        y: Tensor = module(x.flatten(0, 1))
        for hook in hooks:
            hook.remove()
        return y.reshape(len(who), -1, *y.shape[1:])


def _measured(
    supernet: RandomSupernet, chosen: Tensor, images: Tensor, generator: torch.Generator, unchanged: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Runs a batch of codes once.

    Args:
        supernet: With normalisation.
        chosen: Codes, shape (A, E).
        images: Shape (B, channels, H, W).
        generator: Source of the gradients' signs, the same for all architectures.
        unchanged: Trainability of a layer that passes its input on.

    Returns:
        Entropies by layer, shape (layers, A); trainability by layer behind the stem, shape (layers - 1, A);
        logarithm of naswot's determinant, shape (A,).
    """
    count, last = len(chosen), len(supernet.layers) - 1
    apply = _Watched(count, len(images))
    features = images.expand(count, *images.shape)
    entropies, trainabilities = [], []
    for index in range(last):
        leaf = features.detach().requires_grad_(index > 0)
        features = supernet.run(index, chosen, leaf, apply)
        entropies.append(spectrum_entropy(features.detach()))
        if index:
            signs = torch.randint(0, 2, features.shape[1:], generator=generator) * 2.0 - 1
            (gradient,) = torch.autograd.grad(features, leaf, signs.expand_as(features))
            gains = gradient_gain(signs.expand_as(features), gradient)
            same = (features == leaf).flatten(1).all(dim=1) if features.shape == leaf.shape else torch.zeros_like(gains)
            trainabilities.append(torch.where(same.bool(), unchanged, trainability(gains)))
    with torch.no_grad():
        supernet.run(last, chosen, features.detach(), apply)
    return torch.stack(entropies), torch.stack(trainabilities), log_determinant(apply.matches)


def _synflow(supernet: RandomSupernet, chosen: Tensor, image: Tensor) -> Tensor:
    """Returns log synflow (arXiv 2006.05467), shape (A,): sum over weights of the weight times its gradient.

    The network is linear with positive weights and gets an image of ones; summed over the weights of one convolution
    that product is its output times the output's gradient, which stays apart by architecture where weights are shared.
    Doubles, since flows multiply through dozens of layers.

    Args:
        supernet: Linear.
        chosen: Codes, shape (A, E).
        image: Shape (1, channels, H, W).
    """
    count = len(chosen)
    flows: list[tuple[Tensor, Tensor]] = []

    def apply(module: nn.Module, x: Tensor, who: Tensor) -> Tensor:
        def record(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            flows.append((who, output))

        convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
        hooks = [part.register_forward_hook(record) for part in convolutions]
        y: Tensor = module(x.flatten(0, 1))
        for hook in hooks:
            hook.remove()
        return y.reshape(len(who), -1, *y.shape[1:])

    features = image.expand(count, *image.shape).clone().requires_grad_()
    for index in range(len(supernet.layers)):
        features = supernet.run(index, chosen, features, apply)
    gradients = torch.autograd.grad(features.sum(), [output for _, output in flows], allow_unused=True)
    total = torch.zeros(count, dtype=features.dtype)
    for (who, output), gradient in zip(flows, gradients, strict=True):
        if gradient is not None:  # paths that lead nowhere
            total.index_add_(0, who, (output.detach() * gradient).flatten(1).sum(dim=1))
    # Layers of your own may subtract, so that more flows back than forth.
    return torch.log(total.clamp(min=torch.finfo(total.dtype).tiny))


def scores_kind(space: Space) -> bool:
    """Returns whether spaces of this kind have scores: cells with an operation on each edge, and chains."""
    return bool(scored_places(space))


def zero_cost_scores(
    space: Space,
    codes: Codes,
    settings: ZeroCostSettings,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> NDArray[np.float64]:
    """Returns scores of architectures with a path from input to output, before any training.

    Expressivity, progressivity, trainability and complexity follow AZ-NAS (arXiv 2403.19232), on Gaussian images
    and with weights that the architectures share; synflow (arXiv 2006.05467) and naswot (arXiv 2006.04647) are
    logarithms. Complexity counts multiply-accumulates of the space's own network.

    Args:
        space: Space of cells, or a chain.
        codes: Connected, shape (N, D); isomorphic ones get equal scores if they are canonical.
        settings: Sizes of the random networks.
        on_progress: Called with the number of architectures done and to do.
        should_stop: Called between batches; True ends it.

    Returns:
        Shape (N, 6), in the order of ``SCORES``, larger is better.

    Raises:
        SpaceError: If the space is of another kind, or an architecture has no path.
        Interrupted: If ``should_stop`` returned True.
    """
    if not scored_places(space):
        raise SpaceError(
            f"zero-cost scores exist only for chains and cells with operations on edges (got {type(space).__name__})"
        )
    live = space.effective(codes)
    if not space.is_connected(live).all():
        raise SpaceError("zero-cost scores need architectures with a path from input to output")
    rows = np.zeros((len(live), len(SCORES)))
    total = settings.repeats * len(live)
    for repeat in range(settings.repeats):
        networks = _networks(space, settings, repeat)
        for start in range(0, len(live), _SIDE_BY_SIDE):
            if should_stop is not None and should_stop():
                raise Interrupted("stopped while computing zero-cost scores")
            chosen = torch.from_numpy(live[start : start + _SIDE_BY_SIDE].astype(np.int64))
            rows[start : start + len(chosen)] += _batch(networks, chosen, settings.seed + repeat) / settings.repeats
            if on_progress is not None:
                on_progress(repeat * len(live) + start + len(chosen), total)
    rows[:, SCORES.index("complexity")] = space.flops(live, space.network)
    return rows


@dataclass(frozen=True)
class _Networks:
    """Random weights and images of one repeat: with normalisation, and linear for synflow; identities' score."""

    ordinary: RandomSupernet
    images: Tensor
    linear: RandomSupernet
    ones: Tensor
    unchanged: float


def _networks(space: Space, settings: ZeroCostSettings, repeat: int) -> _Networks:
    own = space.network
    stacked = all(place.stacks for place in scored_places(space))
    network = replace(
        own, channels=settings.channels, cells=settings.cells if stacked else 1, image_size=settings.image_size
    )
    generator = torch.Generator().manual_seed(settings.seed + repeat)
    ordinary = RandomSupernet(space, network, settings.images, generator)
    size = settings.image_size
    images = torch.randn(settings.images, own.input_channels, size, size, generator=generator)
    # One cell per stage gives the information of five: in a linear network more cells only multiply the flow again.
    linear = RandomSupernet(space, replace(network, cells=1), 1, generator, linear=True)
    ones = torch.ones(1, own.input_channels, size, size, dtype=torch.float64)
    return _Networks(ordinary, images, linear, ones, _NEVER if stacked else _LEFT_OUT)


def _batch(networks: _Networks, chosen: Tensor, seed: int) -> NDArray[np.float64]:
    """Returns all scores but complexity of a batch of codes of shape (A, E), shape (A, 6)."""
    signs = torch.Generator().manual_seed(seed)
    entropies, trainabilities, naswot = _measured(networks.ordinary, chosen, networks.images, signs, networks.unchanged)
    mean = trainabilities.nanmean(dim=0)
    columns = {
        "expressivity": entropies.sum(dim=0),
        "progressivity": entropies.diff(dim=0).min(dim=0).values,
        "trainability": torch.where(mean.isnan(), _NEVER, mean),  # nothing but the stem computes
        "complexity": torch.zeros(len(chosen)),
        "synflow": _synflow(networks.linear, chosen, networks.ones),
        "naswot": naswot,
    }
    return torch.stack([columns[name].double() for name in SCORES], dim=1).numpy()
