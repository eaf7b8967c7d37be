"""Turns a distribution over architectures into a vote of the predictor, and into words."""

import numpy as np

from surrogate_nas.gradient.learned import Learned
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.space import Codes
from surrogate_nas.study.problem.problem import Problem

VOTE = "learned"
_MOST_CODES = 50_000  # as for the scores of networks with random weights


def votes_of(problem: Problem, learned: Learned) -> ClassTable | None:
    """Returns the largest log-probability in every isomorphism class; None where it says nothing or cannot vote."""
    space, settings = problem.space, problem.settings
    sees = settings.gradient.row.distribution_sees
    if sees == "nothing" or settings.predictor.recipe != "fusion" or not space.listable or space.size > _MOST_CODES:
        return None
    codes: Codes = space.all_codes()
    codes = codes[space.is_connected(codes)]
    places = space.index(space.canonical(codes))
    classes, rows = np.unique(places, return_inverse=True)
    values = np.full(len(classes), -np.inf)
    np.maximum.at(values, rows, learned.log_probabilities(codes))
    return ClassTable(space, (VOTE,), space.codes_at(classes), values[:, None])


def notes_on(problem: Problem, learned: Learned) -> tuple[str, ...]:
    """Returns the derived architecture in words and, where the distribution has no vote, the reason."""
    settings = problem.settings.gradient
    code = problem.space.format(learned.code)
    found = f"gradient.method = {settings.method!r} derives {code}: {learned.collapse.in_words()}"
    if votes_of(problem, learned) is None:
        return found, "the distribution does not vote in the predictor: " + _reason(problem)
    return (found,)


def _reason(problem: Problem) -> str:
    if problem.settings.gradient.row.distribution_sees == "nothing":
        return "it learns nothing (gradient.distribution_sees = 'nothing')"
    if problem.settings.predictor.recipe != "fusion":
        return f"predictor.recipe = {problem.settings.predictor.recipe!r} has no votes"
    return f"{problem.space.name} has more than {_MOST_CODES:,} codes"
