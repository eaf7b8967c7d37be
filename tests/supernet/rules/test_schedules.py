"""Learning rates against their formulas, written out subnet by subnet."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.rules.schedules import Complexity, Cosine

ONE = np.zeros((1, 1, 6), dtype=np.int8)


def cosine(first: float, last: float, progress: float) -> float:
    rates, factors = Cosine(first, last).rates(np.array([progress]), ONE)
    assert factors.tolist() == [[1.0]]
    return float(rates[0])


class TestCosine:
    def test_begins_at_the_first_rate_and_would_reach_the_last_at_the_end(self) -> None:
        assert cosine(0.1, 0.001, 0) == 0.1
        assert cosine(0.1, 0.001, 0.5) == pytest.approx((0.1 + 0.001) / 2)
        assert cosine(0.1, 0.001, 1) == 0.001

    def test_falls_all_the_way_and_never_to_nothing(self) -> None:
        rates = np.array([cosine(0.1, 0.0, step / 1000) for step in range(1000)])
        assert (np.diff(rates) < 0).all()
        assert rates[-1] > 0

    def test_is_the_formula_of_sgdr(self) -> None:
        # Loshchilov and Hutter, arXiv 1608.03983, equation 5
        rates = [cosine(0.3, 0.1, step / 7) for step in range(8)]
        expected = [0.1 + 0.5 * 0.2 * (1 + math.cos(step / 7 * math.pi)) for step in range(8)]
        assert rates == pytest.approx(expected, rel=1e-14)

    def test_ignores_the_subnets(self, space: CellSpace) -> None:
        codes = space.sample(20, np.random.default_rng(0)).reshape(5, 4, 6)
        rates, factors = Cosine(0.1, 0.0).rates(np.full(5, 0.3), codes)
        assert len(set(rates.tolist())) == 1
        assert (factors == np.ones((5, 4))).all()


def naive(space: CellSpace, network: NetworkSpec, code: list[int], progress: float, gamma_max: float) -> float:
    """(1 - t/T)^gamma(a) of DYNAS, arXiv 2503.10740, from two equations for w and b."""
    codes = space.all_codes()
    connected = codes[space.is_connected(codes)]
    sizes = [int(size) for size in space.parameters(space.effective(connected), network)]
    # gamma_max = w ln(smallest) + b and 1 / gamma_max = w ln(largest) + b
    equations = np.array([[math.log(min(sizes)), 1.0], [math.log(max(sizes)), 1.0]])
    w, b = np.linalg.solve(equations, [gamma_max, 1 / gamma_max])
    own = int(space.parameters(space.effective([code]), network)[0])
    return float((1 - progress) ** (w * math.log(own) + b))


class TestComplexity:
    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 999), progress=st.floats(0, 0.99), gamma_max=st.sampled_from([1.0, 4.0, 6.5]))
    def test_one_subnet_has_a_rate_of_its_own(
        self, triangle: CellSpace, network: NetworkSpec, seed: int, progress: float, gamma_max: float
    ) -> None:
        codes = triangle.all_codes()
        code = np.random.default_rng(seed).choice(codes[triangle.is_connected(codes)])
        rule = Complexity(triangle, network, 0.1, gamma_max)
        rates, factors = rule.rates(np.array([progress]), code[None, None])
        expected = 0.1 * naive(triangle, network, code.tolist(), progress, gamma_max)
        assert rates[0] == pytest.approx(expected, rel=1e-9)
        assert factors.tolist() == [[1.0]]

    def test_several_subnets_share_the_first_rate_and_have_factors(
        self, space: CellSpace, network: NetworkSpec
    ) -> None:
        codes = space.all_codes()
        codes = np.random.default_rng(0).choice(codes[space.is_connected(codes)], 6).reshape(2, 3, 6)
        rates, factors = Complexity(space, network, 0.1, 4.0).rates(np.array([0.2, 0.7]), codes)
        assert rates.tolist() == [0.1, 0.1]
        expected = [
            [naive(space, network, code, progress, 4.0) for code in row]
            for row, progress in zip(codes.tolist(), (0.2, 0.7), strict=True)
        ]
        assert np.allclose(factors, expected, rtol=1e-9)

    def test_ends_of_the_exponent(self, space: CellSpace, network: NetworkSpec) -> None:
        rule = Complexity(space, network, 0.1, 4.0)
        gamma = rule.gamma(np.array([[1] * 6, [3] * 6, [4] * 6], dtype=np.int8))
        assert gamma == pytest.approx([4.0, 0.25, 4.0])
        codes = space.all_codes()
        everywhere = rule.gamma(codes[space.is_connected(codes)])
        assert everywhere.min() == pytest.approx(0.25)
        assert everywhere.max() == pytest.approx(4.0)
        # A dead convolution makes no subnet larger.
        assert rule.gamma(np.array([[0, 1, 3, 1, 0, 1]], dtype=np.int8)) == pytest.approx([4.0])

    def test_all_fall_to_nothing_from_the_first_rate(self, space: CellSpace, network: NetworkSpec) -> None:
        rule, steps = Complexity(space, network, 0.1, 4.0), np.linspace(0, 1, 50)
        for operation in (1, 3):
            rates, _ = rule.rates(steps, np.full((50, 1, 6), operation, dtype=np.int8))
            assert rates[0] == 0.1
            assert rates[-1] == 0
            assert (np.diff(rates) < 0).all()

    def test_a_space_of_one_size_is_refused(self, network: NetworkSpec) -> None:
        flat = CellSpace(Identity("flat", "2" * 16), ((0, 1),), ("none", "skip_connect", "avg_pool_3x3"), network)
        with pytest.raises(SettingsError, match=re.escape("needs architectures that differ in size; in flat all have")):
            Complexity(flat, network, 0.1, 4.0)


def test_a_rate_at_the_end_is_what_every_subnet_decays_to(space: CellSpace) -> None:
    codes = space.all_codes()
    codes = np.random.default_rng(0).choice(codes[space.is_connected(codes)], 6)
    progress = np.array([0.0, 0.5, 1.0])
    to_zero, to_half = (Complexity(space, space.network, 0.1, 2.0, last) for last in (0.0, 0.05))
    for each in (codes[:3, None], codes.reshape(3, 2, -1)):
        (rates, factors), (plain, powers) = to_half.rates(progress, each), to_zero.rates(progress, each)
        np.testing.assert_allclose(rates[:, None] * factors, 0.05 + 0.5 * plain[:, None] * powers)
        np.testing.assert_allclose((rates[:, None] * factors)[-1], 0.05)
