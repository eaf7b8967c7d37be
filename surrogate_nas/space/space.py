"""Search spaces as every other stage sees them: codes, their text, and everything that is counted on them.

A set of architectures is an integer array ``codes`` of shape (N, D): one row per architecture, one column per decision,
each entry the index of the choice taken. It is the one currency between stages.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import DIGITS, Decision, read_digits, texts_of
from surrogate_nas.space.counting import Counts, ListedCounts
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.graphs import Graphs, GraphTypes
from surrogate_nas.space.network import Layer, NetworkSpec
from surrogate_nas.space.operations.spec import CountName

Codes = NDArray[np.int8]

LISTING_LIMIT = 2_000_000
# Architectures whose keys are made side by side; what is in memory does not grow with their number.
_KEYS_AT_ONCE = 8192


class Codebook:
    """The codes that a list of decisions has, which follow from the numbers of choices alone.

    Attributes:
        name: Name of the space.
        decisions: The D decisions, in the order of a code's columns.
    """

    def __init__(self, name: str, decisions: tuple[Decision, ...]) -> None:
        self.name = name
        self.decisions = decisions
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
        """True if the whole space fits in memory as an array of codes."""
        return self.size <= LISTING_LIMIT

    def check(self, codes: ArrayLike) -> Codes:
        """Returns codes as a well-formed array of their own.

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
        """Returns uniform draws, shape (count, D): of effective codes or, where none may be drawn twice, of all codes.

        Args:
            count: Number of draws.
            rng: Source of randomness.
            replace: Whether a code may be drawn twice; distinct draws need a space small enough to enumerate.

        Raises:
            SpaceError: If the count is negative, or more distinct codes are requested than there are.
        """
        if count < 0:
            raise SpaceError(f"the number of architectures to draw must be at least 0 (got {count})")
        if replace:
            return self._draw(count, rng)
        if count > self.size:
            raise SpaceError(f"the space {self.name} has {self.size} architectures (requested: {count} distinct ones)")
        return self.codes_at(rng.permutation(self._listed_size())[:count])

    def _draw(self, count: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws with replacement."""
        return rng.integers(0, self._choices, size=(count, self.num_decisions)).astype(np.int8)

    def all_codes(self) -> Codes:
        """Returns every code in lexicographic order, shape (size, D).

        Raises:
            SpaceError: If the space is too large to list.
        """
        return self.codes_at(np.arange(self._listed_size()))

    def index(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the position of each code in ``all_codes``, shape (N,)."""
        return self.check(codes).astype(np.int64) @ self._place_values

    def codes_at(self, positions: NDArray[np.integer]) -> Codes:
        """Returns the codes at positions of ``all_codes``, shape (N, D).

        Raises:
            SpaceError: If a position is not one of the space, or the space is too large to list.
        """
        places = np.asarray(positions, np.int64)
        wrong = (places < 0) | (places >= self._listed_size())
        if wrong.any():
            raise SpaceError(f"positions in {self.name} are 0 to {self.size - 1} (got {places[wrong][0]})")
        return np.asarray(places[:, None] // self._place_values % self._choices, dtype=np.int8)

    def _listed_size(self) -> int:
        if not self.listable:
            raise SpaceError(
                f"the space {self.name} is too large to enumerate ({self.size} > {LISTING_LIMIT} architectures)"
            )
        return self.size

    @cached_property
    def _place_values(self) -> NDArray[np.int64]:
        self._listed_size()
        return np.array([prod(self._choices[column + 1 :].tolist()) for column in range(self.num_decisions)], np.int64)

    def digits(self, codes: ArrayLike) -> list[str]:
        """Returns each code as a string with one character per decision."""
        letters = np.array(list(DIGITS))[self.check(codes)]
        # Characters that lie side by side are one string to numpy: a hundredth of the time of joining them.
        return [str(text) for text in letters.view(f"<U{self.num_decisions}").ravel().tolist()]


class Space(Codebook, ABC):
    """A finite list of decisions and the network that they configure.

    A kind of space defines the abstract members. Of the others it may know better whether codes are connected, their
    ``counts`` without a list, the ``canonical`` code, how to ``_draw`` effective codes and counts that differ by layer.

    Attributes:
        fingerprint, program: Of its ``Identity``.
        network: The network that is deployed unless a study sets another.
        image_step: A number of which sides of images must be a multiple.
        known: Architectures that people know by name, shape (D,) each.

    Example:
        >>> from surrogate_nas import load_space
        >>> space = load_space("nasbench201")
        >>> code = space.parse("303101")
        >>> space.format(code)
        '|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|'
        >>> int(space.nonlinear_count(code[None])[0])
        2
    """

    always_connected: ClassVar[bool] = True
    """Whether every code leads from input to output."""

    def __init__(self, identity: Identity, decisions: tuple[Decision, ...], network: NetworkSpec) -> None:
        super().__init__(identity.name, decisions)
        self.fingerprint, self.program = identity.fingerprint, identity.program
        self.network = network
        self.image_step = 1
        self.known: Mapping[str, Codes] = {}

    # Text

    @abstractmethod
    def format(self, code: ArrayLike) -> str:
        """Returns the architecture of one code, shape (D,), as text with operation names."""

    def texts(self, codes: ArrayLike) -> list[str]:
        """Returns ``format`` of each code, shape (N, D)."""
        return texts_of(self.check(codes), self.decisions, self.format)

    def parse(self, text: str) -> Codes:
        """Returns the code, shape (D,), of an architecture written as digits or as ``format`` writes it.

        Raises:
            SpaceError: If the text is neither.
        """
        # Python's users write 1102 where '1102' is meant, which may have lost leading zeros.
        if not isinstance(text, str):
            raise SpaceError(f"an architecture of {self.name} is a text, in quotes (got {text!r:.40})")
        text = text.strip()
        if len(text) == self.num_decisions and all(character in DIGITS for character in text):
            return np.array(read_digits(text, self.name, self.decisions), dtype=np.int8)
        return self._parse_long(text)

    @abstractmethod
    def _parse_long(self, text: str) -> Codes:
        """Returns the code, shape (D,), of a text that is not a row of digits; refuses all but ``format``'s texts."""

    # Equal architectures

    @abstractmethod
    def effective(self, codes: ArrayLike) -> Codes:
        """Returns codes, shape (N, D), whose decisions without an effect are set to one and the same choice.

        Codes with one effective code are the same computation on the same shared weights.
        """

    @property
    def elastic_runs(self) -> tuple[tuple[int, ...], ...]:
        """Runs of decisions, the last ones of which may be left out together: stages of elastic depth.

        The last choice of each of these decisions leaves its layer out. How many do so counts, and not which: of the
        codes of one network, the effective one leaves out the last layers.
        """
        return ()

    def is_drawn(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """Returns whether ``sample`` may draw each code, shape (N,): in stages of elastic depth, effective codes."""
        checked = self.check(codes)
        if not self.elastic_runs:
            return np.ones(len(checked), dtype=bool)
        return np.asarray((self.effective(checked) == checked).all(axis=1))

    def canonical(self, codes: ArrayLike) -> Codes:
        """Returns the first code in listing order of each architecture's isomorphism class, shape (N, D).

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

    def canonical_keys(self, codes: ArrayLike) -> NDArray[np.uint64]:
        """Returns a 64-bit key per architecture, shape (N,): equal for isomorphic ones, made to differ for others."""
        checked = self.check(codes)
        parts = np.array_split(checked, max(1, len(checked) // _KEYS_AT_ONCE))
        return np.concatenate([self._keys(part) for part in parts])

    @abstractmethod
    def _keys(self, codes: Codes) -> NDArray[np.uint64]:
        """Returns the keys of few codes, which are checked."""

    # Paths

    def is_connected(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """Returns whether any path leads from input to output, shape (N,)."""
        return np.ones(len(self.check(codes)), dtype=bool)

    @abstractmethod
    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the nonlinear functions as EFS-NAS counts them (arXiv 2412.14678), shape (N,)."""

    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        """Returns the nonlinear functions that each searched layer of a network adds under one code, shape (D,)."""
        return (int(self.nonlinear_count([np.asarray(code)])[0]),) * len(layers)

    @cached_property
    def counts(self) -> Counts:
        """Nonlinear counts of the connected architectures among those that ``sample`` draws; by a list, by default."""
        codes = self.all_codes()
        connected = codes[self.is_connected(codes)]
        return ListedCounts(self.name, connected, self.nonlinear_count(connected))

    # Graphs

    @abstractmethod
    def graphs(self, codes: ArrayLike) -> Graphs:
        """Returns the graphs of codes as given, without dead operations; see ``canonical`` for one per class."""

    @property
    @abstractmethod
    def graph_types(self) -> GraphTypes:
        """The operation that each node type of the graphs stands for."""

    # Networks

    @abstractmethod
    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """Returns the sequence of layers of a network of this space.

        Raises:
            SpaceError: If the sizes do not suit the space.
        """

    @abstractmethod
    def total(self, codes: ArrayLike, network: NetworkSpec, count: CountName) -> NDArray[np.int64]:
        """Returns a count summed over all layers of each network, shape (N,); see ``parameters`` and ``flops``."""

    def parameters(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Returns the weights of each network, affine batch-norm included, shape (N,).

        Dead operations are counted as they are written: pass ``effective(codes)`` for what is deployed.
        """
        return self.total(codes, network, "parameters")

    def flops(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Returns the multiply-accumulates of convolutions and linear layers for one image, shape (N,).

        They are half of what torch counts, and dead operations are counted too: pass ``effective(codes)`` without them.
        """
        return self.total(codes, network, "flops")
