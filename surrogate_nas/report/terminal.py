"""The report's details as text for a terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from surrogate_nas.costs.cost import COSTS, format_reachable
from surrogate_nas.report import formats
from surrogate_nas.report.comparison import drift_text, fitting_text, winner_text
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.report.facts.against_truth import TruthFacts
from surrogate_nas.report.facts.architectures import AnswerFacts, ArchitectureFacts, CostFacts, Estimate
from surrogate_nas.report.facts.reliability import TrustFacts
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.hanging_lines import print_hanging
from surrogate_nas.report.judgements import judgements
from surrogate_nas.report.summary import title

_STYLES = {"good": "green", "caution": "yellow", "bad": "bold red"}
_MARKS = {"good": "good", "caution": "caution", "bad": "WARNING"}


def print_details(console: Console, facts: StudyFacts, report: str | None = None) -> None:
    """Prints the answer, how far to trust it, and ground truth where there is any.

    Text from the facts is printed as it is; it cannot carry markup.

    Args:
        console: Where to; plain text when it is not a terminal.
        facts: What the report says.
        report: Path of the page, to be named at the end.
    """
    console.print(title(facts))
    if facts.answer.chosen is not None:
        _print_chosen(console, facts.answer.chosen, facts.answer.accuracy_basis)
    _print_infeasible(console, facts.answer)
    if facts.rivals is not None and facts.answer.chosen is not None:
        _print_rivals(console, facts.rivals, facts.answer.chosen)
    if facts.trust is not None:
        _print_trust(console, facts.trust)
    if facts.truth is not None:
        _print_truth(console, facts.truth)
    console.print()
    _print_judgements(console, facts)
    if report is not None:
        console.print()
        _line(console, "report", report)


def _print_chosen(console: Console, chosen: ArchitectureFacts, basis: str) -> None:
    _line(console, "architecture", f"{chosen.digits}  {chosen.architecture}")
    accuracy = formats.percent(chosen.accuracy_percent.value)
    interval = formats.percent_interval(chosen.accuracy_percent)
    interval = f" (95%: {interval})" if interval != formats.UNKNOWN else ""
    _line(console, "accuracy", f"{accuracy}{interval} predicted {basis}, not after full training")
    for cost in chosen.costs:
        _line(console, formats.cost_name(cost.cost), _cost_words(cost))


def _cost_words(cost: CostFacts) -> str:
    # Counts are exact, and so are latencies of a measured table: nothing stands beside them.
    exact = cost.upper is None and cost.measured is None
    unknown = cost.predicted is None and cost.measured is not None
    words = [] if unknown else [formats.cost(cost.cost, cost.predicted) + ("" if exact else " predicted")]
    if cost.upper is not None and cost.confidence is not None:
        words.append(f"at most {formats.cost(cost.cost, cost.upper)} with {cost.confidence:.0%} confidence")
    if cost.measured is not None:
        words.append(f"{formats.measured(cost)} {COSTS[cost.cost].checked}{', noisy' if cost.noisy else ''}")
    if cost.conditions:
        words.append(f"of {cost.conditions}")
    if cost.budget is not None:
        words.append(f"budget {formats.cost(cost.cost, cost.budget)}")
    return ", ".join(words)


def _print_infeasible(console: Console, answer: AnswerFacts) -> None:
    for item in answer.smallest:
        _line(
            console,
            formats.cost_name(item.cost),
            f"smallest reachable {format_reachable(item.cost, item.smallest)} ({item.digits}),"
            f" budget {formats.cost(item.cost, item.budget)}",
        )
    for miss in answer.nearest_misses:
        costs = "; ".join(f"{formats.cost_name(cost.cost)} {_cost_words(cost)}" for cost in miss.costs)
        _line(console, "nearest miss", f"{miss.digits}: {costs}")


def _print_rivals(console: Console, rivals: RivalsFacts, chosen: ArchitectureFacts) -> None:
    console.print()
    console.print(rivals_table(rivals, chosen.digits, {cost.cost: cost for cost in chosen.costs}))
    latency = next((cost.measured for cost in chosen.costs if cost.cost == "latency_ms"), None)
    texts = (winner_text(rivals, chosen.digits), fitting_text(rivals), drift_text(rivals, latency))
    for text in filter(None, texts):
        _line(console, "off the shelf", text)
    console.print()


def rivals_table(rivals: RivalsFacts, digits: str, own: Mapping[str, CostFacts]) -> Table:
    """Returns the found architecture and the off-the-shelf networks as a table.

    Args:
        rivals: The facts.
        digits: Code of the found architecture.
        own: Its costs by name.
    """
    table = Table(title=Text("Off-the-shelf networks"), title_justify="left", title_style="bold", box=None)
    names = [cost.cost for cost in rivals.rivals[0].costs]
    table.add_column("network")
    for name in names:
        table.add_column(formats.cost_name(name).lower(), justify="right", no_wrap=True)
    if rivals.epochs is not None:
        table.add_column("trained", justify="right", no_wrap=True)
    table.add_column("")
    rows = [(digits, [own[name] for name in names], rivals.found, "found")]
    rows += [(one.name, list(one.costs), one.accuracy_percent, one.reason) for one in rivals.rivals]
    for title_, costs, accuracy, note in rows:
        values = [formats.cost(one.cost, one.predicted if one.measured is None else one.measured) for one in costs]
        trained = [formats.percent(accuracy.value)] if rivals.epochs is not None else []
        table.add_row(Text(title_), *values, *trained, Text(note.split(":")[0]))
    return table


def _print_trust(console: Console, trust: TrustFacts) -> None:
    cells = formats.count(trust.labels.distinct_cells)
    _line(console, "labels", f"{formats.count(trust.labels.architectures)} ({cells} distinct)")
    others = [(item.name, item.tau) for item in trust.predictor.baselines]
    if trust.predictor.labels_tau is not None:
        others.insert(0, ("its model of the labels", trust.predictor.labels_tau))
    rivals = ", ".join(f"{name} {formats.tau(tau)}" for name, tau in others)
    beside = f"; {rivals}" if rivals else ""
    predictor = trust.predictor
    _line(console, "tau with labels", f"predictor {formats.tau_interval(predictor.tau)}{beside}")
    top = formats.tau_interval(Estimate(predictor.top10_tau, predictor.top10_low, predictor.top10_high))
    regret = formats.points(predictor.regret_percent)
    if predictor.regret_low is not None and predictor.regret_high is not None:
        regret += f" ({formats.points(predictor.regret_low)} to {formats.points(predictor.regret_high)})"
    _line(console, "best 10%", f"tau {top}; expected regret {regret} by label")


def _print_truth(console: Console, truth: TruthFacts) -> None:
    console.print()
    table = Table(
        title=Text(f"Against ground truth, {truth.column}"),
        title_justify="left",
        title_style="bold",
        box=None,
        # Rich leaves columns out of a table that is too wide: this one has to fit 80 characters.
        padding=(0, 1, 0, 0),
    )
    for name in ("score", "over", "n"):
        table.add_column(name, justify="right" if name == "n" else "left", no_wrap=name != "score")
    for name in ("tau", "top-10%\ntau", "regret\ntop-1", "regret\ntop-10"):
        table.add_column(name, justify="right", no_wrap=True)
    for rank in truth.ranks:
        # Plain counts once is enough here; the page has them next to every set.
        if rank.score not in ("labels", "predictor") and rank.over != "whole space":
            continue
        regrets = (formats.points(rank.regret_top1), formats.points(rank.regret_top10))
        figures = (formats.count(rank.count), formats.tau_interval(rank.tau), formats.tau(rank.top10_tau.value))
        table.add_row(Text(rank.score), rank.over, *figures, *(text.removesuffix(" points") for text in regrets))
    console.print(table)
    _line(console, "chosen", f"{formats.percent(truth.chosen_percent)} true accuracy")
    _line(
        console,
        "best in budget",
        f"{formats.percent(truth.feasible_percent)} ({truth.feasible_digits or formats.UNKNOWN})",
    )
    _line(console, "regret", formats.points(truth.regret_percent))


def _print_judgements(console: Console, facts: StudyFacts) -> None:
    for judgement in judgements(facts):
        mark = Text(f"{_MARKS[judgement.level]:>15}  ", style=_STYLES[judgement.level])
        print_hanging(console, mark, judgement.text)


def _line(console: Console, name: str, text: str) -> None:
    print_hanging(console, Text(f"{name:>15}  ", style="dim"), text)
