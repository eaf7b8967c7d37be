"""Computed once, read afterwards, and computed again where the file is damaged."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import SpaceError, SurrogateNasWarning
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.zero_cost import cached
from surrogate_nas.zero_cost.cached import cached_table, can_be_scored, distinct_codes, table_path
from surrogate_nas.zero_cost.scores import SCORES
from surrogate_nas.zero_cost.settings import ZeroCostSettings


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


def test_scores_are_computed_once(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def pretend(_space: Space, codes: Codes, *_more: object) -> np.ndarray:
        asked.append(len(codes))
        return np.random.default_rng(0).normal(size=(len(codes), len(SCORES)))

    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path))
    monkeypatch.setattr(cached, "zero_cost_scores", pretend)
    settings = ZeroCostSettings()
    first = cached_table(space, settings)
    assert np.array_equal(cached_table(space, settings).values, first.values)
    assert asked == [5424]
    assert np.isfinite(first.columns(space.all_codes())).all()
    table_path(space, settings).write_bytes(b"nothing")
    with pytest.warns(SurrogateNasWarning, match="computed again"):
        cached_table(space, settings)
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path / "a file"))
    (tmp_path / "a file").write_text("")
    with pytest.warns(SurrogateNasWarning, match="cannot be kept"):
        cached_table(space, settings)
    assert asked == [5424] * 3


def test_there_is_one_code_for_each_class_that_computes_something(space: Space) -> None:
    codes = distinct_codes(space)
    assert len(codes) == 5424
    assert np.array_equal(codes, space.canonical(codes))
    assert space.is_connected(codes).all()


def test_large_spaces_are_refused(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "MOST_CODES", 1000)
    assert not can_be_scored(space)
    with pytest.raises(SpaceError, match="at most 1,000 codes"):
        cached.compute_table(space, ZeroCostSettings())
