"""Every warning, just at and just beyond its threshold."""

from dataclasses import replace

import pytest

from surrogate_nas.report.facts.against_truth import RankFacts
from surrogate_nas.report.facts.architectures import Estimate
from surrogate_nas.report.facts.reliability import BaselineFacts
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.judgements import ENOUGH_CELLS, ENOUGH_STEPS, MIN_CELLS, SHORT_STEPS, judgements


def predictor(facts: StudyFacts, **changes: object) -> StudyFacts:
    assert facts.trust is not None
    return replace(facts, trust=replace(facts.trust, predictor=replace(facts.trust.predictor, **changes)))  # type: ignore[arg-type]


def labels(facts: StudyFacts, cells: int) -> StudyFacts:
    assert facts.trust is not None
    return replace(facts, trust=replace(facts.trust, labels=replace(facts.trust.labels, distinct_cells=cells)))


def latency(facts: StudyFacts, **changes: object) -> StudyFacts:
    assert facts.trust is not None
    assert facts.trust.latency is not None
    return replace(facts, trust=replace(facts.trust, latency=replace(facts.trust.latency, **changes)))  # type: ignore[arg-type]


def first_cost(facts: StudyFacts, **changes: object) -> StudyFacts:
    chosen = facts.answer.chosen
    assert chosen is not None
    costs = (replace(chosen.costs[0], **changes), *chosen.costs[1:])  # type: ignore[arg-type]
    return replace(facts, answer=replace(facts.answer, chosen=replace(chosen, costs=costs)))


def steps(facts: StudyFacts, count: int) -> StudyFacts:
    return replace(facts, made=replace(facts.made, supernet=replace(facts.made.supernet, steps=count)))


def level(facts: StudyFacts, part: str) -> str | None:
    found = [judgement.level for judgement in judgements(facts) if part in judgement.text]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("upper", "confidence", "expected"), [(1.25, 0.95, None), (1.26, 0.95, "caution"), (None, 0.95, None)]
)
def test_confidence_that_takes_much_of_a_budget(
    facts: StudyFacts, upper: float | None, confidence: float, expected: str | None
) -> None:
    changed = first_cost(facts, predicted=1.0, measured=0.9, budget=2.0, upper=upper, confidence=confidence)
    assert level(changed, "95% confidence adds 26%") == expected


def test_a_sound_study_has_nothing_to_warn_of(facts: StudyFacts) -> None:
    assert {judgement.level for judgement in judgements(replace(facts, truth=None))} == {"good"}


@pytest.mark.parametrize(
    ("tau", "low", "expected"),
    [(0.52, 0.515, "good"), (0.52, 0.51, "caution"), (0.51, 0.4, "bad"), (-0.1, -0.2, "bad"), (None, None, "bad")],
)
def test_the_predictor_beside_the_best_plain_count(
    facts: StudyFacts, tau: float | None, low: float | None, expected: str
) -> None:
    found = judgements(replace(predictor(facts, tau=Estimate(tau, low, 0.9)), truth=None))
    (about,) = [item for item in found if "The predictor" in item.text]
    assert about.level == expected
    assert tau is None or "effective parameters" in about.text


def test_a_predictor_that_may_be_worth_nothing_is_not_praised(facts: StudyFacts) -> None:
    changed = predictor(facts, tau=Estimate(0.17, 0.0, 0.36), baselines=(BaselineFacts("parameters", -0.1),))
    assert level(changed, "may be chance (tau 0.17") == "bad"


def test_trained_finalists_turn_warnings_of_shared_weights_into_notes(facts: StudyFacts) -> None:
    weak = steps(labels(predictor(facts, top10_tau=0.0), MIN_CELLS - 1), SHORT_STEPS - 1)
    assert level(weak, "The supernet was trained for") == level(weak, "are labelled") == "bad"
    trained = replace(weak, answer=replace(weak.answer, trained_networks=1))
    assert level(trained, "The supernet was trained for") == level(trained, "are labelled") == "caution"
    known = replace(weak.made.supernet, pretrained=True)
    fine_tuned = replace(weak, made=replace(weak.made, supernet=known))
    assert level(fine_tuned, "The supernet was trained for") is None
    assert level(trained, "Trainings of 1 finalist decide") == "good"
    assert level(trained, "train several of them") is None


def test_without_a_plain_count_there_is_no_praise(facts: StudyFacts) -> None:
    assert level(predictor(facts, baselines=()), "no baseline to compare") == "caution"


