"""Ends of a sum over decisions, against a listing."""

import numpy as np
import pytest

from surrogate_nas.space import extremes
from surrogate_nas.space.extremes import RangedSpace, ends, largest_count, parameter_range, sizes, smallest
from surrogate_nas.space.load import load_space


def test_the_smallest_of_a_sum_is_found_from_anywhere() -> None:
    space = load_space("nasbench201")
    weights = np.random.default_rng(0).normal(size=(space.num_decisions, 5))

    def total(codes: np.ndarray) -> np.ndarray:
        return np.asarray(weights[np.arange(space.num_decisions), codes].sum(axis=1))

    everything = space.all_codes()
    for start in (everything[:1], everything[-1:]):
        np.testing.assert_array_equal(smallest(space, total, start), everything[np.argmin(total(everything))])


def test_what_is_not_wanted_is_not_found() -> None:
    space = load_space("nasbench201")

    def cost(codes: np.ndarray) -> np.ndarray:
        return np.where(space.is_connected(codes), space.parameters(codes, space.network), np.inf)

    found = smallest(space, cost, space.all_codes())
    connected = space.all_codes()[space.is_connected(space.all_codes())]
    assert space.is_connected(found[None])[0]
    assert cost(found[None])[0] == cost(connected).min()


@pytest.mark.parametrize("name", ["nasbench201", "nasbench1shot1_1", "quick", "quick_elastic", "quick_widths"])
def test_ranges_are_those_of_the_listed_space(name: str) -> None:
    space = load_space(name)
    codes = space.all_codes()
    connected = space.effective(codes[space.is_connected(codes)])
    sizes = space.parameters(connected, space.network)
    assert isinstance(space, RangedSpace) == (name != "nasbench201")
    assert parameter_range(space, space.network) == (sizes.min(), sizes.max())
    searched = [layer for layer in space.layout(space.network) if not layer.is_fixed]
    counts = [sum(space.layer_counts(code, searched)) for code in connected[:: max(1, len(connected) // 300)]]
    most = connected[space.nonlinear_count(connected).argmax()]
    assert max(counts) <= sum(space.layer_counts(most, searched)) == largest_count(space, space.network)


@pytest.mark.parametrize("name", ["nasbench_macro", "quick_elastic"])
@pytest.mark.parametrize("most", [99, 12, 6, 4])
def test_ends_of_a_subspace_are_found_without_a_list(name: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of few nonlinear functions, of which no single one can be had more: which layers have them must be exchanged."""
    space = load_space(name)
    codes = space.effective(space.all_codes())

    def inside(rows: np.ndarray) -> np.ndarray:
        return np.asarray(space.nonlinear_count(rows) <= most)

    drawn = codes[inside(codes)]
    start = drawn[np.random.default_rng(0).integers(len(drawn), size=200)]
    listed = ends(space, space.network, start, inside)
    monkeypatch.setattr(extremes, "_MOST_LISTED", 1)
    searched = ends(space, space.network, start, inside)
    for one, other in zip(listed, searched, strict=True):
        first, second = (sizes(space, space.network, code[None]) for code in (one, other))
        np.testing.assert_array_equal(first, second)
    parameters, flops = (count(codes[inside(codes)], space.network) for count in (space.parameters, space.flops))
    assert space.parameters(np.stack(listed), space.network).tolist() == [parameters.min(), parameters.max()]
    assert space.flops(listed[1][None], space.network)[0] == flops[parameters == parameters.max()].max()
