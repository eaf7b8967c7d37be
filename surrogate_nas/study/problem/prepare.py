"""Everything before training: space, images, networks, costs, budgets, and whether any architecture can meet them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.definitions import find_definition
from surrogate_nas._support.files import write_text
from surrogate_nas.costs.budgets import COSTS, Budget, BudgetRequest
from surrogate_nas.data.images import DataSplits
from surrogate_nas.errors import BudgetError, RunFolderError, SettingsError, SpaceError
from surrogate_nas.hardware.confidence import cautious
from surrogate_nas.hardware.cost_models import CompositeCosts
from surrogate_nas.hardware.measure.machine import resolve_device
from surrogate_nas.hardware.tables.partial import read_latencies
from surrogate_nas.hardware.tables.stored import StoredCosts, write_costs
from surrogate_nas.predictor.training_set import MINIMUM_CLASSES
from surrogate_nas.report.truth.truth import Truth, read_truth
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.space.load import load_space, load_stored_space, program_of
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.ask.budget_requests import also_requests, on_own_device, with_devices
from surrogate_nas.study.stages.deployed_costs import deployed_costs
from surrogate_nas.study.stages.initial_pool import ends_of, first_pool
from surrogate_nas.study.stages.read_images import keep_images, read_images
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
        pool: The N architectures that are listed: all of a space that can be.
        drawn: The architectures to label, shape (M, D).
        cost_model: Made the costs, and measures winners.
        table: The costs of every listed architecture, and of others on demand.
        budgets: The bounds.
        truth: Ground truth for the report, where there is any.
        also: Other sets of bounds to answer.
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
    truth: Truth | None
    also: tuple[tuple[Budget, ...], ...] = ()

    @property
    def codes(self) -> Codes:
        """The listed architectures, shape (N, D)."""
        return self.pool.codes

    @cached_property
    def connected(self) -> NDArray[np.bool_]:
        """Which of them lead from input to output, shape (N,)."""
        return self.space.is_connected(self.codes)

    @cached_property
    def typical(self) -> NDArray[np.bool_]:
        """Which of them are connected and stand for the whole space, shape (N,): shares and medians are of these."""
        return np.asarray(self.connected & (np.arange(len(self.pool)) < self.pool.uniform))

    def listing(self, codes: Codes) -> "Prepared":
        """The same with more architectures listed, shape (M, D)."""
        pool = self.pool.extended(codes)
        return self if pool is self.pool else replace(self, pool=pool, table=self.table.over(pool))

    @cached_property
    def costs(self) -> dict[str, NDArray[np.float64]]:
        """Name to the cost of every listed architecture, shape (N,) each."""
        return self.table.evaluate(self.codes)

    @cached_property
    def bounds(self) -> dict[str, NDArray[np.float64]]:
        """The costs that budgets are held against, shape (N,) each: predicted ones with what confidence adds."""
        return self.cautious_costs.evaluate(self.codes)

    @property
    def cautious_costs(self) -> "CautiousCosts":
        """The same of any architecture; to a search a chance constraint is a bound like any other."""
        return CautiousCosts(self.table, self.settings.hardware.confidence)

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
    settings: StudySettings,
    folder: RunFolder,
    console: StudyConsole,
    should_stop: Callable[[], bool],
    *,
    names_space: bool = True,
) -> Prepared:
    """Reads and checks everything, what is quickly checked first, without changing the run folder.

    Args:
        settings: Of the study.
        folder: Where it is run.
        console: Is told of progress.
        should_stop: Asked now and then.
        names_space: Whether the user named the space, whose program may then be run.

    Raises:
        SurrogateNasError: If anything is wrong with settings, images, tables or ground truth.
        RunFolderError: If the folder was begun with other images, another space or another device.
        Interrupted: If a stop was asked for.
    """
    requests = [on_own_device(request, settings.hardware) for request in settings.budget.requests()]
    _require_same_program(settings, folder)
    space = load_space(settings.space, named_by_user=names_space)
    _require_same_space(space, settings, folder)
    _require_fitting_cells(space, settings)
    pool = first_pool(space, settings.pool, settings.seed)
    drawn = draw_architectures(space, pool.codes[space.is_connected(pool.codes)], settings)
    truth = read_truth(Path(settings.truth.file), space, settings.truth.column) if settings.truth.file else None
    # What is wrong with a device or a table is said before images are read.
    if settings.hardware.latency_table is None:
        resolve_device(settings.hardware.device)
    else:
        read_latencies(
            space, Path(settings.hardware.latency_table), settings.hardware.device, settings.hardware.latency_unit
        )
    splits = read_images(settings, folder, console, should_stop)
    deployed, small = _networks(settings, space, splits)
    if space.program is not None:
        space.parameters(drawn[:1], small)  # where an operation does not fit the supernet is said now
    plan = make_plan(space, small, settings.supernet, settings.seed)
    if settings.supernet.batch_size > len(splits.train):
        raise SettingsError(
            f"supernet.batch_size must be at most the number of training images, {len(splits.train)}"
            f" (got {settings.supernet.batch_size})"
        )
    model, table = deployed_costs(pool, deployed, settings, folder, console, should_stop)
    others = also_requests(settings)
    table = with_devices(table, [*requests, *chain.from_iterable(others)], settings.hardware)
    prepared = Prepared(settings, space, splits, deployed, plan, pool, drawn, model, table, (), truth)
    budgets = tuple(_resolved(request, prepared) for request in requests)
    also = tuple(tuple(_resolved(request, prepared) for request in one) for one in others)
    prepared = replace(prepared, budgets=budgets, also=also)
    return prepared if pool.complete else prepared.listing(ends_of(pool, prepared.cautious_costs, [budgets, *also]))


def _require_same_program(settings: StudySettings, folder: RunFolder) -> None:
    """Comes before anything is run: a program that was changed is not the one that was trusted."""
    program = program_of(settings.space)
    if program is None or not folder.program.exists():
        return
    if folder.program.read_text(encoding="utf-8", errors="replace") != program.source:
        raise RunFolderError(
            f"{program.path} has changed since {folder.path} was begun, which keeps it as {folder.program.name};"
            " restore it, use another --output-dir, or --overwrite to begin anew"
        )


def _require_same_space(space: Space, settings: StudySettings, folder: RunFolder) -> None:
    if not folder.space.exists():
        return
    try:
        before = load_stored_space(folder.path, "name the space that the run was begun with, by --set space=FILE")
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


def _require_fitting_cells(space: Space, settings: StudySettings) -> None:
    """A study file may be of another kind of space than the one that was chosen."""
    for setting, cells in (("network.cells", settings.network.cells), ("supernet.cells", settings.supernet.cells)):
        try:
            space.layout(replace(space.network, cells=cells or space.network.cells))
        except SpaceError as error:
            raise SettingsError(f"{setting} does not fit {space.name}: {error}") from None


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


@dataclass(frozen=True)
class CautiousCosts:
    """Upper bounds of costs: those that are exact or measured as they are, predicted ones with what confidence adds.

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
        """Upper bounds of codes (N, D), shape (N,) each."""
        values = self.table.evaluate(codes)
        return {cost: cautious(values[cost], self.table.held_out_errors(cost), self.confidence) for cost in self.names}


def _resolved(request: BudgetRequest, prepared: Prepared) -> Budget:
    costs = prepared.bounds
    if request.cost not in costs:
        kind = COSTS[request.cost]
        raise BudgetError(
            f"{kind.option} needs costs of {kind.title}, which are not known here (there are {', '.join(costs)});"
            " give a latency table that has them, or begin a new run"
        )
    # Percentiles are of networks that compute something; a cut network would be a bargain that nobody wants.
    return request.resolve(costs[request.cost][prepared.typical])


def store(prepared: Prepared, folder: RunFolder) -> None:
    """Writes what was prepared into the run folder."""
    text = find_definition("spaces", prepared.settings.space).read_text(encoding="utf-8-sig")
    write_text(folder.space, text)
    if prepared.space.program is not None:
        write_text(folder.program, prepared.space.program.source)
    keep_images(prepared.settings, prepared.splits, folder)
    if prepared.settings.hardware.remeasure or not folder.costs.exists():
        write_costs(folder.costs, prepared.deployed, prepared.table)