@pytest.mark.parametrize(("top", "expected"), [(0.2, None), (0.199, "caution"), (None, "caution")])
def test_the_top(facts: StudyFacts, top: float | None, expected: str | None) -> None:
    assert level(predictor(facts, top10_tau=top), "among the best 10% by label") == expected


def test_labels_of_a_sub_supernet_that_disagree_are_named(facts: StudyFacts) -> None:
    supernets = (BaselineFacts("0 or 1", 0.39), BaselineFacts("2 or 3", 0.4))
    found = judgements(predictor(facts, supernets=supernets))
    (about,) = [item for item in found if "disagree" in item.text]
    assert about.level == "caution"
    assert "0 or 1" in about.text


@pytest.mark.parametrize(("coverage", "expected"), [(0.75, None), (0.749, "caution"), (None, None)])
def test_intervals_that_are_too_narrow(facts: StudyFacts, coverage: float | None, expected: str | None) -> None:
    assert level(predictor(facts, coverage=coverage), "too narrow") == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(ENOUGH_CELLS, None), (ENOUGH_CELLS - 1, "caution"), (MIN_CELLS, "caution"), (MIN_CELLS - 1, "bad")],
)
def test_few_labels(facts: StudyFacts, cells: int, expected: str | None) -> None:
    assert level(labels(facts, cells), "labelled") == expected


@pytest.mark.parametrize(("images", "highest", "expected"), [(500, 60, None), (100, 60, "caution"), (100, 55, "bad")])
def test_labels_on_few_images(facts: StudyFacts, images: int, highest: float, expected: str | None) -> None:
    assert facts.trust is not None
    changed = replace(
        facts.trust.labels, images=images, median_percent=50.0, highest_percent=highest, error_percent=9.8
    )
    few = replace(facts, trust=replace(facts.trust, labels=changed))
    assert level(few, "Each label rests on") == expected


@pytest.mark.parametrize(
    ("classes", "median", "expected"),
    [(10, 14.4, "bad"), (10, 14.6, None), (2, 52.4, "bad"), (2, 52.6, None), (10, None, None)],
)
def test_labels_no_better_than_guessing(
    facts: StudyFacts, classes: int, median: float | None, expected: str | None
) -> None:
    assert facts.trust is not None
    data = replace(facts.made.data, classes=tuple(map(str, range(classes))))
    trust = replace(facts.trust, labels=replace(facts.trust.labels, median_percent=median))
    changed = replace(facts, made=replace(facts.made, data=data), trust=trust)
    assert level(changed, f"guessing one of {classes} classes") == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(ENOUGH_STEPS, None), (ENOUGH_STEPS - 1, "caution"), (SHORT_STEPS, "caution"), (SHORT_STEPS - 1, "bad")],
)
def test_a_supernet_trained_briefly_favours_small_subnets(facts: StudyFacts, count: int, expected: str | None) -> None:
    assert level(steps(facts, count), "favour small subnets") == expected


@pytest.mark.parametrize(
    ("count", "images", "expected"),
    [(2_000, 1_280, None), (2_000, 1_290, "bad"), (1_999, 100, "bad"), (9_000, 5_761, "caution")],
)
def test_few_images_need_fewer_steps(facts: StudyFacts, count: int, images: int, expected: str | None) -> None:
    """100 passes over the images, and at least 2,000 steps of 64."""
    made = steps(facts, count).made
    supernet, data = replace(made.supernet, batch_size=64), replace(made.data, train_images=images)
    few = replace(facts, made=replace(made, supernet=supernet, data=data))
    assert level(few, "favour small subnets") == expected


def test_more_steps_are_advised_only_where_shared_weights_decide(facts: StudyFacts) -> None:
    short = steps(facts, 1_500)
    trained = replace(short, answer=replace(short.answer, trained_networks=8))
    advised = [any("Set supernet.steps higher" in one.text for one in judgements(each)) for each in (short, trained)]
    assert advised == [True, False]


def test_labels_that_fall_with_size_are_a_sign_of_undertraining(facts: StudyFacts) -> None:
    assert level(predictor(facts, baselines=(BaselineFacts("parameters", -0.01),)), "Labels fall") == "caution"
    assert level(predictor(facts, baselines=(BaselineFacts("parameters", 0.0),)), "Labels fall") is None


@pytest.mark.parametrize(
    ("error", "expected"), [(10.0, "good"), (10.1, "caution"), (25.0, "caution"), (25.1, "bad"), (None, None)]
)
def test_predicted_against_measured_latency(facts: StudyFacts, error: float | None, expected: str | None) -> None:
    assert level(latency(facts, median_error_percent=error), "Predicted latency was") == expected


