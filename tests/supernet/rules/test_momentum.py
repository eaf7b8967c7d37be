"""Groups of momenta: by a decision that the seed draws, and that is open."""

import pytest

from surrogate_nas.supernet.rules.momentum import MOMENTUM_GROUPS, Joint, Separated

OPEN = ((0, 1, 2), (0, 1), (0, 1, 2, 3))


@pytest.mark.parametrize("name", MOMENTUM_GROUPS)
def test_every_rule_names_an_open_decision_or_none_and_repeats_with_the_seed(name: str) -> None:
    rule = MOMENTUM_GROUPS[name]
    for seed in range(20):
        found = rule.separation(((1,), *OPEN), seed)
        assert found in (None, 1, 2, 3)
        assert found == rule.separation(((1,), *OPEN), seed)


def test_joint_momenta_are_of_one_group() -> None:
    assert Joint().separation(OPEN, 0) is None


def test_the_seed_draws_the_decision_and_one_that_is_cut_gives_way_to_the_next() -> None:
    rule = Separated()
    first = [rule.separation(OPEN, seed) for seed in range(40)]
    assert set(first) == {0, 1, 2}
    for seed, decision in enumerate(first):
        cut = tuple((0,) if column == decision else choices for column, choices in enumerate(OPEN))
        assert rule.separation(cut, seed) not in (None, decision)
    assert rule.separation(((0,), (1,)), 0) is None
