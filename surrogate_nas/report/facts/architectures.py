"""Facts of architectures, of their costs and of the one that a study proposes."""

from dataclasses import dataclass
from typing import Literal

from surrogate_nas._support.words import SHARED_WEIGHTS

Outcome = Literal["met", "predicted to meet, measured over", "infeasible"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CostFacts:
    """One cost of one architecture, with its budget.

    Attributes:
        cost: Key of ``COSTS``.
        predicted: What the search believed.
        budget: The bound, if this cost has one.
        measured: Median over the whole network's measurements.
        measured_iqr: Interquartile range of those measurements.
        repeats: Number of measurements.
        noisy: Whether the machine was too busy for the measurement to be trusted.
        upper: What the cost keeps with ``confidence``, where it was predicted; the budget is held against it.
        confidence: In [0.5, 1).
        conditions: What a latency is of: runtime, machine, threads and batch, or the table that it comes from.
    """

    cost: str
    predicted: float | None
    budget: float | None = None
    measured: float | None = None
    measured_iqr: float | None = None
    repeats: int | None = None
    noisy: bool = False
    upper: float | None = None
    confidence: float | None = None
    conditions: str = ""


@dataclass(frozen=True)
class ArchitectureFacts:
    """One architecture and what is known of it.

    Attributes:
        digits: The code, one character per decision.
        architecture: The same with operation names.
        accuracy_percent: Predicted accuracy, with the interval.
        accuracy_std: Spread of the prediction, in percentage points.
        costs: The budgeted costs first.
        truth_percent: Ground truth, where there is any.
    """

    digits: str
    architecture: str
    accuracy_percent: Estimate
    accuracy_std: float | None
    costs: tuple[CostFacts, ...]
    truth_percent: float | None = None


@dataclass(frozen=True)
class CellFacts:
    """A cell to draw: a small directed graph with an operation on every edge.

    Attributes:
        edges: Start and end node of each edge; node 0 is the input, the largest node the output.
        operations: Name of the operation on each edge.
        live: Whether each edge lies on a path from input to output that no operation cuts.
    """

    edges: tuple[tuple[int, int], ...]
    operations: tuple[str, ...]
    live: tuple[bool, ...]


@dataclass(frozen=True)
class BlockFacts:
    """One decision of an architecture that is not a cell: a block of a chain, or another choice.

    Attributes:
        name: What is decided, such as ``"2.1"``: the first block of the second stage.
        choice: What was chosen.
        live: Whether it computes anything.
    """

    name: str
    choice: str
    live: bool


@dataclass(frozen=True)
class GraphFacts:
    """An architecture of node choices to draw.

    Attributes:
        boxes: What is computed, in the order of data.
        flows: Positions of the two boxes of every flow of data.
    """

    boxes: tuple[str, ...]
    flows: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SmallestCost:
    """The cheapest architecture of the space by one budgeted cost.

    Attributes:
        cost: Key of ``COSTS``.
        budget: The bound.
        smallest: What budgets are held against: a predicted cost with what confidence adds to it.
        digits: The code.
        architecture: The same with operation names.
        predicted: A predicted cost by itself; ``None`` where the cost is known exactly.
    """

    cost: str
    budget: float
    smallest: float
    digits: str
    architecture: str
    predicted: float | None = None


@dataclass(frozen=True)
class AnswerFacts:
    """The answer of the study.

    Attributes:
        outcome: Whether the budget is met.
        chosen: The architecture proposed; ``None`` if nothing can meet the budget.
        cell: The chosen architecture's cell, in spaces of one cell whose edges have operations.
        blocks: The chosen architecture's decisions, in other spaces.
        chained: Whether data flow through the blocks in their order.
        graph: The chosen architecture as a graph, in spaces of cells whose nodes choose their inputs.
        finalists: Best feasible architectures, best first, the chosen one among them.
        smallest: If infeasible: the smallest reachable cost per budget.
        nearest_misses: If infeasible: architectures that exceed the budgets least, nearest first.
        predicted_to_meet: If infeasible: whether one architecture is predicted to meet all budgets together.
        trained_networks: Finalists that were trained for a while.
        best_trained_percent: The best validation accuracy of these; None where there are none.
        accuracy_basis: What predicted accuracies are of, such as ``"after 3 epochs of training"``.
        measured_here: Whether this machine measures latencies; a table's come from elsewhere.
    """

    outcome: Outcome
    chosen: ArchitectureFacts | None = None
    cell: CellFacts | None = None
    finalists: tuple[ArchitectureFacts, ...] = ()
    smallest: tuple[SmallestCost, ...] = ()
    nearest_misses: tuple[ArchitectureFacts, ...] = ()
    blocks: tuple[BlockFacts, ...] = ()
    chained: bool = False
    graph: GraphFacts | None = None
    trained_networks: int = 0
    best_trained_percent: float | None = None
    accuracy_basis: str = SHARED_WEIGHTS
    measured_here: bool = True
    predicted_to_meet: bool = True
