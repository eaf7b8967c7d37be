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
    if refusal_to_vote(problem) is not None:
        return None
    space = problem.space
    codes: Codes = space.all_codes()
    codes = codes[space.is_connected(codes)]
    places = space.index(space.canonical(codes))
    classes, rows = np.unique(places, return_inverse=True)
    values = np.full(len(classes), -np.inf)
    np.maximum.at(values, rows, learned.log_probabilities(codes))
    return ClassTable(space, (VOTE,), space.codes_at(classes), values[:, None])


def notes_on(problem: Problem, learned: Learned) -> tuple[str, ...]:
    """Returns the derived architecture in words and, where the distribution has no vote, the reason."""
    code = problem.space.format(learned.code)
    found = f"gradient.method = {problem.settings.gradient.method!r} derives {code}: {learned.collapse.in_words()}"
    refusal = refusal_to_vote(problem)
    return (found,) if refusal is None else (found, f"the distribution does not vote in the predictor: {refusal}")


def refusal_to_vote(problem: Problem) -> str | None:
    """Returns why a learned distribution says nothing to the predictor, or None if it votes."""
    space, settings = problem.space, problem.settings
    if settings.gradient.row.distribution_sees == "nothing":
        return "it learns nothing (gradient.distribution_sees = 'nothing')"
    if settings.predictor.recipe != "fusion":
        return f"predictor.recipe = {settings.predictor.recipe!r} has no votes"
    if not space.listable or space.size > _MOST_CODES:
        return f"{space.name} has more than {_MOST_CODES:,} codes"
    return None
