"""Architectures to label are drawn uniformly just below the budgets."""

from dataclasses import replace

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import Draws
from surrogate_nas.study.problem.budget_band import BudgetBand, PricedDraws, draw_in_bands
from surrogate_nas.study.problem.prepare import with_labels_in_band
from surrogate_nas.study.problem.problem import Problem

QUICK = load_space("quick_elastic")
COSTS = AnalyticCosts(QUICK, QUICK.network)
NETWORKS = np.unique(QUICK.effective(QUICK.all_codes()), axis=0)
FLOPS = COSTS.evaluate(NETWORKS)["flops"]
DRAWS: tuple[Draws, Draws] = ("uniform", "balanced")
LIMIT = float(np.percentile(FLOPS, 40, method="higher"))
BAND = BudgetBand([Budget("flops", LIMIT), Budget("params", 1e9)], 1.5)


def test_a_band_reaches_from_a_part_of_a_budget_to_the_budget() -> None:
    costs = {"flops": np.array([100.0, 60.0, 50.0, 101.0, 10.0]), "params": np.array([5.0, 5, 5, 5, 20])}
    band = BudgetBand([Budget("flops", 100.0), Budget("params", 10.0)], 2.0)
    assert band.holds(costs).tolist() == [True, True, True, False, False]
    assert band.holds({"flops": np.array([10.0]), "params": np.array([9.0])}).all()  # near one of the budgets


@pytest.mark.slow
def test_draws_of_a_band_are_all_of_it_in_the_end() -> None:
    inside = {code.tobytes() for code in NETWORKS[BAND.holds(COSTS.evaluate(NETWORKS))]}
    assert 20 < len(inside) < len(NETWORKS) / 2
    drawn = draw_in_bands(PricedDraws(QUICK, COSTS.evaluate), [BAND], 1000, np.random.default_rng(0))
    assert {code.tobytes() for code in drawn} == inside
    assert len(drawn) == len(inside)


def test_bands_get_equal_shares_and_follow_from_the_seed() -> None:
    low = BudgetBand([Budget("flops", LIMIT / 1.6)], 1.5)
    first, again = (
        draw_in_bands(PricedDraws(QUICK, COSTS.evaluate), [BAND, low], 20, np.random.default_rng(seed))
        for seed in (3, 3)
    )
    np.testing.assert_array_equal(first, again)
    costs = COSTS.evaluate(first)
    assert BAND.holds(costs).sum() == low.holds(costs).sum() == 10


def test_an_empty_band_gives_none() -> None:
    empty = BudgetBand([Budget("flops", 1.0)], 2.0)
    assert draw_in_bands(PricedDraws(QUICK, COSTS.evaluate), [empty], 5, np.random.default_rng(0)).shape == (0, 7)


def test_a_share_of_the_labels_lies_in_the_band(problem: Problem) -> None:
    def asked(share: float) -> Problem:
        labels = problem.settings.labels.model_copy(update={"in_band": share})
        return replace(problem, settings=problem.settings.model_copy(update={"labels": labels}))

    notes: list[str] = []
    assert with_labels_in_band(problem, notes.append) is problem
    half = with_labels_in_band(asked(0.75), notes.append)
    assert notes == []
    assert half.drawn.shape == problem.drawn.shape
    band = BudgetBand(problem.budgets, 2.0)
    inside = [band.holds(problem.cautious_costs.evaluate(one.drawn)).sum() for one in (problem, half)]
    assert inside[1] >= len(half.drawn) * 3 / 4 > inside[0]
    assert (half.pool.find(half.drawn) >= 0).all()


def test_an_empty_band_is_named(problem: Problem) -> None:
    labels = problem.settings.labels.model_copy(update={"in_band": 1.0})
    settings = problem.settings.model_copy(update={"labels": labels})
    notes: list[str] = []
    found = with_labels_in_band(replace(problem, settings=settings, budgets=(Budget("flops", 1.0),)), notes.append)
    np.testing.assert_array_equal(found.drawn, problem.drawn)
    assert "labels: 0 of 40 architectures were found between 1/2 of the budget and the budget" in notes[0]


def test_balanced_labels_in_the_band_are_of_all_depths_that_it_holds() -> None:
    space = load_space("images32")
    costs = AnalyticCosts(space, space.network)
    band = BudgetBand([Budget("flops", 12e6)], 2.0)
    uniform, balanced = (
        draw_in_bands(PricedDraws(space, costs.evaluate, draws), [band], 60, np.random.default_rng(0))
        for draws in DRAWS
    )
    assert len(uniform) == len(balanced) == 60
    assert band.holds(costs.evaluate(balanced)).all()
    spread = [len(np.unique(space.nonlinear_count(codes))) for codes in (uniform, balanced)]
    assert spread[0] < 25 < 40 <= spread[1]
