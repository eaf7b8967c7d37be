"""Everything before training: space, images, networks, costs, budgets, and whether any architecture can meet them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.budgets import COSTS, Budget, BudgetRequest, format_cost
from surrogate_nas.data.images import DataSplits
from surrogate_nas.definitions import find_definition
from surrogate_nas.errors import BudgetError, RunFolderError, SettingsError
from surrogate_nas.files import write_text
from surrogate_nas.hardware.caution import cautious
from surrogate_nas.hardware.costs import CompositeCosts
from surrogate_nas.hardware.machine import resolve_device
from surrogate_nas.hardware.stored import StoredCosts, write_costs
from surrogate_nas.hardware.tables import TableLatency
from surrogate_nas.predictor.targets import MINIMUM_CLASSES
from surrogate_nas.report.truth import Truth, read_truth
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.costs import deployed_costs
from surrogate_nas.study.devices import also_requests, on_own_device, with_devices
from surrogate_nas.study.images import keep_images, read_images
from surrogate_nas.study.run_folder import RunFolder
from surrogate_nas.study.settings import StudySettings
from surrogate_nas.supernet.plan import SupernetPlan, make_plan

_LABEL_STREAM = 1  # of the random draws of a study's seed


@dataclass(frozen=True)
class Prepared:
    """What the stages share.

    Attributes:
        settings: Resolved settings.
        space: The search space.
        splits: The images.
        deployed: The network whose costs count.
        plan: Of the supernets; ``plan.network`` is theirs.
        codes: Every architecture, shape (N, D).
        connected: Which of them lead from input to output, shape (N,).
        drawn: The architectures to label, shape (M, D).
        cost_model: Made the costs, and measures winners.
        table: The costs of every architecture.
        budgets: The bounds.
        truth: Ground truth for the report, where there is any.
        also: Other sets of bounds to answer.
    """

    settings: StudySettings
    space: Space
    splits: DataSplits
    deployed: NetworkSpec
    plan: SupernetPlan
    codes: Codes
    connected: NDArray[np.bool_]
    drawn: Codes
    cost_model: CompositeCosts
    table: StoredCosts
    budgets: tuple[Budget, ...]
    truth: Truth | None
    also: tuple[tuple[Budget, ...], ...] = ()

    @cached_property
    def costs(self) -> dict[str, NDArray[np.float64]]:
        """Name to the cost of every architecture, shape (N,) each."""
        return self.table.evaluate(self.codes)

    @cached_property
    def bounds(self) -> dict[str, NDArray[np.float64]]:
        """The costs that budgets are held against, shape (N,) each: predicted ones with what confidence adds."""
        return bounds_of(self.table, self.codes, self.settings.hardware.confidence)

    @property
    def latency_device(self) -> str:
        """Whose latencies the costs are."""
        return str(self.table.describe()["latency_ms"]["device"])

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Which architectures are connected and predicted to meet every budget, shape (N,)."""
        within = np.stack([budget.violation(self.bounds[budget.cost]) <= 0 for budget in self.budgets])
        return np.asarray(within.all(axis=0) & self.connected)


def prepare(
    settings: StudySettings, folder: RunFolder, console: StudyConsole, should_stop: Callable[[], bool]
) -> Prepared:
    """Reads and checks everything, what is quickly checked first, without changing the run folder.

    Raises:
        SurrogateNasError: If anything is wrong with settings, images, tables or ground truth.
        RunFolderError: If the folder was begun with other images, another space or another device.
        Interrupted: If a stop was asked for.
    """
    requests = [on_own_device(request, settings.hardware) for request in settings.budget.requests()]
    space = load_space(settings.space)
    _require_same_space(space, settings, folder)
    codes = space.all_codes()
    connected = space.is_connected(codes)
    drawn = draw_architectures(space, codes[connected], settings)
    truth = read_truth(Path(settings.truth.file), space, settings.truth.column) if settings.truth.file else None
    # What is wrong with a device or a table is said before images are read.
    if settings.hardware.latency_table is None:
        resolve_device(settings.hardware.device)
    else:
        TableLatency(
            space, Path(settings.hardware.latency_table), settings.hardware.device, settings.hardware.latency_unit
        )
    splits = read_images(settings, folder, console, should_stop)
    deployed, small = _networks(settings, space, splits)
    plan = make_plan(space, small, settings.supernet, settings.seed)
    if settings.supernet.batch_size > len(splits.train):
        raise SettingsError(
            f"supernet.batch_size must be at most the number of training images, {len(splits.train)}"
            f" (got {settings.supernet.batch_size})"
        )
    model, table = deployed_costs(space, deployed, settings, folder, console, should_stop)
    others = also_requests(settings)
    table = with_devices(space, table, [*requests, *chain.from_iterable(others)], settings.hardware)
    bounds = bounds_of(table, codes, settings.hardware.confidence)
    budgets = tuple(_resolved(request, bounds, connected) for request in requests)
    also = tuple(tuple(_resolved(request, bounds, connected) for request in one) for one in others)
    return Prepared(
        settings, space, splits, deployed, plan, codes, connected, drawn, model, table, budgets, truth, also
    )


def _require_same_space(space: Space, settings: StudySettings, folder: RunFolder) -> None:
    if not folder.space.exists():
        return
    try:
        before = load_space(str(folder.space))
    except SettingsError as error:
        raise SettingsError(f"{error}; restore the file, or begin anew by --overwrite") from None
    if before.fingerprint != space.fingerprint:
        raise RunFolderError(
            f"{folder.path} was begun with another space than {settings.space}; use another --output-dir, or"
            " --overwrite to begin anew"
        )


