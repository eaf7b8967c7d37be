"""Architectures are read off in their order of probability, and a planted collapse is reported."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from surrogate_nas.gradient.distributions.derivation import (
    candidates,
    collapse_of,
    derive,
    likeliest,
    log_probabilities,
)
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.distributions.subspace import Subspace
from surrogate_nas.gradient.methods import Derivation
from surrogate_nas.space.codes import Decision
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes, Space


def planted(space: Space, code: list[int], height: float) -> Independent:
    """Returns a distribution that prefers an architecture."""
    distribution = Independent(space, 0)
    with torch.no_grad():
        distribution.logits[torch.arange(len(code)), torch.tensor(code)] += height
    return distribution


def test_a_planted_collapse_is_reported(triangle: CellSpace) -> None:
    distribution = planted(triangle, [1, 1, 0], 6.0)
    code = candidates(Subspace(triangle), distribution, "argmax", 1, seed=0)[0]
    collapse = collapse_of(Subspace(triangle), distribution, code, seed=0, judged=False)
    # The skip behind the cut does nothing.
    assert (collapse.skips, collapse.cuts, collapse.decisions) == (1, 2, 3)
    assert collapse.entropy_share < 0.1
    assert collapse.warnings == ("the search has collapsed: 1 of 3 decisions skip and 2 cut",)


def test_a_flat_distribution_is_reported_unless_candidates_were_judged(triangle: CellSpace) -> None:
    distribution = Independent(triangle, 0)
    code = np.array([3, 3, 3], dtype=np.int8)
    collapse = collapse_of(Subspace(triangle), distribution, code, seed=0, judged=False)
    assert collapse.entropy_share == pytest.approx(1, abs=1e-3)
    assert "nearly uniform" in collapse.warnings[0]
    assert collapse_of(Subspace(triangle), distribution, code, seed=0, judged=True).warnings == ()


def test_skips_of_chains_count() -> None:
    space = load_space("nasbench_macro")
    names = [decision.choices for decision in space.decisions]
    code = np.array([row.index("skip") if "skip" in row else 0 for row in names], dtype=np.int8)
    assert sum("skip" in row for row in names) > 0
    collapse = collapse_of(Subspace(space), Independent(space, 0), code, seed=0, judged=False)
    assert collapse.skips == sum("skip" in row for row in names)


def test_the_likeliest_connected_architectures_come_first(triangle: CellSpace) -> None:
    distribution = planted(triangle, [2, 0, 0], 3.0)  # which is cut
    codes = likeliest(Subspace(triangle), distribution, 64, seed=0)
    every = triangle.all_codes()
    once = np.unique(triangle.effective(every[triangle.is_connected(every)]), axis=0)
    assert np.unique(triangle.effective(codes), axis=0).tolist() == once.tolist()
    assert len(codes) == len(once)
    assert triangle.is_connected(codes).all()
    assert (np.diff(log_probabilities(distribution, codes)) <= 0).all()


def test_the_mode_of_a_large_space_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_space("nasbench_macro")
    monkeypatch.setattr(type(space), "listable", False)
    code = [choice % len(decision.choices) for choice, decision in enumerate(space.decisions)]
    assert likeliest(Subspace(space), planted(space, code, 1.0), 3, seed=0)[0].tolist() == code
    assert isinstance(space.decisions[0], Decision)


@pytest.mark.parametrize("share", [None, 0.05])
def test_the_likeliest_of_a_large_space_are_on_top_of_all_around_them(share: float | None) -> None:
    space, rng = load_space("fbnet"), np.random.default_rng(0)
    distribution = Independent(space, 0)
    with torch.no_grad():
        distribution.logits.add_(torch.from_numpy(rng.normal(size=distribution.logits.shape)).float())
    most = np.quantile(space.flops(space.sample(200, rng), space.network), share or 1)
    keeps = None if share is None else lambda codes: space.flops(codes, space.network) <= most
    found = likeliest(Subspace(space), distribution, 20, 0, keeps)
    logs = log_probabilities(distribution, found)
    assert (np.diff(logs) <= 0).all()
    assert len(np.unique(space.effective(found), axis=0)) == 20
    beside = np.array(
        [
            [*found[0][:place], choice, *found[0][place + 1 :]]
            for place, decision in enumerate(space.decisions)
            for choice in range(len(decision.choices))
        ],
        dtype=np.int8,
    )
    if keeps is not None:
        assert keeps(found).all()
        beside = beside[keeps(beside)]
    assert log_probabilities(distribution, beside).max() <= logs[0] + 1e-6
    assert len(likeliest(Subspace(space), distribution, 20, 0, lambda codes: np.zeros(len(codes), dtype=np.bool_))) == 0


def test_drawn_candidates_are_different_computations(triangle: CellSpace) -> None:
    codes = candidates(Subspace(triangle), Independent(triangle, 0), "drawn", 40, seed=0)
    assert len(np.unique(triangle.effective(codes), axis=0)) == len(codes) > 10


@pytest.mark.parametrize("how", ["argmax", "likeliest", "drawn"])
def test_candidates_keep_the_budgets_and_there_may_be_none(triangle: CellSpace, how: Derivation) -> None:
    distribution = planted(triangle, [3, 3, 3], 2.0)

    def keeps(codes: Codes) -> NDArray[np.bool_]:
        return np.asarray((codes == 3).sum(axis=1) <= 1)

    codes = candidates(Subspace(triangle), distribution, how, 5, seed=0, keeps=keeps)
    assert 1 <= len(codes) <= 5
    assert keeps(codes).all()
    if how == "argmax":
        every = triangle.all_codes()[triangle.is_connected(triangle.all_codes())]
        every = every[keeps(every)]
        assert codes.tolist() == [every[log_probabilities(distribution, every).argmax()].tolist()]
    none = candidates(Subspace(triangle), distribution, how, 5, seed=0, keeps=lambda c: np.zeros(len(c), dtype=bool))
    assert none.shape == (0, 3)


def test_the_best_candidate_is_derived_and_a_single_one_is_not_judged() -> None:
    codes = np.array([[0], [2], [1]], dtype=np.int8)
    assert derive(codes, lambda code: float(code[0])).tolist() == [2]
    assert derive(codes[:1], lambda _: pytest.fail("judged")).tolist() == [0]


def test_choices_of_inputs_are_no_operations() -> None:
    space = load_space("darts")
    code = np.zeros(space.num_decisions, dtype=np.int8)
    collapse = collapse_of(Subspace(space), Independent(space, 0), code, seed=0, judged=False)
    assert collapse.decisions == 16  # two cells of four nodes with two operations each
