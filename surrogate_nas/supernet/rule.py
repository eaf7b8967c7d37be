"""Rules that settings choose by name: what they refuse, and what of the settings is theirs alone.

Tables of rules: splits (``splits/table.py``), sharing, samplers, schedules and momenta (at the end of their modules in
``rules/``). Nothing else compares the name of a rule: whoever needs to know something of a rule asks its row.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Protocol

Inheritance = Literal["nothing", "weights", "state"]


class RuleSettings(Protocol):
    """What rules read of the settings of a supernet, which know the tables of rules and so stand above them."""

    @property
    def split(self) -> str:
        """How the space is split."""

    @property
    def groups(self) -> int:
        """Number of subspaces by count."""

    @property
    def bands(self) -> tuple[tuple[int, ...], ...] | None:
        """Counts of each subspace, instead of their number."""

    @property
    def split_edge(self) -> str | None:
        """The decision whose choices are the subspaces."""

    @property
    def split_rounds(self) -> int:
        """How often every sub-supernet is split in two."""

    @property
    def sharing(self) -> str:
        """How subspaces share weights."""

    @property
    def parent_share(self) -> float | None:
        """Share of the steps before the last split, where it is given."""

    @property
    def share_before_split(self) -> float:
        """Share of the steps before the last split."""

    @property
    def inheritance(self) -> Inheritance:
        """What sub-supernets take over at the last split."""

    @property
    def thresholds(self) -> tuple[float, ...] | None:
        """Shares of the largest running count after which the next copy is used."""

    @property
    def shared_stages(self) -> int | None:
        """Stages at the start that have one copy only."""

    @property
    def sampler(self) -> str:
        """Which subnets a step trains."""

    @property
    def nonlinear_power(self) -> float:
        """How much subnets with many nonlinear functions are preferred."""

    @property
    def gamma_max(self) -> float:
        """Exponent of the smallest subnet."""

    @property
    def learning_rate(self) -> float:
        """Learning rate at the first step."""

    @property
    def final_learning_rate(self) -> float:
        """Learning rate after the last step."""

    @property
    def momentum(self) -> float:
        """Nesterov momentum."""

    @property
    def weight_decay(self) -> float:
        """Weight decay."""

    @property
    def replicas(self) -> int:
        """How many times everything is trained."""


class Rule:
    """A row of a table of rules; settings that contradict it are refused before anything is trained.

    Attributes:
        own: Names of the settings that this rule alone makes use of.
    """

    own: ClassVar[frozenset[str]] = frozenset()

    def refusals(self, settings: RuleSettings) -> Iterator[str]:  # noqa: ARG002 - most rules go with everything
        """Yields what in the settings contradicts the rule, which they choose."""
        yield from ()

    def claims(self, settings: RuleSettings) -> Iterator[str]:  # noqa: ARG002 - most rules have no settings of their own
        """Yields what in the settings belongs to the rule, although they choose another."""
        yield from ()


def owned(rules: Mapping[str, Rule]) -> frozenset[str]:
    """Returns the settings that belong to a row of a table."""
    return frozenset().union(*(rule.own for rule in rules.values()))


def contradictions(rules: Mapping[str, Rule], chosen: str, settings: RuleSettings) -> Iterator[str]:
    """Yields what in the settings does not go with the chosen row of a table."""
    for name, rule in rules.items():
        yield from rule.refusals(settings) if name == chosen else rule.claims(settings)
