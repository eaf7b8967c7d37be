"""Scrambling is one to one and leaves nothing linear."""

import numpy as np

from surrogate_nas.space.hashing import mix


def test_values_stay_different_and_sums_of_few_are_different_too() -> None:
    mixed = mix(np.arange(300, dtype=np.uint64))
    sums = (mixed[:, None] + mixed[None, :])[np.triu_indices(300)]
    assert len(np.unique(mixed)) == 300
    assert len(np.unique(sums)) == len(sums)


def test_the_first_values_are_those_of_splitmix64() -> None:
    """With seed 0: the first outputs that Vigna's reference implementation gives."""
    first = mix(np.arange(3, dtype=np.uint64)).tolist()
    assert first == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
