"""The winner is named, whoever it is, and only where intervals do not overlap."""

from dataclasses import replace

import pytest

from surrogate_nas.report.comparison import drift_text, fitting_text, found_wins, rival_wins, start_text, winner_text
from surrogate_nas.report.facts.against_rivals import RivalFacts, RivalsFacts
from surrogate_nas.report.facts.architectures import CostFacts, Estimate

COSTS = (CostFacts("params", 1000.0), CostFacts("latency_ms", None, 1.0, 0.9, 0.1, 10))
MINE = Estimate(90.0, 89.0, 91.0)


def rival(name: str, accuracy: Estimate, *, fits: bool = True) -> RivalFacts:
    return RivalFacts(name, "A family", COSTS, accuracy, "" if fits else "over the budget", fits)


def facts(*rivals: RivalFacts, found: Estimate = MINE, unknown: tuple[str, ...] = ()) -> RivalsFacts:
    return RivalsFacts(rivals, found, 3, 1000, unknown, 1.2)


@pytest.mark.parametrize(
    ("its", "expected"),
    [
        (
            Estimate(93.0, 92.0, 94.0),
            "B does better: 93.0% (95%: 92.0 to 94.0%)",
        ),
        (Estimate(85.0, 84.0, 86.0), "12 does better than the best off-the-shelf network, B: 90.0%"),
        (Estimate(91.5, 90.5, 92.5), "12 has 90.0% (95%: 89.0 to 91.0%) and B 91.5%"),
    ],
)
def test_the_winner_is_named_with_intervals(its: Estimate, expected: str) -> None:
    one = facts(rival("A", Estimate(50.0, 49.0, 51.0)), rival("B", its), rival("C", Estimate(None)))
    text = winner_text(one, "12")
    assert text.startswith(expected)
    assert "after 3 epochs" in text
    assert (rival_wins(one), found_wins(one)) == ("B does better:" in text, "12 does better" in text)
    assert ("too close" in text) == (not rival_wins(one) and not found_wins(one))


def test_other_starts_and_lengths_are_said() -> None:
    one = facts(rival("A", Estimate(50.0, 49.0, 51.0)))
    assert start_text(one) == ""
    tuned = replace(one, pretrained=True)
    assert "after 3 epochs of training each from pretrained and from random weights" in winner_text(tuned, "12")
    assert start_text(tuned).startswith("The found architecture began with pretrained weights")
    longer = replace(tuned, rival_epochs=9)
    assert "after 3 epochs for 12 and 9 for the others from pretrained" in winner_text(longer, "12")
    assert start_text(facts(rival("A", Estimate(None)))) == ""


def test_nothing_is_claimed_without_trainings() -> None:
    one = facts(rival("A", Estimate(None)), found=Estimate(None))
    assert winner_text(one, "12") == ""
    assert not rival_wins(one)
    assert not found_wins(one)


def test_how_many_fit_is_said_and_that_none_does() -> None:
    unknown = Estimate(None)
    some = facts(rival("A", unknown), rival("B", unknown, fits=False))
    assert fitting_text(some) == "Of 2 off-the-shelf networks, 1 fits the budget."
    none = facts(rival("A", unknown, fits=False), rival("B", unknown, fits=False))
    assert fitting_text(none).startswith("None of 2 off-the-shelf networks fits the budget, even at its smallest width")


def test_a_budget_that_cannot_be_held_against_rivals_is_said() -> None:
    text = fitting_text(facts(rival("A", Estimate(None)), unknown=("latency_ms[pixel3]",)))
    assert text == (
        "The latency on pixel3 of an off-the-shelf network is not known here, so the budget cannot be held against it."
    )


@pytest.mark.parametrize(("before", "words"), [(1.0, "20% longer"), (1.5, "20% less"), (1.19, ""), (None, "")])
def test_a_machine_that_changed_is_reported(before: float | None, words: str) -> None:
    text = drift_text(facts(rival("A", Estimate(None))), before)
    assert (words in text) if words else text == ""
