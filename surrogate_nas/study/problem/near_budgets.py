"""Architectures near the budgets, which supernets train more often than others.

They are kept in the run folder: a run that is continued with other budgets goes on with the supernets that it has.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import SpaceError, StoreError
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.problem.budget_band import BudgetBand, PricedDraws, draw_in_bands
from surrogate_nas.study.problem.problem import Problem

_STREAM = 6  # of the random draws of a study's seed
_COUNT = 4000
_REMEDY = "restore it, or start over with --overwrite"
_WHAT = "list of architectures near the budgets"


def drawn_near_budgets(problem: Problem, count: int, stream: int) -> Codes:
    """Returns different architectures just below the sets of budgets of a problem, shape (M, D), M at most ``count``.

    Args:
        problem: With its budgets.
        count: How many architectures to draw.
        stream: Number of these draws among all that the study's seed makes.
    """
    labels = problem.settings.labels
    bands = [BudgetBand(budgets, labels.band) for budgets in (problem.budgets, *problem.also)]
    source = PricedDraws(problem.space, problem.cautious_costs.evaluate, labels.draws)
    return draw_in_bands(source, bands, count, np.random.default_rng([problem.settings.seed, stream]))


def with_supernets_near_budgets(problem: Problem, folder: RunFolder, note: Callable[[str], None]) -> Problem:
    """Returns the problem whose supernets draw a share of their subnets near the budgets, as ``supernet.in_band`` asks.

    The study lists these architectures as well.

    Args:
        problem: With its budgets.
        folder: Of the run, which may hold a list.
        note: Takes a line for the user where there is no such architecture.

    Raises:
        StoreError: If the list is damaged.
    """
    if not problem.settings.supernet.in_band:
        return problem
    if folder.near_budgets.exists():
        codes = read_near_budgets(folder.near_budgets, problem.space)
    else:
        codes = drawn_near_budgets(problem, _COUNT, _STREAM)
        if not len(codes):
            note("supernets: no architecture was found near the budgets; all subnets are the sampler's")
    near = tuple(tuple(code) for code in codes.tolist())
    problem = replace(problem, plan=replace(problem.plan, near=near))
    # They are candidates too: uniform draws have hardly any so near to the budgets, and the search finds a few kinds.
    return problem.listing(codes) if near else problem


def write_near_budgets(path: Path, problem: Problem) -> None:
    """Writes the architectures that supernets train more often than others."""
    codes = np.array(problem.plan.near, dtype=np.int8).reshape(-1, problem.space.num_decisions)
    write_json(path, {"schema_version": 1, "space": problem.space.fingerprint, "codes": problem.space.digits(codes)})


def read_near_budgets(path: Path, space: Space) -> Codes:
    """Reads what ``write_near_budgets`` wrote, shape (N, D).

    Raises:
        StoreError: If it is damaged, or of another space.
    """
    content = read_json(path, _WHAT, _REMEDY)
    codes = content.get("codes")
    try:
        if content.get("space") != space.fingerprint or not isinstance(codes, list):
            raise ValueError
        return np.array([space.parse(code) for code in codes], dtype=np.int8).reshape(-1, space.num_decisions)
    except (SpaceError, ValueError, AttributeError):
        raise StoreError(f"the {_WHAT} in {path} is damaged, or of another space: {_REMEDY}") from None
