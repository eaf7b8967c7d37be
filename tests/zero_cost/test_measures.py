"""Measures against closed forms and plain loops."""

import numpy as np
import pytest
import torch

from surrogate_nas.zero_cost.measures import (
    code_matches,
    gradient_gain,
    log_determinant,
    spectrum_entropy,
    trainability,
)


def test_entropy_is_full_for_independent_channels_and_none_for_copies() -> None:
    even = torch.randn(1, 50, 4, 10, 10, generator=torch.Generator().manual_seed(0))
    copies = even[:, :, :1].expand(1, 50, 4, 10, 10)
    assert spectrum_entropy(even).item() == pytest.approx(np.log(4), abs=0.01)
    assert spectrum_entropy(copies).item() == pytest.approx(0, abs=1e-3)


def test_a_scaling_has_its_factor_as_gain() -> None:
    signs = torch.randint(0, 2, (2, 200, 3, 4, 4), generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    gains = gradient_gain(signs, torch.stack([0.5 * signs[0], 2 * signs[1]]))
    assert gains.tolist() == pytest.approx([0.5, 2], rel=0.1)


def test_gains_are_those_of_a_singular_value_decomposition() -> None:
    rng = torch.Generator().manual_seed(0)
    signs, gradients = torch.randn(3, 5, 6, 2, 2, generator=rng), torch.randn(3, 5, 3, 4, 4, generator=rng)
    for row, gain in enumerate(gradient_gain(signs, gradients).tolist()):
        folded = torch.nn.functional.pixel_unshuffle(gradients[row], 2)
        matrix = torch.einsum("bchw,bdhw->cd", folded, signs[row]) / (5 * 2 * 2)
        assert gain == pytest.approx(torch.linalg.svdvals(matrix)[0].item(), rel=1e-4)


def test_an_odd_side_is_filled_up_with_nothing() -> None:
    rng = torch.Generator().manual_seed(0)
    signs, gradients = torch.randn(2, 5, 6, 2, 2, generator=rng), torch.randn(2, 5, 3, 3, 3, generator=rng)
    filled = torch.nn.functional.pad(gradients, (0, 1, 0, 1))
    assert gradient_gain(signs, gradients).tolist() == gradient_gain(signs, filled).tolist()


def test_trainability_is_best_where_gradients_keep_their_size() -> None:
    scores = trainability(torch.tensor([0.3, 1.0, 3.0]))
    assert scores[1].item() == pytest.approx(0, abs=1e-5)
    assert scores[0] < scores[1] > scores[2]


def test_matches_count_units_that_agree() -> None:
    activations = torch.tensor([[[1.0, -1.0, 2.0], [1.0, 1.0, -2.0], [3.0, -1.0, 1.0]]])
    assert code_matches(activations)[0].tolist() == [[3, 1, 3], [1, 3, 1], [3, 1, 3]]


def test_determinants_are_logarithms() -> None:
    kernel = torch.diag(torch.tensor([2.0, 3.0])).unsqueeze(0)
    assert log_determinant(kernel).item() == pytest.approx(np.log(6), abs=1e-2)
