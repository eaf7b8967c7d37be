"""Scrambling is one to one and leaves nothing linear."""

import numpy as np

from surrogate_nas.space.hashing import graph_keys, mix


def test_values_stay_different_and_sums_of_few_are_different_too() -> None:
    mixed = mix(np.arange(300, dtype=np.uint64))
    sums = (mixed[:, None] + mixed[None, :])[np.triu_indices(300)]
    assert len(np.unique(mixed)) == 300
    assert len(np.unique(sums)) == len(sums)


def test_the_first_values_are_those_of_splitmix64() -> None:
    """With seed 0: the first outputs that Vigna's reference implementation gives."""
    first = mix(np.arange(3, dtype=np.uint64)).tolist()
    assert first == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_a_key_does_not_depend_on_the_order_of_nodes_nor_on_those_that_are_not_there() -> None:
    rng = np.random.default_rng(0)
    types = rng.integers(1, 4, size=(20, 5))
    flow = np.triu(rng.integers(0, 3, size=(20, 5, 5)), k=1).astype(np.uint64)
    order = rng.permutation(5)
    keys = graph_keys(types, flow, 5)
    assert np.array_equal(graph_keys(types[:, order], flow[:, order][:, :, order], 5), keys)
    more = np.pad(flow, ((0, 0), (0, 1), (0, 1)))
    assert np.array_equal(graph_keys(np.pad(types, ((0, 0), (0, 1))), more, 5), keys)
    assert len(np.unique(keys)) == 20


def test_a_key_tells_types_and_the_direction_of_data_apart() -> None:
    flow = np.zeros((1, 2, 2), dtype=np.uint64)
    flow[0, 0, 1] = 1
    chains = [graph_keys(np.array([types]), flow, 2)[0] for types in ([1, 2], [2, 1], [1, 1], [2, 2])]
    assert len(set(chains)) == 4
