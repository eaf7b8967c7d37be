"""Sub-supernets in words: which there are, how many architectures each labels, and how they are trained."""

from surrogate_nas._support.words import count_of
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.supernet.plan import SupernetPlan

_MANY = 1_000_000  # architectures from which on a number is rounded


def members_in_words(problem: Problem) -> str:
    """Returns how many sets of weights there are, and what they are for."""
    plan = problem.plan
    times = f"; all are trained {plan.repetitions} times, and a label is the mean" if plan.repetitions > 1 else ""
    if plan.members_per_replica > 1:
        return f"{plan.members_per_replica} sub-supernets: {_answering(plan)}{times}"
    one, groups = "one set of weights for all architectures", len(plan.drawn_by.names)
    if problem.settings.supernet.split != plan.settings.split:
        return f"{one}, since all of them have {plan.drawn_by.titles[0]}{times}"
    return (one if groups == 1 else f"{one}; each step trains one of {groups} groups of them") + times


def _answering(plan: SupernetPlan) -> str:
    """Returns how many architectures each sub-supernet labels."""
    if not plan.is_known:
        return ", ".join(plan.names)
    pairs = zip(plan.titles, plan.split.population(), strict=True)
    return "each labels one part of the search space, " + ", ".join(
        f"{title} ({_number(count)} architectures)" for title, count in pairs
    )


def _number(count: int) -> str:
    return f"{count:,}" if count < _MANY else f"{count:.2g}"


def branches_in_words(plan: SupernetPlan) -> str:
    """Returns how sub-supernets with a common parent are trained, and why; nothing where there is no parent."""
    settings = plan.settings
    if not settings.share_before_split or plan.members_per_replica == 1:
        return ""
    own = plan.training(0).steps
    before, more = count_of(plan.steps(0) - own, "step"), f"{count_of(own, 'step')} more"
    if not (plan.is_known and settings.parent_keeps):
        return f"they begin with the weights of one supernet, trained for {before}, and train {more}"
    titles, kept = plan.titles, settings.parent_keeps
    return (
        f"the one for {' and '.join(titles[-kept:])} trains for {before} on the whole space; then a copy"
        f" trains {more}, {settings.own_share:.0%} of them on {' and '.join(titles[:-kept])}. Shared weights are a"
        " compromise, and this fits the copy's to the architectures that it labels"
    )
