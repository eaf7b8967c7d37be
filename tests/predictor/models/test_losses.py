"""Losses against their definitions written out with loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.predictor.models.losses import LOSSES, listwise_likelihood, mean_squared_error, pairwise_logistic

SCORES = st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 4)), min_size=2, max_size=8)


def split(rows: list[tuple[float, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    return (
        torch.tensor([score for score, _ in rows], dtype=torch.float64),
        torch.tensor([target for _, target in rows], dtype=torch.float64),
    )


@given(SCORES)
def test_pairwise_is_the_mean_over_pairs_that_differ(rows: list[tuple[float, int]]) -> None:
    terms = [math.log1p(math.exp(s_j - s_i)) for s_i, t_i in rows for s_j, t_j in rows if t_i > t_j]
    expected = sum(terms) / len(terms) if terms else 0.0
    assert pairwise_logistic(*split(rows)).item() == pytest.approx(expected, rel=1e-9)


@given(SCORES)
def test_listwise_is_the_plackett_luce_likelihood(rows: list[tuple[float, int]]) -> None:
    ordered = [score for score, _ in sorted(rows, key=lambda row: -row[1])]
    terms = [math.log(sum(math.exp(s) for s in ordered[i:])) - ordered[i] for i in range(len(ordered))]
    assert listwise_likelihood(*split(rows)).item() == pytest.approx(sum(terms) / len(terms), abs=1e-9)


def test_mean_squared_error() -> None:
    assert mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0])).item() == 2.5


@pytest.mark.parametrize("name", ["pairwise", "listwise"])
@given(rows=SCORES, shift=st.floats(-3, 3))
def test_ranking_losses_do_not_see_a_shift_of_the_scores(
    name: str, rows: list[tuple[float, int]], shift: float
) -> None:
    scores, targets = split(rows)
    assert LOSSES[name](scores + shift, targets).item() == pytest.approx(LOSSES[name](scores, targets).item(), abs=1e-9)


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_step_against_the_gradient_improves_the_order(name: str) -> None:
    scores = torch.tensor([0.5, 0.0, -0.5], requires_grad=True)
    LOSSES[name](scores, torch.tensor([-1.0, 0.0, 1.0])).backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad[0] > 0 > scores.grad[2]


def test_equal_targets_give_no_pairwise_gradient() -> None:
    scores = torch.tensor([0.5, -0.5], requires_grad=True)
    pairwise_logistic(scores, torch.zeros(2)).backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", list(LOSSES))
def test_large_scores_stay_finite(name: str) -> None:
    assert torch.isfinite(LOSSES[name](torch.tensor([1e4, -1e4]), torch.tensor([0.0, 1.0])))
