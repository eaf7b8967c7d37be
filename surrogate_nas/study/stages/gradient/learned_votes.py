"""Turns a distribution over architectures into a vote of the predictor, and into words."""

import numpy as np

from surrogate_nas.gradient.learned import Learned
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.study.problem.problem import Problem

_MOST_CODES = 50_000  # as for the scores of networks with random weights


def votes_of(problem: Problem, learned: Learned) -> ClassTable | None:
    """Returns the largest log-probability in every isomorphism class; None where it is not to vote, or cannot."""
    if not problem.settings.gradient.votes or refusal_to_vote(problem) is not None:
        return None
    return learned.votes(problem.space)


def notes_on(problem: Problem, learned: Learned) -> tuple[str, ...]:
    """Returns the derived architecture in words, the ones of other subspaces, and a reason if there is no vote."""
    settings, chosen = problem.settings.gradient, learned.chosen
    notes = [
        f"gradient.method = {settings.method!r} derives {problem.space.format(chosen.code)}:"
        f" {chosen.collapse.in_words()}; validation accuracy {chosen.accuracy_percent:.1f}% on shared weights"
    ]
    if chosen.within is not None:
        notes.append(
            "this may be over the budget; among architectures within it, the distribution derives"
            f" {problem.space.format(chosen.within)}"
        )
    if len(learned.leaves) > 1:
        notes.append(_subspaces(problem, learned))
        notes += _by_truth(problem, learned)
    refusal = refusal_to_vote(problem)
    if settings.votes and refusal is not None:
        notes.append(f"the distribution does not vote in the predictor: {refusal}")
    return tuple(notes)


def _subspaces(problem: Problem, learned: Learned) -> str:
    """Returns all subspaces in words, the chosen one first."""
    space, leaves = problem.space, list(learned.best_first)
    words = (
        f"({leaf.subspace.name}) {space.digits(leaf.code[None])[0]} with loss {leaf.loss:.3f}"
        + (", collapsed" if leaf.collapse.has_collapsed else "")
        + (", nearly uniform" if leaf.collapse.is_flat else "")
        for leaf in leaves
    )
    return (
        f"gradient.split = {problem.settings.gradient.split!r} has {len(leaves)} subspaces, of which the least"
        f" validation loss chooses: {'; '.join(words)}"
    )


def _by_truth(problem: Problem, learned: Learned) -> list[str]:
    """Returns the true accuracies of the chosen and of the best leaf, where both are known; they choose nothing."""
    if problem.truth is None:
        return []
    truth = [float(problem.truth.accuracy_percent[problem.space.index(leaf.code[None])[0]]) for leaf in learned.leaves]
    at = learned.leaves.index(learned.chosen)
    if not np.isfinite(truth).all():
        return []
    best = int(np.argmax(truth))
    return [
        f"by the ground truth, which chose nothing: the chosen subspace's architecture has {truth[at]:.2f}%, and the"
        f" best of all subspaces {truth[best]:.2f}% ({learned.leaves[best].subspace.name})"
    ]


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
