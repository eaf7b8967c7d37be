"""The facts on off-the-shelf networks: the ones that fit first, every row with the same costs."""

from dataclasses import replace

import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.rivals.fit import FittedRival
from surrogate_nas.rivals.results_file import RivalRecords, TrainedRecord
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import Counts, RivalNetwork
from surrogate_nas.study.findings import FinalistChoice, RivalFindings
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.rival_facts import rivals_facts

LATENCY = Measurement(1.0, 0.1, 10, 0, False, "2026-01-01T00:00:00+00:00")
SMALL = Interface(1, 8, 10)


def fitted(name: str, flops: int, latency: Measurement | None = None, reason: str = "") -> FittedRival:
    return FittedRival(RivalNetwork(name, 1.0, SMALL), Counts(10, flops, 30), latency, reason)


@pytest.fixture
def asked(problem: Problem) -> Problem:
    return replace(problem, budgets=(Budget("params", 20.0),))


@pytest.fixture
def choice(problem: Problem) -> FinalistChoice:
    return FinalistChoice("met", 0, problem.drawn[:1], (LATENCY,))


def test_rows_have_the_same_costs_and_the_ones_that_fit_come_first(asked: Problem, choice: FinalistChoice) -> None:
    some = (
        fitted("resnet18", 9, reason="over the budget"),
        fitted("resnet20", 5, LATENCY),
        fitted("mnasnet", 7, LATENCY),
        FittedRival(RivalNetwork("squeezenet1_1", 1.0, SMALL), None, reason="cannot take images"),
    )
    facts = rivals_facts(asked, choice, RivalFindings(RivalRecords("", some, LATENCY)))
    assert facts is not None
    assert [one.name for one in facts.rivals] == [
        "MNASNet at width 1",
        "ResNet-20 at width 1",
        "ResNet-18",
        "SqueezeNet 1.1",
    ]
    assert {tuple(cost.cost for cost in one.costs) for one in facts.rivals} == {("params", "flops", "latency_ms")}
    assert [cost.budget for cost in facts.rivals[0].costs] == [20.0, None, None]
    assert facts.epochs is None
    assert facts.beside_ms == 1.0


def test_accuracies_are_of_what_this_study_trains(asked: Problem, choice: FinalistChoice) -> None:
    digits = asked.space.digits(asked.space.effective(choice.code))[0]
    trained = {digits: TrainedRecord(90.0, 89.0, 91.0), "resnet20@1": TrainedRecord(None, reason="nan")}
    trained["mnasnet@1"] = TrainedRecord(80.0, 79.0, 81.0)
    records = RivalRecords("", (fitted("resnet20", 5), fitted("mnasnet", 4)), None, trained)
    facts = rivals_facts(asked, choice, RivalFindings(records, ("resnet20@1",)))
    assert facts is not None
    assert facts.found.value == 90.0
    assert facts.rivals[0].reason == "its training failed: nan"
    # Trained for former budgets.
    assert facts.rivals[1].accuracy_percent.value is None


def test_without_rivals_there_are_no_facts(asked: Problem, choice: FinalistChoice) -> None:
    assert rivals_facts(asked, choice, RivalFindings()) is None
