"""Rules that settings choose by name: the settings that each refuses, and the settings that belong to it alone.

Tables of rules: splits (``splits/table.py``), sharing, samplers, schedules and momenta (at the end of their modules in
``rules/``). No other code compares the name of a rule: it asks the rule's row for what it needs.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Protocol

Inheritance = Literal["nothing", "weights", "state"]


class RuleSettings(Protocol):
    """Settings of a supernet that rules read; the settings know the tables of rules and so are in a layer above."""

    @property
    def split(self) -> str:
        """Name of the rule that splits the space."""

    @property
    def groups(self) -> int:
        """Number of subspaces of a split by counts."""

    @property
    def bands(self) -> tuple[tuple[int, ...], ...] | None:
        """Counts of each subspace, instead of the number of subspaces."""

    @property
    def split_edge(self) -> str | None:
        """The decision whose choices are the subspaces."""

    @property
    def split_rounds(self) -> int:
        """Number of times that every sub-supernet is split in two."""

    @property
    def sharing(self) -> str:
        """Name of the rule by which subspaces share weights."""

    @property
    def parent_share(self) -> float | None:
        """Share of the steps before the last split; ``None`` leaves it to the split."""

    @property
    def share_before_split(self) -> float:
        """Share of the steps before the last split."""

    @property
    def inheritance(self) -> Inheritance:
        """State that sub-supernets take over at the last split."""

    @property
    def thresholds(self) -> tuple[float, ...] | None:
        """Shares of the largest running count after which the next copy is used."""

    @property
    def shared_stages(self) -> int | None:
        """Stages at the start that have one copy only."""

    @property
    def sampler(self) -> str:
        """Name of the rule that draws the subnets of a step."""

    @property
    def nonlinear_power(self) -> float:
        """Power that weights the bands of nonlinear counts; higher prefers subnets with many."""

    @property
    def own_share(self) -> float:
        """Share of a sub-supernet's steps that is drawn from its own subspace."""

    @property
    def parent_keeps(self) -> int:
        """Number of subspaces, the last ones, that stay with the parent's weights."""

    @property
    def scale(self) -> str:
        """Name of the rule that puts labels of sub-supernets on one scale."""

    @property
    def label_both(self) -> bool:
        """True where a label is the mean of the sub-supernet's and its parent's."""

    @property
    def sandwich_random(self) -> int:
        """Subnets of a step besides the largest and the smallest."""

    @property
    def in_band(self) -> float:
        """Share of the subnets that are drawn near the budgets."""

    @property
    def distillation_share(self) -> float:
        """Share of the largest subnet's scores in what the other subnets of a step learn."""

    @property
    def gamma_max(self) -> float:
        """Exponent of the smallest subnet."""

    @property
    def learning_rate(self) -> float:
        """Learning rate at the first step."""

    @property
    def final_learning_rate(self) -> float | None:
        """Learning rate after the last step; None where the other settings decide it."""

    @property
    def last_rate(self) -> float:
        """Learning rate after the last step."""

    @property
    def momentum(self) -> float:
        """Nesterov momentum."""

    @property
    def weight_decay(self) -> float:
        """Weight decay."""

    @property
    def replicas(self) -> int:
        """Number of times that everything is trained."""


class Rule:
    """Row of a table of rules; settings that contradict it are refused before anything is trained.

    Attributes:
        own: Names of the settings that only this rule uses.
    """

    own: ClassVar[frozenset[str]] = frozenset()

    def refusals(self, settings: RuleSettings) -> Iterator[str]:  # noqa: ARG002 - most rules accept everything
        """Yields why the settings, which choose this rule, contradict it."""
        yield from ()


def owned(rules: Mapping[str, Rule]) -> frozenset[str]:
    """Returns the settings that belong to a row of a table."""
    return frozenset().union(*(rule.own for rule in rules.values()))
