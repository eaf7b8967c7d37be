"""A study that never ran: facts and points with plausible figures."""

from dataclasses import replace

import numpy as np
import pytest

from surrogate_nas.report.facts.against_truth import RankFacts, TruthFacts
from surrogate_nas.report.facts.architectures import (
    AnswerFacts,
    ArchitectureFacts,
    CellFacts,
    CostFacts,
    Estimate,
    SmallestCost,
)
from surrogate_nas.report.facts.making import (
    CostRange,
    DataFacts,
    MadeFacts,
    NetworkFacts,
    SearchFacts,
    SpaceFacts,
    StageFacts,
    SupernetFacts,
)
from surrogate_nas.report.facts.reliability import BaselineFacts, LabelFacts, LatencyFacts, PredictorFacts, TrustFacts
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.plots.predictor_plots import PlotPoints

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def long_form(digits: str) -> str:
    nodes: dict[int, str] = {}
    for (start, end), digit in zip(EDGES, digits, strict=True):
        nodes[end] = nodes.get(end, "|") + f"{OPERATIONS[int(digit)]}~{start}|"
    return "+".join(nodes.values())


def architecture(digits: str, accuracy: float, latency: float, measured: float | None) -> ArchitectureFacts:
    costs = (
        CostFacts(
            "latency_ms",
            latency,
            5.0,
            measured,
            None if measured is None else 0.21,
            50,
            conditions="ONNX Runtime on cpu",
        ),
        CostFacts("flops", 41_234_000.0),
        CostFacts("params", 471_210.0),
    )
    interval = Estimate(accuracy, accuracy - 2.9, accuracy + 2.9)
    return ArchitectureFacts(digits, long_form(digits), interval, 1.48, costs)


@pytest.fixture
def facts() -> StudyFacts:
    """Returns a study whose budget is met, with ground truth."""
    chosen = architecture("313213", 61.34, 4.71, 4.87)
    finalists = (chosen, architecture("313233", 61.1, 4.9, 5.32), architecture("133213", 60.2, 4.43, None))
    answer = AnswerFacts(
        "met",
        chosen,
        CellFacts(EDGES, tuple(OPERATIONS[int(digit)] for digit in chosen.digits), (True,) * 6),
        finalists,
    )
    baselines = (
        BaselineFacts("parameters", 0.44, 0.07),
        BaselineFacts("effective parameters", 0.51, 0.11),
        BaselineFacts("nonlinear functions", 0.47, None),
    )
    trust = TrustFacts(
        LabelFacts(500, 431, 2_000, 9.8, 48.2, 63.1),
        PredictorFacts("graph network", Estimate(0.68, 0.64, 0.71), 0.24, 0.55, 5, 0.93, baselines),
        LatencyFacts("profile of every operation", "this machine, CPU, 1 thread, batch 1", True, 3, 4.1, 6.9, 0),
    )
    ranks = (
        RankFacts("labels", "labelled", 500, Estimate(0.61, 0.57, 0.65), Estimate(0.11, 0.02, 0.2), 1.06, 0.3),
        RankFacts("predictor", "labelled", 500, Estimate(0.65, 0.62, 0.68), Estimate(0.12, 0.03, 0.2), 0.9, 0.3),
        RankFacts("parameters", "labelled", 500, Estimate(0.58), Estimate(0.08), 2.1, 1.4),
        RankFacts("predictor", "whole space", 15_625, Estimate(0.66, 0.65, 0.67), Estimate(0.1, 0.08, 0.12), 1.1, 0.0),
        RankFacts("parameters", "whole space", 15_625, Estimate(0.577), Estimate(0.084), 0.96, 0.9),
    )
    truth = TruthFacts(
        "accuracy.csv", "cifar10_test", 15_625, ranks, 92.87, 94.37, "323213", 93.45, "313313", regret_percent=0.58
    )
    made = MadeFacts(
        space=SpaceFacts("nasbench201", "0123456789abcdef", 15_625, 5_425),
        deployed=NetworkFacts(16, 5, 3, 32, 3, 10),
        supernet_network=NetworkFacts(8, 1, 3, 16, 3, 10),
        data=DataFacts("cifar10", 45_000, 5_000, ("airplane", "automobile", "bird", "cat"), "fedcba9876543210"),
        supernet=SupernetFacts("nonlinear count", 4, "depth-wise", "balanced", 60_000, 64),
        search=SearchFacts("exact scan", 1_000, 402, (("finalists", "3"),)),
        cost_ranges=(
            CostRange("latency_ms", 1.21, 5.6, 12.02, 5.0, 6_250),
            CostRange("flops", 7.78e6, 6.9e7, 1.86e8),
            CostRange("params", 73_306, 428_000, 1_073_466),
        ),
        command="python -m surrogate_nas.study cifar10 --data images --latency-budget 5ms --seed 0",
        stages=(StageFacts("supernets", 3_421.0), StageFacts("labels", 212.4), StageFacts("search", 3.2)),
        predictor=(("ensemble", "5"), ("loss", "pairwise ranking")),
        seeds=(("study", "0"),),
        versions=(("surrogate_nas", "0.1.0"), ("torch", "2.14.1")),
        hardware=(("processor", "2 cores"),),
        notes=("Images were scaled from 32 to 16 pixels for the supernet.",),
    )
    return StudyFacts("cifar10", "2026-11-22T09:15:00+00:00", "latency_ms", answer, made, trust, truth)


@pytest.fixture
def infeasible(facts: StudyFacts) -> StudyFacts:
    """Returns the same study with a budget that nothing meets, ended before training."""
    answer = AnswerFacts(
        "infeasible",
        smallest=(SmallestCost("latency_ms", 1.0, 1.21, "000000", long_form("000000")),),
        nearest_misses=(architecture("000000", 10.0, 1.21, None),),
    )
    return replace(facts, answer=answer, trust=None, truth=None)


@pytest.fixture
def points() -> PlotPoints:
    """Returns two hundred architectures, every twentieth in the Pareto set."""
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(40, 60, 200)
    return PlotPoints(
        accuracy_percent=accuracy,
        cost=rng.uniform(1.2, 12, 200),
        pareto=np.arange(200) % 20 == 0,
        digits=[f"{index:06d}" for index in range(200)],
        architectures=[f"|nor_conv_3x3~0|+|none~0|skip_connect~{index}|" for index in range(200)],
        label_percent=accuracy[:50],
        out_of_fold_percent=accuracy[:50] + rng.normal(0, 1, 50),
    )
