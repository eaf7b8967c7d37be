"""The smallest and the largest of a number over a space.

``smallest`` does without a list. Where the number is a sum over decisions, as parameters and multiply-accumulates of a
chain of layers are, the result is exact; elsewhere it is what no architecture that differs in one decision beats.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.definitions.part_names import PartNames
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space

_PASSES = 20
_MOST_LISTED = 100_000
_OUTWEIGHED = 1e12  # more multiply-accumulates than networks have: among equal parameters they decide, and only there

# Codes of shape (N, D) to numbers of shape (N,).
Measure = Callable[[Codes], NDArray[np.float64]]


def smallest(space: Space, measure: Measure, start: Codes) -> Codes:
    """Returns an architecture with the smallest measure, shape (D,), by going from one decision to the next.

    Args:
        space: The space.
        measure: What is made small; infinite for architectures that are not wanted.
        start: Codes to begin with, shape (N, D), at least one.
    """
    code: Codes = start[np.argmin(measure(start))].copy()
    for _ in range(_PASSES):
        before = code.copy()
        for column, decision in enumerate(space.decisions):
            options = np.repeat(code[None], len(decision.choices), axis=0)
            options[:, column] = np.arange(len(decision.choices))
            values = measure(options)
            best = int(np.argmin(values))
            if values[best] < values[code[column]]:
                code = options[best]
        if np.array_equal(code, before):
            break
    return code


def ends(
    space: Space, network: NetworkSpec, start: Codes, inside: Callable[[Codes], NDArray[np.bool_]]
) -> tuple[Codes, Codes]:
    """Returns the smallest and the largest connected architecture of a subspace, each of shape (D,).

    Size is the number of parameters without dead operations, then of multiply-accumulates. In spaces that are too large
    to go through an end is what no other one beats that differs in one decision, or in the exchange of two choices.

    Args:
        space: The space.
        network: Sizes of the network.
        start: Codes of the subspace, connected, shape (N, D), at least one.
        inside: Whether codes, shape (N, D), belong to the subspace, shape (N,).
    """
    found = []
    for sign in (1.0, -1.0):

        def measure(codes: Codes, sign: float = sign) -> NDArray[np.float64]:
            belongs = inside(codes) & space.is_connected(codes)
            return np.where(belongs, sign * sizes(space, network, codes), np.inf)

        if space.size <= _MOST_LISTED:
            codes = space.all_codes()
            found.append(codes[np.argmin(measure(codes))])
        else:
            found.append(_exchanged(measure, smallest(space, measure, start), space))
    return found[0], found[1]


def sizes(space: Space, network: NetworkSpec, codes: Codes) -> NDArray[np.float64]:
    """Returns numbers that order architectures, shape (N, D), by parameters and then by multiply-accumulates, (N,)."""
    live = space.effective(codes)
    return space.parameters(live, network) + space.flops(live, network) / _OUTWEIGHED


def _exchanged(measure: Measure, code: Codes, space: Space) -> Codes:
    """Returns what exchanges of two decisions' choices, and then changes of one, make of an architecture."""
    choices = np.array([len(decision.choices) for decision in space.decisions])
    for _ in range(_PASSES):
        first, second = np.triu_indices(len(code), k=1)
        possible = (code[first] < choices[second]) & (code[second] < choices[first]) & (code[first] != code[second])
        first, second = first[possible], second[possible]
        options = np.repeat(code[None], len(first) + 1, axis=0)
        rows = np.arange(len(first))
        options[rows, first], options[rows, second] = code[second], code[first]
        best = int(np.argmin(measure(options)[::-1]))  # the last one is the code itself, first among equals
        if not best:
            break
        code = smallest(space, measure, options[len(first) - best][None])
    return code


@runtime_checkable
class HasLargest(Protocol):
    """A space with an architecture of which all others can be parts.

    Attributes:
        part_names: Names of its parts in each kind of files that the space knows; none where it is no known network.
    """

    @property
    def part_names(self) -> tuple[PartNames, ...]:
        """Names of the largest architecture's parts, for each kind of files."""
        ...

    def largest(self) -> Codes:
        """Returns the largest architecture, shape (D,)."""
        ...


@runtime_checkable
class RangedSpace(Protocol):
    """A space that knows the range of its sizes without a list."""

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """Returns the fewest and the most parameters of connected architectures, dead operations left out."""


def parameter_range(space: Space, network: NetworkSpec) -> tuple[int, int]:
    """Returns the fewest and the most parameters of connected architectures, dead operations left out.

    Raises:
        SpaceError: If only an enumeration could decide it, and the space is too large for one.
    """
    if isinstance(space, RangedSpace):
        return space.parameter_range(network)
    codes = space.all_codes()
    sizes = space.parameters(space.effective(codes[space.is_connected(codes)]), network)
    return int(sizes.min()), int(sizes.max())


def largest_count(space: Space, network: NetworkSpec) -> int:
    """Returns the most nonlinear functions that the searched layers of a network have together."""
    most = space.counts.draw(max(space.counts.populations()), 1, np.random.default_rng(0))[0]
    return sum(space.layer_counts(most, [layer for layer in space.layout(network) if not layer.is_fixed]))
