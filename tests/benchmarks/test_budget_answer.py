"""Answers: nothing but what a training reveals is seen, and limits hold."""

import numpy as np
import pytest

from benchmarks.budget_answer import Known, answer, search_score
from benchmarks.budget_latency import DeviceLatency, from_table
from surrogate_nas.search.settings import LoopSettings, SearchSettings
from surrogate_nas.space.load import load_space

SPACE = load_space("nasbench201")
CODES = SPACE.all_codes()
CLASSES = SPACE.index(SPACE.canonical(CODES))
RNG = np.random.default_rng(0)
QUALITY = RNG.normal(90, 1, SPACE.size)[CLASSES]
LATENCY = 1 + 9 * RNG.random(SPACE.size)
SEARCH = SearchSettings(trials=100, batch=100, front_share=0, infeasible_share=0)


def known(noise: float) -> Known:
    score = (QUALITY + noise * RNG.normal(size=SPACE.size))[CLASSES]
    return Known(SPACE, score, LATENCY, np.zeros((SPACE.size, 0)))


@pytest.mark.parametrize("sampler", ["predictor", "evolution"])
def test_candidates_keep_the_limit_and_ours_hits(sampler: str) -> None:
    settings = SEARCH.model_copy(update={"sampler": sampler, "batch": 50})
    found = search_score(known(1.0), 4.0, settings, 0)
    assert (LATENCY[found.rows] <= 4.0).all()
    assert len(set(CLASSES[found.rows])) == len(found.rows)
    assert found.hit or sampler != "predictor"


def test_trainings_help_and_only_they_are_seen() -> None:
    seen: list[int] = []

    class Watched(np.ndarray):
        def __getitem__(self, row):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
            seen.append(int(row))
            return super().__getitem__(row)

    about = known(2.0)
    found = search_score(about, 4.0, SEARCH, 0)
    revealed = QUALITY.view(Watched)
    picks = [
        answer(about, revealed, from_table(LATENCY), 4.0, found, LoopSettings(trainings=count, stop_gain_percent=0), 0)
        for count in (0, 20)
    ]
    assert len(seen) == 20
    assert picks[0] == found.rows[0]
    assert QUALITY[picks[1]] >= QUALITY[picks[0]]


def test_an_answer_is_measured_until_one_keeps_the_limit() -> None:
    about = known(0.0)
    found = search_score(about, 4.0, SEARCH, 0)
    true = LATENCY.copy()
    true[found.rows[:2]] = 9.0  # slower than predicted
    device = DeviceLatency(LATENCY, LATENCY * 2, 5, true)
    assert answer(about, QUALITY, device, 4.0, found, LoopSettings(), 3) == found.rows[2]
    assert device.checks == 2
    cautious = answer(about, QUALITY, DeviceLatency(LATENCY, LATENCY * 2, 0, true), 4.0, found, LoopSettings(), 0)
    assert cautious is not None
    assert LATENCY[cautious] * 2 <= 4.0
