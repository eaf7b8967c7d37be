"""Draws of networks follow from a seed."""

import torch

from surrogate_nas.nets.own_draws import drawn_by

CPU = torch.device("cpu")


def test_draws_follow_from_the_seed_and_leave_the_state_alone() -> None:
    before = torch.random.get_rng_state()
    found = []
    for seed in ((3, 0, 5), (3, 0, 5), (3, 0, 6), (3, 1, 5)):
        torch.rand(7)
        state = torch.random.get_rng_state()
        with drawn_by(seed, CPU):
            found.append(torch.rand(4))
        assert torch.equal(torch.random.get_rng_state(), state)
    torch.random.set_rng_state(before)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[3])
