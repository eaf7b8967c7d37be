"""The problem that a study solves: what is asked, of which architectures, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget, within
from surrogate_nas.data.images import DataSplits
from surrogate_nas.hardware.conditions import conditions
from surrogate_nas.hardware.confidence import cautious
from surrogate_nas.hardware.cost_models import CompositeCosts
from surrogate_nas.hardware.planned.device_memory import NAMES
from surrogate_nas.hardware.tables.stored import StoredCosts
from surrogate_nas.labels.records import LABELS_VERSION, LabelIdentity
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.report.truth.truth import Truth
from surrogate_nas.runs.run_folder import digest
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.problem.initial_pool import typical_rows
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.training import training_identity


@dataclass(frozen=True)
class CautiousCosts:
    """Upper bounds of costs: exact and measured ones as they are, predicted ones with what confidence adds.

    Attributes:
        table: The costs.
        confidence: Share of architectures that keep the bound.
    """

    table: StoredCosts
    confidence: float

    @property
    def names(self) -> tuple[str, ...]:
        """The costs."""
        return self.table.names

    def evaluate(self, codes: Codes) -> dict[str, NDArray[np.float64]]:
        """Returns upper bounds of codes (N, D), shape (N,) each."""
        values = self.table.evaluate(codes)
        bounds = {
            cost: cautious(values[cost], self.table.held_out_errors(cost), self.confidence) for cost in self.names
        }
        return self.table.with_exact(codes, bounds)


@dataclass(frozen=True)
class HopefulCosts:
    """Costs that an architecture may turn out to have: predictions where a measurement decides later, else bounds.

    Attributes:
        cautious: The bounds, with the costs.
        checkable: Costs that a measurement or a planner gives for certain.
    """

    cautious: CautiousCosts
    checkable: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        """The costs."""
        return self.cautious.names

    def evaluate(self, codes: Codes) -> dict[str, NDArray[np.float64]]:
        """Returns costs of codes (N, D), shape (N,) each."""
        bounds = self.cautious.evaluate(codes)
        if not self.checkable:
            return bounds
        values = self.cautious.table.evaluate(codes)
        return {cost: values[cost] if cost in self.checkable else bounds[cost] for cost in bounds}


@dataclass(frozen=True)
class Problem:
    """The question that a study answers; stages add the subspaces that training decides, and architectures.

    Attributes:
        settings: Resolved settings.
        space: The search space.
        splits: The images.
        deployed: The network whose costs count.
        plan: Of the supernets; ``plan.network`` is theirs.
        pool: The N architectures that the study works on: the whole space if it is small enough.
        drawn: The architectures to label, shape (M, D).
        cost_model: Makes the costs, and measures finalists.
        table: The costs of every architecture of the pool, and of others on demand.
        budgets: The bounds.
        also: Other sets of bounds to answer.
        truth: Ground truth for the report, where there is any.
        first_weights: Pretrained weights that supernets begin with, where they do.
    """

    settings: StudySettings
    space: Space
    splits: DataSplits
    deployed: NetworkSpec
    plan: SupernetPlan
    pool: Pool
    drawn: Codes
    cost_model: CompositeCosts
    table: StoredCosts
    budgets: tuple[Budget, ...]
    also: tuple[tuple[Budget, ...], ...] = ()
    truth: Truth | None = None
    first_weights: FirstWeights | None = None

    def listing(self, codes: Codes) -> "Problem":
        """Returns the same problem with more architectures in its pool, shape (M, D)."""
        pool = self.pool.extended(codes)
        return self if pool is self.pool else replace(self, pool=pool, table=self.table.over(pool))

    # The architectures of the pool

    @property
    def codes(self) -> Codes:
        """The architectures of the pool, shape (N, D)."""
        return self.pool.codes

    @cached_property
    def connected(self) -> NDArray[np.bool_]:
        """True for codes that lead from input to output, shape (N,)."""
        return self.space.is_connected(self.codes)

    @cached_property
    def typical(self) -> NDArray[np.bool_]:
        """True for connected codes that stand for the whole space, shape (N,): shares and medians are of these."""
        return typical_rows(self.pool)

    @cached_property
    def feasible(self) -> NDArray[np.bool_]:
        """True for connected codes that are predicted to meet every budget, shape (N,)."""
        return self.feasible_under(self.budgets)

    def keeps(self, codes: Codes) -> NDArray[np.bool_]:
        """Returns true for codes, of the pool or not, that are predicted to meet every budget, shape (N,)."""
        return within(self.budgets, self.cautious_costs.evaluate(codes))

    def feasible_under(self, budgets: Sequence[Budget]) -> NDArray[np.bool_]:
        """Returns true for connected codes that are predicted to meet a set of budgets, shape (N,)."""
        return within(budgets, self.bounds) & self.connected

    # What architectures cost

    @cached_property
    def costs(self) -> dict[str, NDArray[np.float64]]:
        """The costs of every architecture of the pool by name, shape (N,) each."""
        return self.table.evaluate(self.codes)

    @cached_property
    def bounds(self) -> dict[str, NDArray[np.float64]]:
        """The costs that budgets are held against, shape (N,) each: predicted ones with what confidence adds."""
        return self.cautious_costs.evaluate(self.codes)

    @cached_property
    def hopes(self) -> dict[str, NDArray[np.float64]]:
        """The costs that every architecture of the pool may turn out to have, shape (N,) each."""
        return self.hopeful_costs.evaluate(self.codes)

    @property
    def cautious_costs(self) -> CautiousCosts:
        """The bounds of any architecture; to a search a chance constraint is a bound like any other."""
        return CautiousCosts(self.table, self.settings.hardware.confidence)

    @property
    def hopeful_costs(self) -> HopefulCosts:
        """The costs that any architecture may turn out to have."""
        return HopefulCosts(self.cautious_costs, self.checkable)

    @property
    def checkable(self) -> frozenset[str]:
        """Costs with a budget that a measurement or a planner gives for certain."""
        limited = {budget.cost for budgets in (self.budgets, *self.also) for budget in budgets}
        measured = {"latency_ms"} if self.cost_model.can_measure else set[str]()
        described = self.table.describe() if self.cost_model.can_plan else {}
        planned = {cost for cost in NAMES if described.get(cost, {}).get("kind") == "planned"}
        return frozenset(limited & (measured | planned))

    @property
    def measures_candidates(self) -> bool:
        """True if candidates are measured or planned, so that predictions decide which of them are considered."""
        return bool(self.checkable) and bool(self.settings.loop.trainings or self.settings.search.measured)

    @property
    def knows_latency(self) -> bool:
        """True if the latency of every architecture is known; finalists alone are measured elsewhere."""
        return "latency_ms" in self.table.names

    @property
    def latency_device(self) -> str:
        """The device whose latencies the costs are."""
        return str(self.table.describe()["latency_ms"]["device"])

    @property
    def latency_conditions(self) -> str:
        """The conditions of the latencies in words: runtime, machine, threads and batch, or the table."""
        return conditions(self.table.describe()["latency_ms"])

    def counts(self, codes: Codes) -> dict[str, NDArray[np.float64]]:
        """Returns plain counts of the deployed network that a predictor has to beat, (N,) each, larger is better."""
        space, network = self.space, self.deployed
        return {
            "parameters": space.parameters(codes, network).astype(np.float64),
            "effective parameters": space.parameters(space.effective(codes), network).astype(np.float64),
            "nonlinear functions": space.nonlinear_count(codes).astype(np.float64),
        }

    # What stored results must belong to

    @cached_property
    def label_identity(self) -> LabelIdentity:
        """The space, images and code that labels and trainings belong to."""
        return LabelIdentity.of_space(self.space, data_fingerprint=self.splits.fingerprint, code_version=LABELS_VERSION)

    @cached_property
    def supernet_identity(self) -> dict[str, str]:
        """The space, images and settings that all checkpoints of supernets belong to."""
        settings, sharing = self.settings, self.settings.compute.processes_per_supernet
        return {
            "space": self.space.fingerprint,
            "data": self.splits.fingerprint,
            "supernet": digest(settings.supernet.identity()),
            "augmentation": digest(settings.data.model_dump(include={"flip", "shift"})),
            "seed": str(settings.seed),
            **({"pretrained": self.first_weights.digest} if self.first_weights is not None else {}),
            **({"near_budgets": digest({"codes": self.plan.near})} if self.plan.near else {}),
            # Each process normalises its own part of a batch, so weights depend on their number.
            **({"processes": str(sharing)} if sharing > 1 else {}),
        }

    def member_identity(self, member: int) -> dict[str, str]:
        """Returns the identity of the checkpoint of one member of the supernets."""
        return training_identity(self.plan, self.plan.training(member), self.supernet_identity)