def draw_architectures(space: Space, connected: Codes, settings: StudySettings) -> Codes:
    """The architectures to label, drawn uniformly without repeats, shape (M, D).

    Args:
        space: The search space.
        connected: The architectures that compute something, shape (N, D).
        settings: Number and seed; with one seed, fewer architectures are the first of more.

    Raises:
        SettingsError: If the predictor could not learn from them, which would show after the training only.
    """
    rng = np.random.default_rng([settings.seed, _LABEL_STREAM])
    drawn: Codes = connected[rng.permutation(len(connected))[: settings.labels.count]]
    classes = len(np.unique(space.canonical_keys(drawn)))
    if classes < MINIMUM_CLASSES:
        raise SettingsError(
            f"labels.count must give at least {MINIMUM_CLASSES} architectures that differ, for the predictor to learn"
            f" from (got {settings.labels.count} with {classes}); set a larger one"
        )
    return drawn


def _networks(settings: StudySettings, space: Space, splits: DataSplits) -> tuple[NetworkSpec, NetworkSpec]:
    """The network that is deployed, and that of the supernet."""
    classes, channels, stages = len(splits.class_names), splits.channels, space.network.stages
    sizes, small = settings.network, settings.supernet
    deployed_size = sizes.image_size or splits.native_image_size
    step = space.image_step
    for setting, size in (("network.image_size", deployed_size), ("data.image_size", splits.image_size)):
        if size % step:
            larger = size + -size % step
            raise SettingsError(
                f"{setting} must be a multiple of {step}, since {stages} stages halve it {stages - 1} times (got"
                f" {size}); set network.image_size and data.image_size, such as {larger}"
            )
    return (
        NetworkSpec(
            sizes.channels or space.network.channels,
            sizes.cells or space.network.cells,
            deployed_size,
            channels,
            classes,
            stages,
        ),
        NetworkSpec(small.channels, small.cells, splits.image_size, channels, classes, stages),
    )


def bounds_of(table: StoredCosts, codes: Codes, confidence: float) -> dict[str, NDArray[np.float64]]:
    """Upper bounds of the costs of codes (N, D), shape (N,) each: those that are exact or measured as they are."""
    values = table.evaluate(codes)
    return {cost: cautious(values[cost], table.held_out_errors(cost), confidence) for cost in table.names}


def _resolved(request: BudgetRequest, costs: dict[str, NDArray[np.float64]], connected: NDArray[np.bool_]) -> Budget:
    if request.cost not in costs:
        kind = COSTS[request.cost]
        raise BudgetError(
            f"{kind.option} needs costs of {kind.title}, which are not known here (there are {', '.join(costs)});"
            " give a latency table that has them, or begin a new run"
        )
    # Percentiles are of networks that compute something; a cut network would be a bargain that nobody wants.
    return request.resolve(costs[request.cost][connected])


def store(prepared: Prepared, folder: RunFolder) -> None:
    """Writes what was prepared into the run folder."""
    text = find_definition("spaces", prepared.settings.space).read_text(encoding="utf-8-sig")
    write_text(folder.space, text)
    keep_images(prepared.settings, prepared.splits, folder)
    if prepared.settings.hardware.remeasure or not folder.costs.exists():
        write_costs(folder.costs, prepared.space, prepared.deployed, prepared.table)


def _members(plan: SupernetPlan) -> str:
    """How many sets of weights there are, and what for."""
    names, replicas = ", ".join(plan.names), plan.settings.replicas
    times = f", {replicas} times over" if replicas > 1 else ""
    if plan.members_per_replica > 1:
        return f"{plan.members_per_replica} trained apart ({names}){times}"
    one = "one for all architectures" if len(plan.names) == 1 else f"one for all architectures, drawn by {names}"
    return one + times


def show_feasibility(prepared: Prepared, console: StudyConsole) -> None:
    """Prints the space's cost range beside the budgets, and the sizes of the two networks."""
    deployed, small = prepared.deployed, prepared.plan.network
    console.note(
        f"deployed network: {deployed.channels} channels, {deployed.cells} cells a stage, images"
        f" {deployed.image_size}x{deployed.image_size}; costs are of this one"
    )
    console.note(
        f"supernet: {small.channels} channels, {small.cells} cells a stage, images"
        f" {small.image_size}x{small.image_size}; {_members(prepared.plan)}"
    )
    limits = {budget.cost: budget for budget in prepared.budgets}
    rows = []
    for cost, everywhere in prepared.costs.items():
        values = everywhere[prepared.connected]
        budget = limits.get(cost)
        meets = f"{np.mean(budget.violation(prepared.bounds[cost][prepared.connected]) <= 0):.1%}" if budget else "-"
        limit = format_cost(cost, budget.limit) if budget else "-"
        range_ = [format_cost(cost, float(value)) for value in (values.min(), np.median(values), values.max())]
        rows.append([cost, *range_, limit, meets])
    title = f"Costs over the {prepared.connected.sum():,} connected architectures of {prepared.space.name}"
    console.table(title, ["cost", "smallest", "median", "largest", "budget", "meet it"], rows)
    confidence = prepared.settings.hardware.confidence
    for cost, errors in ((cost, prepared.table.held_out_errors(cost)) for cost in prepared.costs):
        if len(errors):
            share = cautious(np.ones(1), errors, confidence)[0] - 1
            console.note(
                f"{COSTS[cost].title} is predicted; budgets are held against {share:.1%} more, which"
                f" {confidence:.0%} of architectures keep (errors of {len(errors)} networks left out of the fit)"
            )
    if len(prepared.budgets) > 1:
        console.note(f"all budgets together: {prepared.feasible.sum() / prepared.connected.sum():.1%} meet them")
    for text in prepared.splits.notes:
        console.note(f"images: {text}")
