"""Everything before training: space, images, networks, costs, budgets, and whether any architecture can meet them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.budgets import Budget, BudgetRequest, format_cost
from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.data.images import DataSplits
from surrogate_nas.data.load import load_images
from surrogate_nas.definitions import find_definition
from surrogate_nas.errors import RunFolderError, SettingsError, StoreError
from surrogate_nas.files import write_text
from surrogate_nas.hardware.costs import CompositeCosts, cost_model
from surrogate_nas.hardware.stored import StoredCosts, read_costs, tabulate, write_costs
from surrogate_nas.hardware.tables import TableLatency
from surrogate_nas.report.truth import Truth, read_truth
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.run_folder import RunFolder
from surrogate_nas.study.settings import StudySettings
from surrogate_nas.supernet.plan import SupernetPlan, make_plan


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
        cost_model: Made the costs, and measures winners.
        table: The costs of every architecture.
        budgets: The bounds.
        truth: Ground truth for the report, where there is any.
    """

    settings: StudySettings
    space: Space
    splits: DataSplits
    deployed: NetworkSpec
    plan: SupernetPlan
    codes: Codes
    connected: NDArray[np.bool_]
    cost_model: CompositeCosts
    table: StoredCosts
    budgets: tuple[Budget, ...]
    truth: Truth | None

    @cached_property
    def costs(self) -> dict[str, NDArray[np.float64]]:
        """Name to the cost of every architecture, shape (N,) each."""
        return self.table.evaluate(self.codes)

    @property
    def latency_device(self) -> str:
        """Whose latencies the costs are."""
        return str(self.table.describe()["latency_ms"]["device"])

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Which architectures are connected and predicted to meet every budget, shape (N,)."""
        within = np.stack([budget.violation(self.costs[budget.cost]) <= 0 for budget in self.budgets])
        return np.asarray(within.all(axis=0) & self.connected)


def prepare(settings: StudySettings, folder: RunFolder, console: StudyConsole) -> Prepared:
    """Reads and checks everything, without changing the run folder.

    Raises:
        SurrogateNasError: If anything is wrong with settings, images, tables or ground truth.
        RunFolderError: If the folder was begun with other images or another space.
    """
    requests = settings.budget.requests()
    space = load_space(settings.space)
    if folder.space.exists() and load_space(str(folder.space)).fingerprint != space.fingerprint:
        raise RunFolderError(f"{folder.path} was begun with another space than {settings.space}; use --overwrite")
    truth = read_truth(Path(settings.truth.file), space, settings.truth.column) if settings.truth.file else None
    if settings.hardware.latency_table is not None:
        # Seconds to check, so a wrong table is said before images are read.
        TableLatency(space, Path(settings.hardware.latency_table), settings.hardware.device)
    splits = _images(settings, folder, console)
    classes, channels = len(splits.class_names), splits.channels
    sizes = settings.network
    deployed = NetworkSpec(
        sizes.channels or space.network.channels,
        sizes.cells or space.network.cells,
        sizes.image_size or splits.native_image_size,
        channels,
        classes,
        space.network.stages,
    )
    small = NetworkSpec(
        settings.supernet.channels,
        settings.supernet.cells,
        splits.image_size,
        channels,
        classes,
        space.network.stages,
    )
    plan = make_plan(space, small, settings.supernet, settings.seed)
    if settings.supernet.batch_size > len(splits.train):
        raise SettingsError(
            f"supernet.batch_size must be at most the number of training images, {len(splits.train)}"
            f" (got {settings.supernet.batch_size})"
        )
    with console.progress("costs of the deployed network") as advance:
        model = cost_model(
            space,
            deployed,
            settings.hardware,
            seed=settings.seed,
            on_progress=lambda _what, done, total: advance(done, total),
        )
        table = read_costs(folder.costs, space, deployed) if folder.costs.exists() else tabulate(space, model)
    codes = space.all_codes()
    connected = space.is_connected(codes)
    costs = table.evaluate(codes)
    budgets = tuple(_resolved(request, costs, connected) for request in requests)
    return Prepared(settings, space, splits, deployed, plan, codes, connected, model, table, budgets, truth)


def _resolved(request: BudgetRequest, costs: dict[str, NDArray[np.float64]], connected: NDArray[np.bool_]) -> Budget:
    if request.cost not in costs:
        raise SettingsError(f"there is a budget on {request.cost}, but no such cost is known")
    # Percentiles are of networks that compute something; a cut network would be a bargain that nobody wants.
    return request.resolve(costs[request.cost][connected])


def _images(settings: StudySettings, folder: RunFolder, console: StudyConsole) -> DataSplits:
    """The images: those of the run folder where they are the same, else read from their source."""
    before = folder.begun_with()
    if before is not None and before.data == settings.data and folder.images.is_dir():
        try:
            return load_splits(folder.images)
        except StoreError as error:
            console.warn(f"{error}; the images are read again")
    with console.progress("images") as advance:
        splits = load_images(settings.data, settings.seed, advance)
    if before is not None and folder.images.is_dir():
        known = load_splits(folder.images).fingerprint
        if known != splits.fingerprint:
            raise RunFolderError(
                f"{folder.path} was begun with other images than {settings.data.path or settings.data.source};"
                " use another --output-dir, or --overwrite"
            )
    return splits


def store(prepared: Prepared, folder: RunFolder) -> None:
    """Writes what was prepared into the run folder."""
    write_text(folder.space, find_definition("spaces", prepared.settings.space).read_text(encoding="utf-8"))
    save_splits(folder.images, prepared.splits)
    write_costs(folder.costs, prepared.space, prepared.deployed, prepared.table)


def show_feasibility(prepared: Prepared, console: StudyConsole) -> None:
    """Prints the space's cost range beside the budgets, and the sizes of the two networks."""
    deployed, small = prepared.deployed, prepared.plan.network
    console.note(
        f"deployed network: {deployed.channels} channels, {deployed.cells} cells a stage, images"
        f" {deployed.image_size}x{deployed.image_size}; costs are of this one"
    )
    console.note(
        f"supernet: {small.channels} channels, {small.cells} cells a stage, images"
        f" {small.image_size}x{small.image_size}; {prepared.plan.members} trained apart"
        f" ({', '.join(prepared.plan.split.names)})"
    )
    limits = {budget.cost: budget for budget in prepared.budgets}
    rows = []
    for cost, everywhere in prepared.costs.items():
        values = everywhere[prepared.connected]
        budget = limits.get(cost)
        meets = f"{np.mean(budget.violation(values) <= 0):.1%}" if budget else "-"
        limit = format_cost(cost, budget.limit) if budget else "-"
        range_ = [format_cost(cost, float(value)) for value in (values.min(), np.median(values), values.max())]
        rows.append([cost, *range_, limit, meets])
    title = f"Costs over the {prepared.connected.sum():,} connected architectures of {prepared.space.name}"
    console.table(title, ["cost", "smallest", "median", "largest", "budget", "meet it"], rows)
    for text in prepared.splits.notes:
        console.note(f"images: {text}")
