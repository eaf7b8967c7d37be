"""Everything a report says, as plain numbers, strings and tuples: what the study fills in and ``report.json`` holds.

Conventions: accuracies are in percent; a latency in milliseconds, FLOPs as multiply-accumulates and parameters as plain
counts (the stored units of ``COSTS``); ``None`` stands for a figure that is unknown or undefined.
Longer than other modules because it is one schema, read as a whole, with no logic in it.
"""

from dataclasses import dataclass
from typing import Literal

from surrogate_nas._support.words import SHARED_WEIGHTS

SCHEMA_VERSION = 1

Outcome = Literal["met", "predicted to meet, measured over", "infeasible"]
Pairs = tuple[tuple[str, str], ...]


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
        trained_networks: Finalists that were trained for a while.
        accuracy_basis: What predicted accuracies are of, such as ``"after 3 epochs of training"``.
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
    accuracy_basis: str = SHARED_WEIGHTS


@dataclass(frozen=True)
class BaselineFacts:
    """Rank agreement of a plain count, or of the predictor where it is a sub-supernet's, with labels.

    Attributes:
        name: ``"parameters"``, ``"effective parameters"`` or ``"nonlinear functions"``; or the sub-supernet's name.
        tau: Kendall's tau with the labels; a count's over the same architectures as the predictor's.
        top10_tau: The same inside the best 10% by label.
    """

    name: str
    tau: float | None
    top10_tau: float | None = None


@dataclass(frozen=True)
class PredictorFacts:
    """The quality of the predictor's order of architectures that it has not seen, against their labels.

    Attributes:
        name: What kind it is.
        tau: Cross-validated Kendall tau with its interval.
        top10_tau: The same inside the best 10% by label.
        regret_percent: Expected regret: best label minus the label of the pick, in percentage points.
        folds: Folds of the cross-validation.
        coverage: Share of out-of-fold labels inside their 80% interval of ranks, 0 to 1.
        baselines: Plain counts to beat.
        top10_low: Lower end of the 95% interval of ``top10_tau``.
        top10_high: Upper end.
        regret_low: Lower end of the 95% interval of ``regret_percent``.
        regret_high: Upper end.
        supernets: Tau of the predictor's scores with the labels of each sub-supernet, where there are several.
    """

    name: str
    tau: Estimate
    top10_tau: float | None
    regret_percent: float | None
    folds: int
    coverage: float | None = None
    baselines: tuple[BaselineFacts, ...] = ()
    top10_low: float | None = None
    top10_high: float | None = None
    regret_low: float | None = None
    regret_high: float | None = None
    supernets: tuple[BaselineFacts, ...] = ()


@dataclass(frozen=True)
class LabelFacts:
    """The labels that the predictor learned from.

    Attributes:
        architectures: Number of labelled codes.
        distinct_cells: Number of different computations among them.
        images: Held-out images behind each label.
        lowest_percent: Lowest labelled accuracy.
        median_percent: Median labelled accuracy.
        highest_percent: Highest labelled accuracy.
        error_percent: What chance alone may do to a label of median accuracy, as the images are a sample: half its 95%
            interval, percentage points.
        behind: Number of images that a label rests on: fewer than ``images`` where it is a balanced accuracy of classes
            of unequal size.
        folds: Number of folds of the images that labels are averaged over; 1 where they are not cross-validated.
    """

    architectures: int
    distinct_cells: int
    images: int
    lowest_percent: float | None = None
    median_percent: float | None = None
    highest_percent: float | None = None
    error_percent: float | None = None
    behind: int | None = None
    folds: int = 1


@dataclass(frozen=True)
class LatencyFacts:
    """The source of latencies, and the distance between predicted and measured ones.

    Attributes:
        source: Such as ``"profile of every operation on this machine"`` or a table's file name.
        device: What it was measured on.
        measured_here: Whether winners were measured whole on the device of the budget.
        networks: Number of networks measured whole.
        median_error_percent: Median of ``|predicted / measured - 1|`` over them.
        largest_error_percent: Largest of the same.
        noisy_networks: How many of those measurements were noisy.
    """

    source: str
    device: str
    measured_here: bool
    networks: int = 0
    median_error_percent: float | None = None
    largest_error_percent: float | None = None
    noisy_networks: int = 0


@dataclass(frozen=True)
class TrustFacts:
    """Facts on how far the answer can be trusted."""

    labels: LabelFacts
    predictor: PredictorFacts
    latency: LatencyFacts | None = None


@dataclass(frozen=True)
class RankFacts:
    """The quality of a score's order of a set of architectures, by ground truth.

    Attributes:
        score: ``"labels"``, ``"predictor"`` or a baseline's name.
        over: ``"labelled"``, ``"not labelled"`` or ``"whole space"``.
        count: Architectures of that set with a known truth.
        tau: Kendall's tau, with a bootstrap interval for labels and predictor.
        top10_tau: The same inside the true best 10% of the set.
        regret_top1: True accuracy of the set's best minus the top-scored one's, percentage points.
        regret_top10: The same for the best of the ten top-scored.
    """

    score: str
    over: str
    count: int
    tau: Estimate
    top10_tau: Estimate
    regret_top1: float | None
    regret_top10: float | None


