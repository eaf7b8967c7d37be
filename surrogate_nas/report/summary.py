"""Sums a study up in a few lines: the architecture, its accuracy, how sure both are, rivals, and what to do next."""

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from surrogate_nas._support.words import SHARED_WEIGHTS, count_of
from surrogate_nas.costs.cost import COSTS, format_apart, format_reachable
from surrogate_nas.report import formats
from surrogate_nas.report.comparison import fitting_text, winner_text
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.report.facts.against_truth import TruthFacts
from surrogate_nas.report.facts.architectures import AnswerFacts, ArchitectureFacts, CostFacts
from surrogate_nas.report.facts.reliability import TrustFacts
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.hanging_lines import print_hanging
from surrogate_nas.report.judgements import ENOUGH_FOR_BEST, LOW_TOP_TAU, Judgement, judgements, too_uncertain

_WIDTH = 10
_TITLES = {
    "met": ("Budget met", "bold green"),
    "predicted to meet, measured over": ("Predicted to meet the budget, but measured over it", "bold red"),
    "infeasible": ("No architecture meets the budget", "bold red"),
}


def title(facts: StudyFacts) -> Text:
    """Returns the outcome in a few words, with the study's name."""
    words, style = _TITLES[facts.answer.outcome]
    if too_uncertain(facts.answer):
        words = "No architecture is certain to meet the budget"
    return Text(f"{words}: {facts.study}", style=style)


def print_summary(console: Console, facts: StudyFacts, next_steps: Mapping[str, str]) -> None:
    """Prints the lines, and every warning under them.

    Args:
        console: Where to print; plain text when it is not a terminal.
        facts: Content of the report.
        next_steps: Purpose to command, in the order in which they are printed.
    """
    console.print(title(facts))
    said = judgements(facts)
    if facts.answer.chosen is not None:
        _line(console, "found", _found(facts.answer.chosen))
        _line(console, "accuracy", _accuracy(facts.answer.chosen, facts.answer.accuracy_basis))
    else:
        _print_nearest(console, facts.answer)
    if facts.trust is not None:
        _line(console, "how sure", f"{_ranking(facts.trust, facts.answer.trained_networks)}; {_counted(said)}")
    if facts.rivals is not None and facts.answer.chosen is not None:
        _line(console, "rivals", _rivals(facts.rivals, facts.answer.chosen))
    if facts.truth is not None:
        _line(console, "truth", _truth(facts.truth))
    for row, (purpose, command) in enumerate(next_steps.items()):
        _line(console, "" if row else "next", f"{purpose}: {command}")
    for one in said:
        if one.level == "bad":
            _line(console, "WARNING", one.text, "bold red")


def _found(chosen: ArchitectureFacts) -> str:
    budgeted = [cost for cost in chosen.costs if cost.budget is not None]
    costs = [_cost(cost) for cost in budgeted or chosen.costs[:1]]
    said: dict[str, list[str]] = {}
    for cost in budgeted:
        if cost.conditions:
            said.setdefault(cost.conditions, []).append(COSTS[cost.cost].title)
    conditions = [f"; {' and '.join(titles)} of {words}" for words, titles in said.items()]
    return f"{chosen.digits}: {', '.join(costs)}{''.join(conditions)}"


def _cost(cost: CostFacts) -> str:
    value = cost.predicted if cost.measured is None else cost.measured
    checked = COSTS[cost.cost].checked
    sure = cost.cost != "latency_ms" and cost.measured is None and cost.upper is None
    how = "" if not checked or sure else " predicted" if cost.measured is None else f" {checked}"
    shown, budget = formats.cost(cost.cost, value), ""
    if cost.budget is not None and value is not None:
        shown, limit = format_apart(cost.cost, value, cost.budget)
        budget = f" (budget {limit})"
    return f"{formats.cost_name(cost.cost)} {shown}{how}{budget}"


def _accuracy(chosen: ArchitectureFacts, basis: str) -> str:
    interval = formats.percent_interval(chosen.accuracy_percent)
    between = f" (95%: {interval})" if interval != formats.UNKNOWN else ""
    value = formats.percent(chosen.accuracy_percent.value)
    after = "the trained model" if basis == SHARED_WEIGHTS else "full training"
    return f"{value}{between} predicted {basis}; {after} reaches another accuracy"


def _ranking(trust: TrustFacts, trained: int) -> str:
    predictor = trust.predictor
    counts = [one for one in predictor.baselines if one.tau is not None]
    best = max(counts, key=lambda one: one.tau or 0.0, default=None)
    own = formats.tau_interval(predictor.tau)
    simple = "" if best is None else f", and {formats.tau(best.tau)} for the best simple baseline, {best.name}"
    top = predictor.top10_tau
    ordered = f"Kendall tau with unseen labels is {own} for the predictor{simple}"
    if trained:
        return f"{count_of(trained, 'finalist')} {'was' if trained == 1 else 'were'} trained and decided; {ordered}"
    # Of a few architectures nothing is known about the order of their best tenth.
    best_known = trust.labels.distinct_cells < ENOUGH_FOR_BEST or (top is not None and top >= LOW_TOP_TAU)
    among_best = "" if best_known else "; it cannot order the best 10%, so train several architectures"
    return f"{ordered} (1 is the same order){among_best}; labels only estimate trained accuracy"


def _rivals(rivals: RivalsFacts, chosen: ArchitectureFacts) -> str:
    untrained = " None was trained for comparison." if any(one.fits for one in rivals.rivals) else ""
    return winner_text(rivals, chosen.digits) or f"{fitting_text(rivals)}{untrained}"


def _counted(said: tuple[Judgement, ...]) -> str:
    counts = {
        word: sum(one.level == level for one in said) for word, level in (("warning", "bad"), ("caution", "caution"))
    }
    words = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items() if count]
    return f"{' and '.join(words)} in the report" if words else "no warnings in the report"


def _truth(truth: TruthFacts) -> str:
    tau = {rank.score: formats.tau(rank.tau.value) for rank in truth.ranks if rank.over == "whole space"}
    ranked = f"the predictor ranks the whole space with Kendall tau {tau['predictor']}; " if "predictor" in tau else ""
    return (
        f"{ranked}the found architecture has {formats.percent(truth.chosen_percent)}, the best within the budget"
        f" {formats.percent(truth.feasible_percent)} ({truth.column})"
    )


def _print_nearest(console: Console, answer: AnswerFacts) -> None:
    for item in answer.smallest:
        smallest = format_reachable(item.cost, item.smallest)
        sure = f"at most {smallest} with confidence" if item.predicted is not None else smallest
        predicted = f"{formats.cost(item.cost, item.predicted)} predicted, " if item.predicted is not None else ""
        budget = formats.cost(item.cost, item.budget)
        _line(console, "smallest", f"{item.digits}: {formats.cost_name(item.cost)} {predicted}{sure} (budget {budget})")
    if answer.nearest_misses and all(item.smallest <= item.budget for item in answer.smallest):
        miss = answer.nearest_misses[0]
        costs = ", ".join(_cost(cost) for cost in miss.costs if cost.budget is not None)
        _line(console, "nearest", f"{miss.digits}: {costs}; each budget can be met alone, but not all of them")


def _line(console: Console, name: str, text: str, style: str = "dim") -> None:
    print_hanging(console, Text(f"{name:<{_WIDTH}}", style=style), text)
