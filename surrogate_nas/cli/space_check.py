"""Checks a space before a study is started in it: size, counts, costs, and whether its networks run."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.extremes import Measure, parameter_range, smallest
from surrogate_nas.space.space import Codes, Space

_DRAWN = 2000
_RUN = 3


@dataclass(frozen=True)
class SpaceCheck:
    """The findings of a check.

    Attributes:
        size: Number of codes.
        populations: Connected architectures for each count of nonlinear functions.
        parameters: Fewest and most of connected architectures, exact.
        flops: Fewest and most: of all architectures of a space small enough to enumerate, else sought from those that
            were looked at, which for chains finds the ends.
        exact: Whether all were looked at.
        ran: Digits of the architectures whose networks ran: smallest, largest, others until every operation ran, and
            some at random.
        drawn: One of these at random, shape (D,).
    """

    size: int
    populations: dict[int, int]
    parameters: tuple[int, int]
    flops: tuple[int, int]
    exact: bool
    ran: tuple[str, ...]
    drawn: Codes


def check_space(space: Space, seed: int = 0) -> SpaceCheck:
    """Counts a space, and runs networks of those looked at: the smallest, the largest, some at random, and others.

    Every operation is in one of them, since an error of one operation is rarely in a random network.

    Args:
        space: The space.
        seed: Of the random architectures.

    Raises:
        SpaceError: If no architecture is connected, or a network does not run.
    """
    rng = np.random.default_rng(seed)
    codes = space.all_codes() if space.listable else space.sample(_DRAWN, rng)
    codes = space.effective(codes[space.is_connected(codes)])
    if not len(codes):
        raise SpaceError(f"no architecture of {space.name} leads from input to output")
    if not space.listable:
        codes = np.concatenate([codes, _ends(space, codes)])
    sizes = space.parameters(codes, space.network)
    ends, drawn = [int(sizes.argmin()), int(sizes.argmax())], rng.integers(len(codes), size=_RUN).tolist()
    rows = [*ends, *_with_the_rest(space, codes, [*ends, *drawn]), *drawn]
    for row in rows:
        _run(space, codes[row])
    flops = space.flops(codes, space.network)
    return SpaceCheck(
        space.size,
        space.counts.populations(),
        parameter_range(space, space.network),
        (int(flops.min()), int(flops.max())),
        space.listable,
        tuple(space.digits(codes[rows])),
        codes[rows[-1]],
    )


def _with_the_rest(space: Space, codes: Codes, rows: list[int]) -> list[int]:
    """Returns rows of codes, few of them, that have every operation which none of the given rows has."""
    names = sorted({name for decision in space.decisions for name in decision.choices})
    has = np.zeros((len(codes), len(names)), dtype=bool)
    for column, decision in enumerate(space.decisions):
        places = np.array([names.index(name) for name in decision.choices])
        has[np.arange(len(codes)), places[codes[:, column]]] = True
    missing = has.any(axis=0) & ~has[rows].any(axis=0)
    found: list[int] = []
    while missing.any():
        found.append(int((has & missing).sum(axis=1).argmax()))
        missing &= ~has[found[-1]]
    return found


def _ends(space: Space, codes: Codes) -> Codes:
    """Returns architectures with fewest and most multiply-accumulates, sought from given ones, shape (2, D)."""

    def ordered(sign: int) -> Measure:
        def measure(codes: Codes) -> NDArray[np.float64]:
            flops = sign * space.flops(space.effective(codes), space.network).astype(np.float64)
            return np.where(space.is_connected(codes), flops, np.inf)

        return measure

    return space.effective([smallest(space, ordered(sign), codes) for sign in (1, -1)])


def _run(space: Space, code: NDArray[np.int8]) -> None:
    """Runs one network as it is trained and as it is deployed, and compares it with what is counted."""
    sizes = space.network
    digits = space.digits([code])[0]
    with torch.no_grad(), FlopCounterMode(display=False) as flops:
        network = build_network(space, code, sizes).eval()
        shape = (1, sizes.input_channels, sizes.image_size, sizes.image_size)
        image = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        try:
            scores = network(image)
        except RuntimeError as error:
            raise SpaceError(f"the network of {digits} of {space.name} does not run: {error}") from None
    if scores.shape != (1, sizes.classes):
        raise SpaceError(
            f"the network of {digits} of {space.name} gives scores of shape {tuple(scores.shape)}, not"
            f" {(1, sizes.classes)}"
        )
    with torch.no_grad():
        trained = network.train()(torch.cat([image, -image]))
    for one, when in ((scores, ""), (trained, " in training mode")):
        if not one.isfinite().all():
            raise SpaceError(
                f"the network of {digits} of {space.name} gives scores that are NaN or infinite{when}; correct the"
                " operation that makes them"
            )
    for what, counted, built in (
        ("parameters", space.parameters([code], sizes), sum(weight.numel() for weight in network.parameters())),
        ("multiply-accumulates", space.flops([code], sizes), flops.get_total_flops() // 2),
    ):
        if counted[0] != built:
            raise SpaceError(
                f"the network of {digits} of {space.name} has {built:,} {what}, {built - counted[0]:+,} against the"
                " counted number; please report this space"
            )