@dataclass(frozen=True)
class TruthFacts:
    """Labels, predictor and answer against ground truth, which nothing but the report has seen.

    Attributes:
        file: Name of the file.
        column: Column used.
        known: Number of architectures with a truth.
        ranks: One row per score and set.
        chosen_percent: Truth of the chosen architecture.
        best_percent: Best truth in the space.
        best_digits: Its code.
        feasible_percent: Best truth among architectures predicted to meet every budget.
        feasible_digits: Its code.
        regret_percent: ``feasible_percent - chosen_percent``, percentage points.
    """

    file: str
    column: str
    known: int
    ranks: tuple[RankFacts, ...]
    chosen_percent: float | None = None
    best_percent: float | None = None
    best_digits: str | None = None
    feasible_percent: float | None = None
    feasible_digits: str | None = None
    regret_percent: float | None = None


@dataclass(frozen=True)
class RivalFacts:
    """One off-the-shelf network at its largest width within the budgets.

    Attributes:
        name: With its width, such as ``"ResNet-20 at width 0.75"``.
        family: Networks of one family are variants of one idea.
        costs: Parameters, FLOPs, and the other costs that have a budget or were measured; the same for all rivals. A
            counted cost stands in ``predicted``, a latency in ``measured``.
        accuracy_percent: Accuracy on validation images after a training; unknown where it was not trained.
        reason: Why it does not fit, or why its training failed.
        fits: Whether it keeps every budget that could be held against it.
    """

    name: str
    family: str
    costs: tuple[CostFacts, ...]
    accuracy_percent: Estimate
    reason: str = ""
    fits: bool = True


@dataclass(frozen=True)
class RivalsFacts:
    """Off-the-shelf networks at the study's budgets.

    Attributes:
        rivals: The ones that fit first.
        found: Accuracy of the chosen architecture after the same training; unknown where no rival was trained.
        epochs: Length of these trainings; ``None`` where no rival was trained.
        images: Validation images behind each accuracy.
        unknown: Budgeted costs that cannot be known of a rival.
        beside_ms: Latency of the chosen architecture, measured in turns with the rivals.
        conditions: What latencies are of: runtime, machine, threads and batch.
    """

    rivals: tuple[RivalFacts, ...]
    found: Estimate
    epochs: int | None = None
    images: int | None = None
    unknown: tuple[str, ...] = ()
    beside_ms: float | None = None
    conditions: str = ""


@dataclass(frozen=True)
class NetworkFacts:
    """Sizes of a network."""

    channels: int
    cells: int
    stages: int
    image_size: int
    input_channels: int
    classes: int


@dataclass(frozen=True)
class SupernetFacts:
    """The training of the supernet.

    Attributes:
        split: Rule that groups the architectures.
        groups: Number of groups (sub-supernets).
        sharing: Such as ``"depth-wise"`` or ``"whole subnet"``.
        sampling: Rule that draws the subnet of each step.
        steps: Optimizer steps that each set of weights was trained for.
        batch_size: Images per step.
        pretrained: Whether it began with the weights of a known network, so that few steps are enough.
    """

    split: str
    groups: int
    sharing: str
    sampling: str
    steps: int
    batch_size: int
    pretrained: bool = False


@dataclass(frozen=True)
class CostRange:
    """One cost over the whole space, deployed network; ``feasible`` architectures meet the budget, out of ``of``."""

    cost: str
    smallest: float
    median: float
    largest: float
    budget: float | None = None
    feasible: int | None = None
    of: int | None = None


@dataclass(frozen=True)
class SpaceFacts:
    """The search space; ``distinct`` counts what differs, ``drawn`` the draws from a space too large to enumerate."""

    name: str
    fingerprint: str
    size: int
    distinct: int | None = None
    drawn: int | None = None


@dataclass(frozen=True)
class DataFacts:
    """The images."""

    name: str
    train_images: int
    held_out_images: int
    classes: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class SearchFacts:
    """The search over the predictor; ``settings`` are name and value."""

    sampler: str
    trials: int
    feasible_trials: int
    settings: Pairs = ()


@dataclass(frozen=True)
class StageFacts:
    """Time that one stage took, all runs together, and the processors' energy in that time where it is known."""

    name: str
    seconds: float
    joules: float | None = None


@dataclass(frozen=True)
class MadeFacts:
    """The way the study was made; ``predictor``, ``seeds``, ``versions`` and ``hardware`` are pairs of name and value.

    ``search`` and ``stages`` are empty where the study ended before them.
    """

    space: SpaceFacts
    deployed: NetworkFacts
    supernet_network: NetworkFacts
    data: DataFacts
    supernet: SupernetFacts
    cost_ranges: tuple[CostRange, ...]
    command: str
    search: SearchFacts | None = None
    stages: tuple[StageFacts, ...] = ()
    predictor: Pairs = ()
    seeds: Pairs = ()
    versions: Pairs = ()
    hardware: Pairs = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyFacts:
    """One whole report.

    Attributes:
        study: Name of the study.
        created: Date and time, ISO 8601.
        primary_cost: Key of ``COSTS``: the cost on the plot's axis.
        trust: ``None`` if the study ended before any training, because nothing can meet the budget.
        truth: ``None`` without ground truth.
        rivals: ``None`` if the study compared with no off-the-shelf networks.
    """

    study: str
    created: str
    primary_cost: str
    answer: AnswerFacts
    made: MadeFacts
    trust: TrustFacts | None = None
    truth: TruthFacts | None = None
    rivals: RivalsFacts | None = None
    schema_version: int = SCHEMA_VERSION
