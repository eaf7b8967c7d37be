"""What a search space offers to every other stage: codes, their text, and what can be counted on them.

A set of architectures is an integer array ``codes`` of shape (N, D): one row per architecture, one column per decision,
each entry the index of the choice taken. It is the one currency between stages.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import DIGITS, read_digits
from surrogate_nas.space.codes import Decision as Decision
from surrogate_nas.space.graphs import Graphs as Graphs
from surrogate_nas.space.network import Layer, NetworkSpec
from surrogate_nas.space.operations.program import Program
from surrogate_nas.space.operations.shapes import BlockSpec
from surrogate_nas.space.operations.table import OperationSpec, operation_names

Codes = NDArray[np.int8]

LISTING_LIMIT = 2_000_000


class Space(ABC):
    """A finite list of decisions and the network that they configure.

    Attributes:
        name: Name of the space.
        fingerprint: 16 hexadecimal digits that change with anything that changes the meaning of a code.
        decisions: The D decisions, in the order of a code's columns.
        network: The network that is deployed unless a study sets another.
        program: Where its operations are a user's own.
    """

    def __init__(self, name: str, fingerprint: str, decisions: tuple[Decision, ...], network: NetworkSpec) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.decisions, self.network = decisions, network
        self.program: Program | None = None
        self._choices = np.array([len(decision.choices) for decision in decisions], dtype=np.int64)

    @property
    def num_decisions(self) -> int:
        """Number of columns D of a code."""
        return len(self.decisions)

    @property
    def size(self) -> int:
        """Number of codes."""
        return prod(len(decision.choices) for decision in self.decisions)

    @property
    def listable(self) -> bool:
        """Whether the whole space fits in memory as an array of codes."""
        return self.size <= LISTING_LIMIT

    # Codes

    def check(self, codes: ArrayLike) -> Codes:
        """Codes as a well-formed array.

        Args:
            codes: Shape (N, D), integers.

        Raises:
            SpaceError: If the shape or an entry is out of range; the first wrong entry is named.
        """
        try:
            array = np.asarray(codes)
        except ValueError:  # rows of several lengths
            raise SpaceError(f"codes of the space {self.name} need {self.num_decisions} entries in every row") from None
        if array.ndim != 2 or array.shape[1] != self.num_decisions:
            raise SpaceError(
                f"codes of the space {self.name} need shape (N, {self.num_decisions}) (got shape {array.shape})"
            )
        if not np.issubdtype(array.dtype, np.integer):
            raise SpaceError(f"codes must be integers (got {array.dtype})")
        wrong = (array < 0) | (array >= self._choices)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise SpaceError(
                f"decision {self.decisions[column].name} of {self.name} has choices 0 to {self._choices[column] - 1}"
                f" (got {array[row, column]} in row {row})"
            )
        return array.astype(np.int8)

    def sample(self, count: int, rng: np.random.Generator, *, replace: bool = True) -> Codes:
        """Uniform draws, shape (count, D).

        Args:
            count: Number of draws.
            rng: Source of randomness.
            replace: Whether a code may be drawn twice; distinct draws need a space that can be listed.

        Raises:
            SpaceError: If the count is negative, or more distinct codes are asked for than there are.
        """
        if count < 0:
            raise SpaceError(f"the number of architectures to draw must be at least 0 (got {count})")
        if replace:
            return rng.integers(0, self._choices, size=(count, self.num_decisions)).astype(np.int8)
        if count > self.size:
            raise SpaceError(f"the space {self.name} has {self.size} architectures (asked for {count} distinct ones)")
        return self.codes_at(rng.permutation(self._listed_size())[:count])

    def all_codes(self) -> Codes:
        """Every code in lexicographic order, shape (size, D).

        Raises:
            SpaceError: If the space is too large to list.
        """
        return self.codes_at(np.arange(self._listed_size()))

    def _listed_size(self) -> int:
        if not self.listable:
            raise SpaceError(
                f"the space {self.name} is too large to list ({self.size} > {LISTING_LIMIT} architectures)"
            )
        return self.size

    @cached_property
    def _place_values(self) -> NDArray[np.int64]:
        self._listed_size()
        return np.array([prod(self._choices[column + 1 :].tolist()) for column in range(self.num_decisions)], np.int64)

    def index(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Position of each code in ``all_codes``, shape (N,)."""
        return self.check(codes).astype(np.int64) @ self._place_values

    def codes_at(self, positions: NDArray[np.integer]) -> Codes:
        """Codes at positions of ``all_codes``, shape (N, D).

        Raises:
            SpaceError: If a position is not one of the space, or the space is too large to list.
        """
        places = np.asarray(positions, np.int64)
        wrong = (places < 0) | (places >= self._listed_size())
        if wrong.any():
            raise SpaceError(f"positions in {self.name} are 0 to {self.size - 1} (got {places[wrong][0]})")
        return np.asarray(places[:, None] // self._place_values % self._choices, dtype=np.int8)

    def digits(self, codes: ArrayLike) -> list[str]:
        """Each code as a string with one character per decision."""
        letters = np.array(list(DIGITS))[self.check(codes)]
        # Characters that lie side by side are one string to numpy: a hundredth of the time of joining them.
        return [str(text) for text in letters.view(f"<U{self.num_decisions}").ravel().tolist()]

    def parse(self, text: str) -> Codes:
        """The code, shape (D,), of an architecture written as digits or as ``format`` writes it.

        Raises:
            SpaceError: If the text is neither.
        """
        text = text.strip()
        if len(text) == self.num_decisions and all(character in DIGITS for character in text):
            return np.array(read_digits(text, self.name, self.decisions), dtype=np.int8)
        return self._parse_long(text)

    # Nonlinear counts and sizes: by a list, with a SpaceError where it is too long, unless a kind knows them without

    @property
    def always_connected(self) -> bool:
        """Whether every code leads from input to output."""
        return False

    def nonlinear_populations(self) -> dict[int, int]:
        """Number of connected architectures for each count of nonlinear functions, exact, by rising count."""
        counts, ways = np.unique(self.nonlinear_count(self._connected_codes), return_counts=True)
        return dict(zip(counts.tolist(), ways.tolist(), strict=True))

    def sample_nonlinear(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        """Uniform draws among the connected architectures of one count of nonlinear functions, shape (size, D).

        Raises:
            SpaceError: If no architecture has this count.
        """
        members = np.flatnonzero(self.nonlinear_count(self._connected_codes) == count)
        if not len(members):
            raise SpaceError(f"no architecture of {self.name} has {count} nonlinear functions")
        return np.asarray(self._connected_codes[members[rng.integers(len(members), size=size)]])

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """Fewest and most parameters of connected architectures, dead operations left out."""
        sizes = self.parameters(self.effective(self._connected_codes), network)
        return int(sizes.min()), int(sizes.max())

    @cached_property
    def _connected_codes(self) -> Codes:
        codes = self.all_codes()
        return np.asarray(codes[self.is_connected(codes)])

    # What a kind of space defines

    @abstractmethod
    def _parse_long(self, text: str) -> Codes: ...

    @abstractmethod
    def format(self, code: ArrayLike) -> str:
        """The architecture of one code, shape (D,), as text with operation names."""

    @abstractmethod
    def effective(self, codes: ArrayLike) -> Codes:
        """Codes, shape (N, D), with every decision that cannot reach the output set to one and the same choice.

        Two codes with one effective code are the same computation on the same shared weights.
        """

    @abstractmethod
    def canonical_keys(self, codes: ArrayLike) -> NDArray[np.uint64]:
        """A 64-bit key per architecture, shape (N,), equal for isomorphic ones and made to differ for others."""

    @abstractmethod
    def is_connected(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """Whether any path leads from input to output, shape (N,)."""

    @abstractmethod
    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Nonlinear functions as EFS-NAS counts them (arXiv 2412.14678), shape (N,)."""

    @abstractmethod
    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        """Nonlinear functions that each searched layer of a network adds under one code, shape (D,)."""

    @abstractmethod
    def largest_count(self, network: NetworkSpec) -> int:
        """Most nonlinear functions that the searched layers of a network have together: the sum of ``layer_counts``."""

    @abstractmethod
    def live_operations(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Operations on a path from input to output, shape (N,)."""

    @abstractmethod
    def graphs(self, codes: ArrayLike) -> Graphs:
        """Operation graphs of the codes as given, without dead operations; see ``canonical`` for one per class."""

    @property
    @abstractmethod
    def graph_operations(self) -> tuple[OperationSpec | BlockSpec, ...]:
        """What each node type of the graphs is, from type 3 on; marks compute nothing, as identities do."""

    @property
    def image_step(self) -> int:
        """Sides of images must be a multiple of this."""
        return 1

    @property
    def graph_names(self) -> tuple[str, ...]:
        """A name for each node type of the graphs, from type 3 on."""
        names = operation_names()
        return tuple(names.get(id(spec), "join") for spec in self.graph_operations)

    def coarse_types(self) -> NDArray[np.int64]:
        """A number for each node type, equal where types need not be told apart in pairs, shape (T,); below T."""
        return np.arange(3 + len(self.graph_operations))

    @abstractmethod
    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """The sequence of layers of a network of this space.

        Raises:
            SpaceError: If the sizes do not suit the space.
        """

    @abstractmethod
    def parameters(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Weights of each network as written, dead operations included, shape (N,)."""

    @abstractmethod
    def flops(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Multiply-accumulates per image of each network as written, dead operations included, shape (N,)."""

    # Isomorphic architectures

    def canonical(self, codes: ArrayLike) -> Codes:
        """The first code in listing order of each architecture's isomorphism class, shape (N, D).

        In a space too large to list it is the effective code, which leaves some isomorphic architectures apart.
        """
        if not self.listable:
            return self.effective(codes)
        return self.codes_at(self._representatives[self.index(codes)])

    @cached_property
    def _representatives(self) -> NDArray[np.int64]:
        """Position of the representative of every code of the space, shape (size,)."""
        _, first, inverse = np.unique(self.canonical_keys(self.all_codes()), return_index=True, return_inverse=True)
        return first[inverse]
