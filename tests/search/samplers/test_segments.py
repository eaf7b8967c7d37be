"""Segments against a listing of the whole space, which is small enough here."""

import itertools
import re
from collections.abc import Callable

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError, TrainingError
from surrogate_nas.search.samplers.segments import SegmentSearch, SegmentSettings, even_segments, search_segments

CHOICES = (3, 3, 2, 4, 3, 3)
EVERY = np.array(list(itertools.product(*map(range, CHOICES))), dtype=np.int8)
SEARCH = SegmentSearch(CHOICES, ((0, 1), (2, 3), (4, 5)), labels=120, kept=4)


def quality(codes: np.ndarray) -> np.ndarray:
    """Returns a quality in which each decision counts, and neighbours interact, across segments too."""
    single = codes @ np.array([0.5, -0.3, 0.8, 0.4, -0.6, 0.7])
    together = (codes[:, 1] == codes[:, 2]) * 0.7 + (codes[:, 3] == codes[:, 4]) * 0.5
    return np.asarray(single + together)


def columns(codes: np.ndarray) -> np.ndarray:
    single = np.concatenate([np.eye(n)[codes[:, i]] for i, n in enumerate(CHOICES)], axis=1)
    pairs = [codes[:, i] == codes[:, i + 1] for i in range(5)]
    return np.concatenate([single, np.stack(pairs, axis=1), np.ones((len(codes), 1))], axis=1)


def fit(codes: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    weights = np.linalg.lstsq(columns(codes), labels, rcond=1e-6)[0]
    return lambda asked: np.asarray(columns(asked) @ weights)


def test_it_finds_the_best_of_the_whole_space_from_few_labels() -> None:
    noise = np.random.default_rng(1)
    result = search_segments(SEARCH, lambda codes: quality(codes) + noise.normal(0, 0.05, len(codes)), fit, seed=0)
    assert result.codes.shape == (4, 6)
    assert (np.diff(result.scores) <= 0).all()
    assert quality(result.codes[:1])[0] == pytest.approx(quality(EVERY).max())
    assert len(result.labelled) == 360


def test_one_segment_is_a_scan_of_the_space() -> None:
    whole = SegmentSearch(CHOICES, (tuple(range(6)),), labels=5, kept=3)
    result = search_segments(whole, quality, lambda *_: quality, seed=0)
    best = np.argsort(-quality(EVERY), kind="stable")[:3]
    assert np.array_equal(result.codes, EVERY[best])


def test_later_segments_label_what_extends_the_supercells() -> None:
    asked: list[np.ndarray] = []

    def label(codes: np.ndarray) -> np.ndarray:
        asked.append(codes)
        return quality(codes)

    search_segments(SEARCH, label, lambda *_: quality, seed=0)
    assert len(np.unique(asked[0][:, :2], axis=0)) == 9
    assert len(np.unique(asked[1][:, :2], axis=0)) <= 4
    assert len(np.unique(asked[2][:, :4], axis=0)) <= 4
    assert len(np.unique(asked[1][:, 2:], axis=0)) > 30


def test_one_seed_one_result() -> None:
    first, again = (search_segments(SEARCH, quality, fit, seed=5) for _ in range(2))
    assert np.array_equal(first.labelled, again.labelled)
    assert np.array_equal(first.codes, again.codes)


@pytest.mark.parametrize(
    ("segments", "options", "message"),
    [
        (((0, 1), (2, 3)), {}, "every decision from 0 to 5 once"),
        (((0, 1), (1, 2), (3, 4, 5)), {}, "every decision"),
        ((tuple(range(6)),), {"kept": 0}, "kept of a search in segments must be at least 1"),
        ((tuple(range(6)),), {"kept": 10_000}, "make segments shorter"),
    ],
)
def test_impossible_segments_are_refused(
    segments: tuple[tuple[int, ...], ...], options: dict[str, int], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        SegmentSearch(CHOICES, segments, **options)


def test_labels_that_are_not_numbers_end_the_search() -> None:
    with pytest.raises(TrainingError, match="120 finite labels"):
        search_segments(SEARCH, lambda codes: np.full(len(codes), np.nan), fit, seed=0)


def test_budgets_hold_for_labels_and_answer() -> None:
    def excess(codes: np.ndarray) -> np.ndarray:
        return np.asarray(codes.sum(axis=1) / 5.0 - 1.0)

    asked: list[np.ndarray] = []

    def label(codes: np.ndarray) -> np.ndarray:
        asked.append(codes)
        return quality(codes)

    wide = SegmentSearch(CHOICES, SEARCH.segments, labels=120, kept=24)
    result = search_segments(wide, label, fit, seed=0, excess=excess)
    assert all((excess(codes) <= 0).all() for codes in asked)
    feasible = EVERY[excess(EVERY) <= 0]
    assert excess(result.codes[:1])[0] <= 0
    assert quality(result.codes[:1])[0] == pytest.approx(quality(feasible).max())


def test_a_budget_that_nothing_keeps_leads_to_the_least_excess() -> None:
    result = search_segments(SEARCH, quality, fit, seed=0, excess=lambda codes: 1.0 + codes.sum(axis=1))
    assert result.codes[0].sum() <= 2


def test_segments_are_as_few_as_may_be_scored() -> None:
    settings = SegmentSettings(kept=6, scored=20_000)
    assert even_segments([7] * 4, settings) == ((0, 1, 2, 3),)
    segments = even_segments([7] * 21, settings)
    assert [decision for segment in segments for decision in segment] == list(range(21))
    assert max(map(len, segments)) == 4
    assert len(segments) == 6
    with pytest.raises(SettingsError, match=re.escape("the choices of one decision, 40 (got 200 with 6 kept)")):
        even_segments([40, 2], SegmentSettings(scored=200))


def test_super_cells_are_different_networks() -> None:
    def effective(codes: np.ndarray) -> np.ndarray:
        return np.where(np.arange(6) == 5, 0, codes)

    def quality_of_network(codes: np.ndarray) -> np.ndarray:
        return quality(effective(codes))

    found = [
        search_segments(SEARCH, quality_of_network, lambda *_: quality_of_network, seed=0, effective=one)
        for one in (np.asarray, effective)
    ]
    assert [len(np.unique(effective(result.codes), axis=0)) for result in found] == [2, 4]
    assert [len(result.codes) for result in found] == [4, 4]
