"""Figures against ground truth, by hand and by scipy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from surrogate_nas.report.facts.against_truth import TruthFacts
from surrogate_nas.report.truth.judgement import judge_truth
from surrogate_nas.report.truth.truth import Truth
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space

KNOWN = 400


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture(scope="module")
def truth(space: Space) -> Truth:
    accuracy = np.full(space.size, np.nan)
    accuracy[:KNOWN] = np.random.default_rng(1).permutation(KNOWN) / 10 + 50
    return Truth("truth.csv", "acc", accuracy)


@pytest.fixture(scope="module")
def predicted(truth: Truth) -> np.ndarray:
    return np.nan_to_num(truth.accuracy_percent) + np.random.default_rng(2).normal(0, 5, len(truth.accuracy_percent))


@pytest.fixture(scope="module")
def judged(space: Space, truth: Truth, predicted: np.ndarray) -> TruthFacts:
    labels = np.where(np.arange(space.size) < 100, predicted, np.nan)
    return judge_truth(
        truth,
        space,
        labels=labels,
        predicted=predicted,
        baselines={"parameters": np.arange(space.size, dtype=np.float64)},
        feasible=np.arange(space.size) >= 100,
        chosen=150,
        seed=0,
    )


def test_each_set_has_the_architectures_whose_truth_is_known(judged: TruthFacts) -> None:
    assert judged.known == KNOWN
    # What is isomorphic to a labelled architecture is not unknown.
    space = load_space("nasbench201")
    cells = space.index(space.canonical(space.all_codes()))
    unknown = int((~np.isin(cells[:KNOWN], cells[:100])).sum())
    assert 0 < unknown < 300
    counts = {(rank.score, rank.over): rank.count for rank in judged.ranks}
    assert counts == {
        ("labels", "labelled"): 100,
        ("predictor", "labelled"): 100,
        ("parameters", "labelled"): 100,
        ("predictor", "not labelled"): unknown,
        ("parameters", "not labelled"): unknown,
        ("predictor", "whole space"): 400,
        ("parameters", "whole space"): 400,
    }


def test_tau_and_regret_agree_with_references(judged: TruthFacts, truth: Truth, predicted: np.ndarray) -> None:
    (rank,) = [rank for rank in judged.ranks if (rank.score, rank.over) == ("predictor", "whole space")]
    known, score = truth.accuracy_percent[:KNOWN], predicted[:KNOWN]
    assert rank.tau.value == pytest.approx(kendalltau(score, known).statistic)
    best = np.argsort(known)[-40:]
    assert rank.top10_tau.value == pytest.approx(kendalltau(score[best], known[best]).statistic)
    picks = np.argsort(score)[::-1]
    assert rank.regret_top1 == pytest.approx(known.max() - known[picks[0]])
    assert rank.regret_top10 == pytest.approx(known.max() - known[picks[:10]].max())
    assert rank.tau.low is not None
    assert rank.tau.high is not None
    assert rank.tau.value is not None
    assert rank.tau.low < rank.tau.value < rank.tau.high


def test_plain_counts_have_no_interval(judged: TruthFacts) -> None:
    assert all(rank.tau.low is None for rank in judged.ranks if rank.score == "parameters")


def test_the_answer_beside_the_best(judged: TruthFacts, truth: Truth, space: Space) -> None:
    accuracy = truth.accuracy_percent
    within = 100 + int(np.argmax(accuracy[100:KNOWN]))
    assert judged.best_percent == accuracy[:KNOWN].max()
    assert judged.feasible_percent == accuracy[within]
    assert judged.feasible_digits == space.digits(space.codes_at(np.array([within])))[0]
    assert judged.chosen_percent == accuracy[150]
    assert judged.regret_percent == pytest.approx(accuracy[within] - accuracy[150])


def test_ties_are_not_broken_by_the_code(space: Space) -> None:
    # Truth falls with the position; a score that says nothing must not pick the first.
    accuracy = np.linspace(90, 10, space.size)
    zero = np.zeros(space.size)
    judged = judge_truth(
        Truth("t", "a", accuracy),
        space,
        labels=np.full(space.size, np.nan),
        predicted=zero,
        baselines={},
        feasible=zero.astype(bool),
        chosen=None,
        seed=3,
    )
    whole = judged.ranks[-1]
    assert (whole.over, whole.tau.value) == ("whole space", None)
    assert whole.regret_top1 is not None
    assert whole.regret_top1 > 1
    nothing = (judged.feasible_percent, judged.chosen_percent, judged.regret_percent)
    assert nothing == (None, None, None)
    assert "labelled" not in {rank.over for rank in judged.ranks}


def test_a_chosen_architecture_without_truth_has_no_regret(space: Space, truth: Truth, predicted: np.ndarray) -> None:
    few = replace(truth, accuracy_percent=np.where(np.arange(space.size) < 50, truth.accuracy_percent, np.nan))
    judged = judge_truth(
        few,
        space,
        labels=predicted,
        predicted=predicted,
        baselines={},
        feasible=np.ones(space.size, dtype=bool),
        chosen=space.size - 1,
        seed=0,
    )
    assert judged.chosen_percent is None
    assert judged.regret_percent is None
    assert judged.feasible_percent is not None
