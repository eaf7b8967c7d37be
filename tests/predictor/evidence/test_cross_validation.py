"""Isomorphic cells stay together, held-out scores are held out, and the figures agree with scipy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.evidence.cross_validation import CrossValidation, FitContext, assign_folds, cross_validate
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.protocol import Arrays, Codes, Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import TrainingSet, make_training_set
from surrogate_nas.space.space import Space
from tests.predictor.conftest import Problem, always


def units_of(problem: Problem, canonical: bool = True) -> TrainingSet:
    return make_training_set(problem.space, problem.codes, problem.targets, problem.accuracy_percent, canonical)


@pytest.fixture(scope="module")
def evidence(problem: Problem, quick: PredictorSettings) -> CrossValidation:
    rivals = {"copy": problem.targets, "reverse": -problem.targets, "constant": np.ones(len(problem.codes))}
    return cross_validate(FitContext(problem.space, quick, 0, rivals), units_of(problem))


@given(groups=st.lists(st.integers(0, 12), min_size=20, max_size=60), folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_a_group_is_in_one_fold_and_folds_are_even(groups: list[int], folds: int, seed: int) -> None:
    fold = assign_folds(np.array(groups), folds, seed)
    homes = {group: {int(f) for f, g in zip(fold, groups, strict=True) if g == group} for group in set(groups)}
    assert all(len(home) == 1 for home in homes.values())
    sizes = np.bincount([min(home) for home in homes.values()], minlength=folds)
    assert sizes.max() - sizes.min() <= 1


def test_isomorphic_cells_are_never_on_both_sides(problem: Problem, quick: PredictorSettings) -> None:
    apart = quick.model_copy(update={"canonical": False, "steps": 1})
    evidence = cross_validate(FitContext(problem.space, apart, 0), units_of(problem, canonical=False))
    classes = problem.space.index(problem.space.canonical(problem.codes))
    pairs = set(zip(classes.tolist(), evidence.fold.tolist(), strict=True))
    assert len(pairs) == len(set(classes.tolist())) < len(problem.codes)


def test_no_model_scores_what_it_was_fitted_to(
    problem: Problem, quick: PredictorSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Memory:
        def fit(self, codes: Codes, targets: Floats, **_options: object) -> None:
            assert len(codes) == len(targets)
            self.known = {row.tobytes() for row in codes}

        def score(self, codes: Codes) -> Floats:
            # 1 for what was fitted, apart from one entry that gives the scores a spread.
            known = np.array([float(row.tobytes() in self.known) for row in codes])
            known[0] -= 0.5 * known[0]
            return known

        def arrays(self) -> Arrays:
            return {}

    monkeypatch.setitem(MODELS, "gcn", always(Memory()))
    evidence = cross_validate(FitContext(problem.space, quick, 0), units_of(problem))
    assert (evidence.out_of_fold < -5).all()  # raw 0, far below the mean of nearly 1


def test_the_figures_are_those_of_the_held_out_scores(evidence: CrossValidation, problem: Problem) -> None:
    units = units_of(problem)
    _, one_label = np.unique(units.unit_of_label, return_index=True)
    scores = evidence.out_of_fold[one_label]
    assert evidence.tau == pytest.approx(kendalltau(scores, units.targets).statistic)
    assert evidence.low < evidence.tau < evidence.high
    best = units.targets >= np.quantile(units.targets, 0.9)
    assert evidence.top10_tau == pytest.approx(kendalltau(scores[best], units.targets[best]).statistic)
    assert evidence.top10_low <= evidence.top10_tau <= evidence.top10_high
    worst = units.accuracy_percent.max() - units.accuracy_percent.min()
    assert 0 <= evidence.regret_low <= evidence.regret_percent <= evidence.regret_high < worst


def test_a_model_that_can_learn_the_labels_is_seen_to(evidence: CrossValidation) -> None:
    assert evidence.tau > 0.5


def test_baselines_are_measured_on_the_same_labels(evidence: CrossValidation) -> None:
    assert evidence.baselines["copy"] == pytest.approx(1)
    assert evidence.baselines["reverse"] == pytest.approx(-1)
    assert np.isnan(evidence.baselines["constant"])


def test_one_seed_one_result(problem: Problem, quick: PredictorSettings) -> None:
    short = quick.model_copy(update={"steps": 5})
    contexts = [FitContext(problem.space, short, seed) for seed in (1, 1, 2)]
    first, again, other = (cross_validate(context, units_of(problem)) for context in contexts)
    assert np.array_equal(first.out_of_fold, again.out_of_fold)
    assert (first.low, first.high) == (again.low, again.high)
    assert not np.array_equal(first.fold, other.fold)


def test_a_baseline_that_is_not_finite_is_named(problem: Problem, quick: PredictorSettings) -> None:
    with pytest.raises(SettingsError, match="baseline size must be finite"):
        cross_validate(
            FitContext(problem.space, quick, 0, {"size": np.full(len(problem.codes), np.nan)}), units_of(problem)
        )


def test_a_context_of_another_model_differs_in_nothing_else(space: Space) -> None:
    context = FitContext(space, PredictorSettings(model="auto", steps=7), seed=3)
    other = context.of_model("ridge")
    assert other.settings == PredictorSettings(model="ridge", steps=7)
    assert replace(other, settings=context.settings) == context
