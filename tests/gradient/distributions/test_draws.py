"""Draws of a step follow from the seed and the step; nearly equal logits draw uniformly among connected networks."""

from collections import Counter

import numpy as np
import pytest
import torch

from surrogate_nas.errors import TrainingError
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.distributions.draws import draw, generator
from surrogate_nas.gradient.distributions.subspace import Subspace
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet.splits.bands import BandSplit


def test_a_uniform_distribution_draws_uniformly_among_connected_networks(triangle: CellSpace) -> None:
    connected = triangle.all_codes()[triangle.is_connected(triangle.all_codes())]
    distribution = Independent(triangle, 0)
    with torch.no_grad():
        distribution.logits.zero_()
    rng = generator(1, 0, 0)
    learnt = draw(Subspace(triangle), distribution, 3000, rng).codes.tolist()
    for codes in (learnt, [Subspace(triangle).uniform(rng).tolist() for _ in range(3000)]):
        counts = Counter(map(tuple, codes))
        assert counts.keys() <= set(map(tuple, connected.tolist()))
        expected = 3000 / len(connected)
        chi_square = sum((counts[tuple(code)] - expected) ** 2 / expected for code in connected.tolist())
        assert chi_square < len(connected) + 5 * (2 * len(connected)) ** 0.5


def test_noise_draws_what_it_came_with(triangle: CellSpace) -> None:
    distribution = Independent(triangle, 0)
    drawn = draw(Subspace(triangle), distribution, 20, generator(1, 0, 7))
    assert torch.equal(distribution.draw(drawn.noise), drawn.codes)
    assert torch.equal(draw(Subspace(triangle), distribution, 20, generator(1, 0, 7)).codes, drawn.codes)
    assert not torch.equal(draw(Subspace(triangle), distribution, 20, generator(1, 0, 8)).codes, drawn.codes)


def test_a_distribution_of_cut_networks_is_an_error(triangle: CellSpace) -> None:
    distribution = Independent(triangle, 0)
    with torch.no_grad():
        distribution.logits[:, 0] = 100.0
    with pytest.raises(TrainingError, match=r"'none' has taken over; lower gradient\.rate"):
        draw(Subspace(triangle), distribution, 1, np.random.default_rng(0))


def test_a_band_of_counts_is_drawn_from_alone(triangle: CellSpace) -> None:
    split = BandSplit(triangle, ((0,), (1, 2)))
    distribution = Independent(triangle, 0)
    for group in (0, 1):
        part = Subspace(triangle, split, group)
        codes = draw(part, distribution, 300, generator(1, 0, 0)).codes.numpy().astype(np.int8)
        assert (split.assign(codes) == group).all()
        assert triangle.is_connected(codes).all()
        assert len(np.unique(codes, axis=0)) == len(part.codes())
    with torch.no_grad():
        distribution.logits[:, 1] = 100.0  # identities have no nonlinear function
    with pytest.raises(TrainingError, match=r"hardly any network of triangle .* in the subspace '1/2 nonlinear'"):
        draw(Subspace(triangle, split, 1), distribution, 1, generator(1, 0, 0))
