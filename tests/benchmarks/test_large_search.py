"""The comparison of ways to spend labels, tiny."""

import json

import numpy as np
import pytest

from benchmarks import large_search
from benchmarks.large_search import Quality, main
from surrogate_nas.search.samplers import local_search as climb
from surrogate_nas.space.load import load_space


@pytest.mark.slow
def test_every_way_is_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fast = large_search._SETTINGS.model_copy(update={"steps": 5, "ensemble": 1, "width": 8})
    monkeypatch.setattr(large_search, "_SETTINGS", fast)
    monkeypatch.setattr(climb, "GENERATIONS", 2)
    monkeypatch.setattr(climb, "STEPS", 2)
    assert main(["--space", "quick", "--labels", "50", "--seeds", "1", "--percentile", "50", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["way"] for row in rows] == list(large_search.WAYS)
    assert all(np.isfinite(row["mean_regret"]) and row["mean_regret"] >= 0 for row in rows)


def test_quality_is_a_function_of_the_seed() -> None:
    space = load_space("mobilenet")
    codes = space.sample(50, np.random.default_rng(1))
    one, same, other = (Quality(space, np.random.default_rng(seed))(codes) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
