"""Every score that votes is computed, and every one that is computed has its place."""

from surrogate_nas.zero_cost.scores import SCORES
from surrogate_nas.zero_cost.settings import VOTES


def test_votes_are_of_scores_but_complexity_which_the_prior_counts_itself() -> None:
    assert set(VOTES) == set(SCORES) - {"complexity"}
    assert set(VOTES.values()) == {0.0, 1.0}
