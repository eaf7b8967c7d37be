"""Facts of trust, against the arrays that they come from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import SurrogateNasWarning
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.tables.stored import StoredCosts
from surrogate_nas.predictor.predictor import FittedPredictor, load_predictor
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.study.findings import FinalistChoice, SpaceScores, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report import evidence as module
from surrogate_nas.study.report.evidence import evidence_facts, truth_facts


@pytest.fixture(scope="module")
def predictor(problem: Problem, finished: Path) -> FittedPredictor:
    return load_predictor(finished / "predictor", problem.space)


@pytest.fixture
def labels(problem: Problem) -> StudyLabels:
    accuracy = np.linspace(10, 90, len(problem.drawn))
    return StudyLabels(problem.drawn, accuracy, 100 - accuracy, len(accuracy))


@pytest.fixture
def choice(problem: Problem) -> FinalistChoice:
    """Returns three finalists, measured at twice, once and half of what was predicted."""
    codes = problem.drawn[:3]
    predicted = problem.table.evaluate(codes)["latency_ms"]
    measured = [
        Measurement(float(value * factor), 0.0, 9, 0, noisy, "2026-01-01T00:00:00+00:00")
        for value, factor, noisy in zip(predicted, (2, 1, 0.5), (True, False, False), strict=True)
    ]
    return FinalistChoice("met", 1, codes, tuple(measured))


def test_labels_predictor_and_latency(
    problem: Problem, predictor: FittedPredictor, labels: StudyLabels, choice: FinalistChoice
) -> None:
    facts = evidence_facts(problem, predictor, labels, choice)
    assert (facts.labels.architectures, facts.labels.images, facts.labels.folds) == (40, 60, 1)
    folded = replace(problem, plan=replace(problem.plan, folds=3))
    found = evidence_facts(folded, predictor, labels, choice).labels
    assert (found.images, found.behind, found.folds) == (180, 180, 3)
    assert found.error_percent == pytest.approx(facts.labels.error_percent * (60 / 180) ** 0.5)
    assert facts.labels.distinct_cells == len(np.unique(problem.space.canonical_keys(problem.drawn)))
    assert (facts.labels.lowest_percent, facts.labels.median_percent, facts.labels.highest_percent) == (10, 50, 90)
    assert facts.predictor.tau.value == predictor.cross_validation.tau
    assert [item.name for item in facts.predictor.baselines] == list(problem.counts(problem.drawn))
    evidence = predictor.cross_validation
    assert (facts.predictor.regret_low, facts.predictor.regret_high) == (evidence.regret_low, evidence.regret_high)
    assert facts.predictor.coverage == predictor.intervals.coverage
    assert facts.latency is not None
    assert facts.latency.measured_here
    assert (facts.latency.networks, facts.latency.noisy_networks) == (3, 1)
    # Half too low, right, and twice too high.
    assert facts.latency.median_error_percent == pytest.approx(50)
    assert facts.latency.largest_error_percent == pytest.approx(100)


def test_latencies_of_finalists_alone_have_no_error(
    problem: Problem, predictor: FittedPredictor, labels: StudyLabels, choice: FinalistChoice
) -> None:
    values = problem.table.evaluate(problem.codes)
    table = StoredCosts(problem.pool, {"flops": values["flops"]}, {}, problem.table.describe())
    facts = evidence_facts(replace(problem, table=table), predictor, labels, choice).latency
    assert facts is not None
    assert (facts.measured_here, facts.networks, facts.noisy_networks) == (True, 3, 1)
    assert facts.median_error_percent is None
    assert "nothing predicted, as no budget asks for latency" in facts.source


def test_the_labels_of_each_sub_supernet_are_held_against_the_predictor(
    problem: Problem,
    predictor: FittedPredictor,
    labels: StudyLabels,
    choice: FinalistChoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert evidence_facts(problem, predictor, labels, choice).predictor.supernets == ()  # too few labels to say
    monkeypatch.setattr(module, "_ENOUGH_TO_AGREE", 2)
    wrong = replace(labels, loss=predictor.score(labels.codes))  # fitted is minus the loss
    with pytest.warns(SurrogateNasWarning, match="one of the two is wrong"):
        facts = evidence_facts(problem, predictor, wrong, choice)
    assert tuple(item.name for item in facts.predictor.supernets) == problem.plan.names
    assert [item.tau for item in facts.predictor.supernets] == pytest.approx([-1, -1])


def test_truth_is_judged_where_there_is_any(
    problem: Problem, predictor: FittedPredictor, labels: StudyLabels, choice: FinalistChoice, tmp_path: Path
) -> None:
    mean = np.random.default_rng(0).uniform(0, 100, problem.space.size)
    scores = SpaceScores(problem.pool, mean, np.zeros_like(mean))
    assert truth_facts(problem, predictor, scores, labels, choice) is None
    true = np.random.default_rng(1).uniform(50, 90, problem.space.size).round(3)
    rows = [f"{code},{value}" for code, value in zip(problem.space.digits(problem.codes), true, strict=True)]
    path = tmp_path / "truth.csv"
    path.write_text("\n".join(["code,accuracy", *rows]) + "\n", encoding="utf-8")
    known = replace(problem, truth=read_truth(path, problem.space, None))
    facts = truth_facts(known, predictor, scores, labels, choice)
    assert facts is not None
    assert facts.chosen_percent == true[problem.space.index(choice.codes)[1]]
    assert facts.feasible_percent == true[problem.feasible].max()
    by_score = {(rank.score, rank.over): rank for rank in facts.ranks}
    # Labels are losses where the predictor is fitted to losses: the smaller the better.
    drawn = problem.space.index(problem.drawn)
    assert by_score["labels", "labelled"].tau.value == pytest.approx(kendall_tau(-labels.loss, true[drawn]))