def test_noisy_measurements(facts: StudyFacts) -> None:
    assert level(latency(facts, noisy_networks=1), "busy during 1 of 3 latency measurements") == "caution"


@pytest.mark.parametrize(
    ("measured", "noisy", "expected"),
    [(5.0, False, "good"), (5.0, True, "caution"), (5.01, False, "bad"), (5.01, True, "bad"), (None, False, "caution")],
)
def test_the_budget_when_measured(facts: StudyFacts, measured: float | None, noisy: bool, expected: str) -> None:
    assert level(first_cost(facts, measured=measured, noisy=noisy), "the budget of 5 ms") == expected


def test_counts_are_exact(facts: StudyFacts) -> None:
    changed = first_cost(facts, cost="params", predicted=4.0, measured=None)
    assert level(changed, "counted exactly") == "good"


@pytest.mark.parametrize(("planned", "expected"), [(4.0, "good"), (6.0, "bad")])
def test_ram_is_planned_and_not_measured(facts: StudyFacts, planned: float, expected: str) -> None:
    changed = first_cost(facts, cost="ram_bytes", predicted=4.0, measured=planned, noisy=False)
    assert level(changed, "RAM was planned at") == expected
    counted = first_cost(facts, cost="ram_bytes", predicted=4.0, measured=None, conditions="a count, without a planner")
    assert level(counted, "by a count, without a planner") == "caution"


def test_nothing_meets_the_budget(infeasible: StudyFacts) -> None:
    (only,) = judgements(infeasible)
    assert only.level == "bad"
    assert "No architecture" in only.text


@pytest.mark.parametrize(
    ("tau", "low", "expected"), [(0.66, 0.6, "good"), (0.66, 0.577, "caution"), (0.577, 0.5, "bad")]
)
def test_the_predictor_by_ground_truth(facts: StudyFacts, tau: float, low: float, expected: str) -> None:
    assert facts.truth is not None
    ranks = (
        RankFacts("predictor", "whole space", 9, Estimate(tau, low, 0.9), Estimate(None), None, None),
        RankFacts("parameters", "whole space", 9, Estimate(0.577), Estimate(None), None, None),
    )
    assert level(replace(facts, truth=replace(facts.truth, ranks=ranks)), "By ground truth") == expected


def test_the_worst_comes_first(facts: StudyFacts) -> None:
    levels = [judgement.level for judgement in judgements(steps(labels(facts, ENOUGH_CELLS - 1), 10))]
    assert levels == sorted(levels, key=["bad", "caution", "good"].index)
    assert levels[0] == "bad"


def test_a_prediction_on_another_device_is_no_count(facts: StudyFacts) -> None:
    changed = first_cost(
        facts, cost="latency_ms[raspi4]", predicted=4.0, budget=5.0, measured=None, upper=4.9, confidence=0.95
    )
    text = "Latency on raspi4 is 4 ms (at most 4.9 ms with 95% confidence), within the budget of 5 ms, but this study"
    assert level(changed, text) == "caution"
    energy = first_cost(facts, cost="energy_mj", predicted=4.0, budget=5.0, measured=None, upper=None)
    assert level(energy, "Energy: 4 mJ, by the table, within the budget of 5 mJ") == "good"


def test_a_measurement_just_over_the_budget_does_not_look_like_the_budget(facts: StudyFacts) -> None:
    changed = first_cost(facts, measured=5.004, budget=5.0, noisy=False)
    assert level(changed, "was measured at 5.004 ms, 0.1% over the budget of 5 ms") == "bad"


def test_finalists_that_only_guess_decide_nothing(facts: StudyFacts) -> None:
    classes = len(facts.made.data.classes)
    guessing = 100 / classes
    for best, decides in ((guessing + 1, False), (guessing + 30, True), (None, True)):
        answer = replace(facts.answer, trained_networks=2, best_trained_percent=best)
        texts = {one.text: one.level for one in judgements(replace(facts, answer=answer))}
        assert any("2 finalists decide which architecture" in text for text in texts) == decides
        hints = [level for text, level in texts.items() if "too briefly to decide anything" in text]
        assert hints == ([] if decides else ["bad"])


def test_few_labels_say_nothing_of_the_best_tenth(facts: StudyFacts) -> None:
    weak = predictor(facts, top10_tau=-1.0, top10_low=-1.0, top10_high=1.0)
    assert any("Treat the finalists as equals" in one.text for one in judgements(weak))
    assert not any("Treat the finalists as equals" in one.text for one in judgements(labels(weak, 60)))
