"""Everything before training: space, images, networks, costs, budgets; what is quickly checked is checked first."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from surrogate_nas._support.definitions import find_definition
from surrogate_nas._support.files import write_text
from surrogate_nas.costs.budget import Budget, BudgetRequest
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import BudgetError
from surrogate_nas.hardware.measure.backends import resolve_backend
from surrogate_nas.hardware.measure.machine import resolve_device
from surrogate_nas.hardware.planned.planners import find_planner
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.device_columns import OTHER_COSTS
from surrogate_nas.hardware.tables.partial import needs_pieces, require_latencies
from surrogate_nas.hardware.tables.stored import write_costs
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Space
from surrogate_nas.study.ask.budget_requests import also_requests, with_devices
from surrogate_nas.study.ask.own_device import own_requests
from surrogate_nas.study.problem.check_space import checked_space
from surrogate_nas.study.problem.deployed_costs import deployed_costs
from surrogate_nas.study.problem.initial_pool import draw_architectures, ends_of, first_pool, typical_rows
from surrogate_nas.study.problem.near_budgets import (
    drawn_near_budgets,
    with_supernets_near_budgets,
    write_near_budgets,
)
from surrogate_nas.study.problem.networks import deployed_network, supernet_plan
from surrogate_nas.study.problem.problem import CautiousCosts, Problem
from surrogate_nas.study.problem.read_images import keep_images, read_images
from surrogate_nas.study.problem.read_weights import keep_weights, read_weights, require_source
from surrogate_nas.study.running import Run

_BAND_STREAM = 5  # of the random draws of a study's seed


def prepare(run: Run) -> Problem:
    """Reads and checks everything that a study is asked, without changing the run folder.

    Raises:
        SurrogateNasError: If anything is wrong with settings, images, tables or ground truth.
        RunFolderError: If the folder was started with other images, another space or another device.
        Interrupted: If a stop was requested.
    """
    settings, hardware, truth = run.settings, run.settings.hardware, run.settings.truth
    requests = own_requests(settings)
    # The space
    space = checked_space(settings, run.folder, named_by_user=run.request.names_space)
    pool = first_pool(space, settings.pool, settings.seed)
    once = space.is_connected(pool.codes) & space.is_drawn(pool.codes)
    drawn = draw_architectures(space, pool.codes[once], settings)
    known = read_truth(Path(truth.file), space, truth.column) if truth.file else None
    _require_device(space, hardware)
    require_source(run, space)
    # Images and networks
    splits = read_images(run)
    deployed = deployed_network(settings, space, splits)
    plan = supernet_plan(settings, space, splits, drawn)
    first = read_weights(run, space, plan.network, deployed)
    # Costs and budgets
    model, table = deployed_costs(pool, deployed, run)
    others = also_requests(settings)
    table = with_devices(table, [*requests, *chain.from_iterable(others)], hardware, model)
    costs = CautiousCosts(table, hardware.confidence)
    resolve = _resolver(pool, costs)
    budgets, also = resolve(requests), tuple(map(resolve, others))
    problem = Problem(settings, space, splits, deployed, plan, pool, drawn, model, table, budgets, also, known, first)
    problem = with_labels_in_band(problem, run.console.note)
    problem = with_supernets_near_budgets(problem, run.folder, run.console.note)
    return problem if pool.complete else problem.listing(ends_of(pool, costs, [budgets, *also]))


def with_labels_in_band(problem: Problem, note: Callable[[str], None]) -> Problem:
    """Returns the problem with a share of its labels just below the budgets; ``labels.in_band`` is the share.

    Args:
        problem: With uniform draws.
        note: Takes a line for the user where there are fewer such architectures.
    """
    labels = problem.settings.labels
    wanted = round(labels.in_band * len(problem.drawn))
    if not wanted:
        return problem.listing(problem.drawn)
    found = drawn_near_budgets(problem, wanted, _BAND_STREAM)
    if len(found) < wanted:
        note(
            f"labels: {len(found):,} of {wanted:,} architectures were found between 1/{labels.band:g} of the budget and"
            " the budget; uniform draws take the place of the others"
        )
    both = np.concatenate([found, problem.drawn])
    _, first = np.unique(both, axis=0, return_index=True)
    drawn = both[np.sort(first)][: len(problem.drawn)]
    return replace(problem, drawn=drawn).listing(drawn)


def _require_device(space: Space, hardware: HardwareSettings) -> None:
    """Reports an unknown device or precision, a missing planner or a wrong table before images are read."""
    find_planner(hardware)
    if hardware.latency_table is None:
        resolve_backend(hardware.backend, resolve_device(hardware.device), hardware.numbers)
        return
    if needs_pieces(space):
        resolve_backend(hardware.backend, resolve_device("cpu"), hardware.numbers)
    require_latencies(space, Path(hardware.latency_table), hardware.device, hardware.latency_unit)


def _resolver(pool: Pool, costs: CautiousCosts) -> Callable[[Iterable[BudgetRequest]], tuple[Budget, ...]]:
    """Turns requests for budgets into bounds: percentiles become numbers."""
    values, typical = costs.evaluate(pool.codes), typical_rows(pool)

    def resolve(request: BudgetRequest) -> Budget:
        if request.cost not in values:
            kind = COSTS[request.cost]
            where = f", in a column DEVICE_{request.cost}" if request.cost in OTHER_COSTS else ""
            if where and not pool.space.listable:
                raise BudgetError(
                    f"{kind.option} needs a table of all architectures, and {pool.space.name} is too large to list;"
                    " leave the budget out, or search a smaller space"
                )
            raise BudgetError(
                f"{kind.option} needs costs of {kind.title}, which are not known here (there are {', '.join(values)});"
                f" give a latency table that has them{where}, or start a new run"
            )
        # Percentiles are of networks that compute something; a cut network would be a bargain that nobody wants.
        return request.resolve(values[request.cost][typical])

    return lambda requests: tuple(map(resolve, requests))


def store(problem: Problem, folder: RunFolder) -> None:
    """Writes what was prepared into the run folder."""
    text = find_definition("spaces", problem.settings.space).read_text(encoding="utf-8-sig")
    write_text(folder.space, text)
    if problem.space.program is not None:
        write_text(folder.program, problem.space.program.source)
    keep_images(problem.settings, problem.splits, folder)
    if problem.first_weights is not None:
        keep_weights(problem.first_weights, folder, problem.space)
    if problem.settings.supernet.in_band and not folder.near_budgets.exists():
        write_near_budgets(folder.near_budgets, problem)
    if not folder.costs.exists():
        write_costs(folder.costs, problem.deployed, problem.table)
