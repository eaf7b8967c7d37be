"""Sums of pieces are the latencies of the pieces that a network has."""

import numpy as np

from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.piece_sums import PieceSums
from surrogate_nas.hardware.measure.pieces import workload
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


def test_a_sum_counts_every_piece_as_often_as_the_network_has_it(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    sums = PieceSums(space, network, Bench(space, network, quick))
    codes = space.effective(space.sample(20, np.random.default_rng(0)))
    pieces = workload(space, network)
    ms = np.array([sums.measured[piece.key].median_ms for piece in pieces.pieces])
    grouped = sums.group_ms(codes)
    assert grouped.shape == (20, len(sums.groups))
    np.testing.assert_allclose(grouped.sum(axis=1), pieces.counts(codes) @ ms)
    assert sums.weights(codes).tolist() == space.parameters(codes, network).tolist()
