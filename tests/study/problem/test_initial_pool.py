"""A study draws and labels the right architectures."""

import re

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.runs.settings import PoolSettings
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import Pool
from surrogate_nas.study.problem.initial_pool import draw_architectures, ends_of, first_pool, typical_rows
from surrogate_nas.study.problem.problem import Problem

NB201 = load_space("nasbench201")
assert isinstance(NB201, CellSpace)
EDGES = [(start, end) for end in range(1, 5) for start in range(end)]
LARGE = CellSpace(Identity("five_nodes", "0" * 16), EDGES, NB201.operations, NB201.network)


def test_a_space_that_can_be_listed_is_listed() -> None:
    assert first_pool(NB201, PoolSettings(draws=100), seed=0).complete


def test_another_is_drawn_from_by_the_seed() -> None:
    first, again, other = (first_pool(LARGE, PoolSettings(draws=150), seed) for seed in (0, 0, 1))
    assert len(first) == 150
    np.testing.assert_array_equal(first.codes, again.codes)
    assert not np.array_equal(first.codes, other.codes)


def test_ends_are_those_of_the_space_and_budgets_that_draws_miss_are_met() -> None:
    pool, costs = first_pool(LARGE, PoolSettings(draws=150), seed=0), AnalyticCosts(LARGE, LARGE.network)
    dear = pool.codes[costs.evaluate(pool.codes)["flops"] > 5e7]
    pool = Pool(LARGE, dear, complete=False, uniform=len(dear))
    few = LARGE.parse("|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|+|skip_connect~0|none~1|none~2|none~3|")
    limit = float(costs.evaluate(few[None])["flops"][0])
    assert limit < 5e7
    ends = ends_of(pool, costs, [[Budget("flops", limit), Budget("params", 1e9)]])
    found = costs.evaluate(ends)
    assert found["flops"].min() == limit
    assert LARGE.is_connected(ends).all()
    conv = costs.evaluate(np.full((1, 10), NB201.decisions[0].choices.index("nor_conv_3x3")))
    assert found["flops"].max() == conv["flops"][0]


def test_the_draw_follows_from_the_seed_alone(problem: Problem) -> None:
    space, settings = problem.space, problem.settings
    connected = problem.codes[problem.connected]
    drawn = draw_architectures(space, connected, settings)
    assert drawn.shape == (40, 6)
    assert len(np.unique(space.index(drawn))) == 40
    assert space.is_connected(drawn).all()
    np.testing.assert_array_equal(drawn, problem.drawn)
    more = settings.model_copy(update={"labels": settings.labels.model_copy(update={"count": 100})})
    np.testing.assert_array_equal(draw_architectures(space, connected, more)[:40], drawn)
    other = settings.model_copy(update={"seed": 1})
    assert not np.array_equal(draw_architectures(space, connected, other), drawn)


def test_too_few_different_architectures_are_said_before_training(problem: Problem) -> None:
    alike = problem.codes[problem.connected][:1].repeat(40, axis=0)
    with pytest.raises(SettingsError, match=re.escape("(got 40 with 1)")):
        draw_architectures(problem.space, alike, problem.settings)


def test_the_typical_are_drawn_and_connected() -> None:
    pool = first_pool(LARGE, PoolSettings(draws=150), seed=0)
    known = pool.extended(LARGE.parse("0" * 10)[None])
    assert typical_rows(known).tolist() == [*LARGE.is_connected(pool.codes).tolist(), *[False] * (len(known) - 150)]


def test_balanced_labels_are_of_all_depths(problem: Problem) -> None:
    labels = problem.settings.labels.model_copy(update={"draws": "balanced"})
    settings = problem.settings.model_copy(update={"labels": labels})
    space = load_space("images32")
    pool = first_pool(space, PoolSettings(draws=150), seed=0)
    drawn = draw_architectures(space, pool.codes, settings)
    assert len(np.unique(drawn, axis=0)) == len(drawn) == settings.labels.count
    counts = np.unique(space.nonlinear_count(drawn), return_counts=True)[1]
    assert counts.max() <= 2
    np.testing.assert_array_equal(draw_architectures(space, pool.codes, settings), drawn)
    # A listed space gives the architectures that it is given.
    own = problem.codes[problem.connected]
    of_own = draw_architectures(problem.space, own, settings)
    assert {code.tobytes() for code in of_own} <= {code.tobytes() for code in own}
    assert len(of_own) == min(settings.labels.count, len(own))


@pytest.mark.parametrize("name", ["images32", "quick"])
def test_varied_labels_are_near_architectures_with_a_name(
    problem: Problem, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = problem.settings.labels.model_copy(update={"draws": "varied"})
    space = load_space(name)
    if not space.known:
        monkeypatch.setattr(space, "known", {"some": space.effective(space.all_codes()[-1:])[0]})
    drawn = draw_architectures(
        space, space.sample(10, np.random.default_rng(0)), problem.settings.model_copy(update={"labels": labels})
    )
    assert len(np.unique(drawn, axis=0)) == len(drawn) > 20
    known = space.effective(np.stack(list(space.known.values())))
    assert np.median((drawn[:, None] != known[None]).sum(axis=2).min(axis=1)) <= -(-space.num_decisions // 3)


@pytest.mark.parametrize("draws", ["balanced", "varied"])
def test_fewer_labels_are_among_more(problem: Problem, draws: str) -> None:
    space = load_space("images32")

    def drawn(count: int) -> set[bytes]:
        labels = problem.settings.labels.model_copy(update={"count": count, "draws": draws})
        settings = problem.settings.model_copy(update={"labels": labels})
        codes = draw_architectures(space, space.sample(2, np.random.default_rng(0)), settings)
        assert len(codes) == count
        return {code.tobytes() for code in codes}

    few, many = drawn(60), drawn(100)
    assert len(few & many) >= (60 if draws == "varied" else 50)


def test_a_network_of_elastic_depth_is_typical_once() -> None:
    space = load_space("quick_elastic")
    pool = first_pool(space, PoolSettings(), seed=0)
    assert len(pool) == 648
    assert typical_rows(pool).sum() == 392
    assert (space.effective(pool.codes[typical_rows(pool)]) == pool.codes[typical_rows(pool)]).all()
