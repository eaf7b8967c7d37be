"""Turns scores of networks with random weights into votes of the predictor's prior."""

from collections.abc import Callable

from surrogate_nas.predictor.fusion.priors import ExtraScores
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.space import Space
from surrogate_nas.zero_cost.cached import cached_table
from surrogate_nas.zero_cost.settings import VOTES, ZeroCostSettings


def zero_cost_votes(
    space: Space,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ExtraScores:
    """Returns zero-cost scores of every architecture of a space, computed once per machine.

    Args:
        space: A space of cells or chains with at most 50,000 codes; one of nasbench201's size takes a minute or two.
        on_progress: Called with the number of architectures scored and the number to score.
        should_stop: Called from time to time; True ends it.

    Raises:
        SpaceError: If the space is of a kind without scores, or has too many architectures.
        Interrupted: If ``should_stop`` returned True.

    Example:
        >>> from surrogate_nas import load_space, zero_cost_votes
        >>> votes = zero_cost_votes(load_space("quick"))
        >>> sorted(votes.weights)
        ['expressivity', 'naswot', 'progressivity', 'synflow', 'trainability']
    """
    return votes_of(cached_table(space, ZeroCostSettings(), on_progress, should_stop))


def votes_of(table: ClassTable) -> ExtraScores:
    """Returns the scores of a table as votes."""
    return ExtraScores(table.pick(tuple(VOTES)), VOTES)
