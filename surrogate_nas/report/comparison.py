"""Says in words how the answer compares with off-the-shelf networks."""

from surrogate_nas._support.words import count_of
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.report import formats
from surrogate_nas.report.facts.against_rivals import RivalFacts, RivalsFacts
from surrogate_nas.report.facts.architectures import Estimate

DRIFT_PERCENT = 10.0
"""Change of one network's latency between two measurements, above which the machine is not the same any more."""


def best_trained(rivals: RivalsFacts) -> RivalFacts | None:
    """Returns the trained rival with the highest accuracy; None where none was trained."""
    trained = [one for one in rivals.rivals if one.accuracy_percent.value is not None]
    return max(trained, key=lambda one: one.accuracy_percent.value or 0.0, default=None)


def rival_wins(rivals: RivalsFacts) -> bool:
    """Returns whether a trained rival is better than the found architecture by more than chance."""
    best = best_trained(rivals)
    return best is not None and _above(best.accuracy_percent, rivals.found)


def found_wins(rivals: RivalsFacts) -> bool:
    """Returns whether the found architecture is better than every trained rival by more than chance."""
    best = best_trained(rivals)
    return best is not None and _above(rivals.found, best.accuracy_percent)


def winner_text(rivals: RivalsFacts, digits: str) -> str:
    """Returns which of the trained networks is the best; empty where none was trained.

    Args:
        rivals: The facts.
        digits: Code of the found architecture.
    """
    best = best_trained(rivals)
    if best is None or rivals.found.value is None:
        return ""
    its, mine = _accuracy(best.accuracy_percent), _accuracy(rivals.found)
    after = _after(rivals, digits)
    if rival_wins(rivals):
        return f"{best.name} does better: {its} against {mine} of {digits}, {after}"
    if found_wins(rivals):
        return f"{digits} does better than the best off-the-shelf network, {best.name}: {mine} against {its}, {after}"
    ahead = f"{digits} has {mine} and {best.name} {its}, {after}"
    return f"{ahead}: too close to call one better"


def start_text(rivals: RivalsFacts) -> str:
    """Returns that the networks began with other weights, a sentence; empty where all began at random."""
    if not rivals.pretrained or best_trained(rivals) is None:
        return ""
    return "The found architecture began with pretrained weights, the off-the-shelf networks with random ones."


def _after(rivals: RivalsFacts, digits: str) -> str:
    epochs = rivals.epochs or 0
    starts = " from pretrained and from random weights" if rivals.pretrained else ""
    if rivals.rival_epochs in (None, epochs):
        return f"after {count_of(epochs, 'epoch')} of training each{starts}"
    return f"after {count_of(epochs, 'epoch')} for {digits} and {rivals.rival_epochs} for the others{starts}"


def fitting_text(rivals: RivalsFacts) -> str:
    """Returns how many rivals fit the budget, or why that is not known."""
    if rivals.unknown:
        costs = " and ".join(COSTS[cost].title for cost in rivals.unknown)
        are, them = ("are", "them") if len(rivals.unknown) > 1 else ("is", "it")
        unknown = f"The {costs} of an off-the-shelf network {are} not known here"
        return f"{unknown}, so the budget cannot be held against {them}."
    names = count_of(len(rivals.rivals), "off-the-shelf network")
    fitting = sum(one.fits for one in rivals.rivals)
    if not fitting:
        return f"None of {names} fits the budget, even at its smallest width."
    return f"Of {names}, {fitting} fit{'s' if fitting == 1 else ''} the budget."


def drift_text(rivals: RivalsFacts, before_ms: float | None) -> str:
    """Returns a warning where the machine was faster or slower while rivals were measured; empty otherwise.

    Args:
        rivals: The facts.
        before_ms: Latency of the found architecture when it was chosen.
    """
    if before_ms is None or rivals.beside_ms is None:
        return ""
    percent = 100 * (rivals.beside_ms / before_ms - 1)
    if abs(percent) < DRIFT_PERCENT:
        return ""
    return (
        f"The found architecture took {abs(percent):.0f}% {'longer' if percent > 0 else 'less'} when it was"
        " measured in turns with off-the-shelf networks. Measure all of them again on an idle machine with --resume"
        " --set hardware.remeasure=true."
    )


def _accuracy(estimate: Estimate) -> str:
    return f"{formats.percent(estimate.value)} (95%: {formats.percent_interval(estimate)})"


def _above(one: Estimate, other: Estimate) -> bool:
    return one.low is not None and other.high is not None and one.low > other.high
