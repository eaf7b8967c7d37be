"""The report as one page of HTML that works without any network."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from surrogate_nas._support.words import count_of
from surrogate_nas.costs.cost import COSTS, format_reachable
from surrogate_nas.report import formats
from surrogate_nas.report.comparison import drift_text, fitting_text, found_wins, rival_wins, start_text, winner_text
from surrogate_nas.report.drawings.picture_file import drawing
from surrogate_nas.report.facts.architectures import CostFacts
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.judgements import judgements, uncertainty
from surrogate_nas.report.plots.predictor_plots import (
    PlotPoints,
    figure_html,
    front_figure,
    plotly_script,
    trust_figure,
)
from surrogate_nas.report.plots.search_plots import search_figures
from surrogate_nas.report.plots.supernet_plots import supernet_figures

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render_page(facts: StudyFacts, points: PlotPoints | None) -> str:
    """Returns the whole page.

    Args:
        facts: What it says. Text in them is escaped, whatever it holds.
        points: What is plotted; without them (a study that ended before training) there are no plots.
    """
    # Only what this package has made itself is marked as safe; everything else is escaped by the environment.
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            facts=facts,
            answer=facts.answer,
            trust=facts.trust,
            truth=facts.truth,
            made=facts.made,
            judgements=judgements(facts),
            budget_option=COSTS[facts.primary_cost].option,
            uncertain=uncertainty(facts.answer),
            cell=_safe(drawn) if (drawn := drawing(facts.answer)) is not None else None,
            front_plot=_safe(figure_html(front_figure(facts, points), "front-plot")) if points is not None else None,
            trust_plot=_safe(figure_html(trust_figure(points), "trust-plot")) if points is not None else None,
            search_plots=_search_plots(points),
            supernet_plots=_supernet_plots(points),
            points=points,
            plotly=_safe(plotly_script()) if points is not None else None,
            margin=_margin(facts),
            **_rivals(facts),
            energy_known=any(stage.joules is not None for stage in facts.made.stages),
            total_seconds=sum(stage.seconds for stage in facts.made.stages),
        )
    )


def _margin(facts: StudyFacts) -> CostFacts | None:
    """Returns the chosen architecture's primary cost, where a budget on it is held against more than the prediction."""
    chosen = facts.answer.chosen
    return (
        next((c for c in chosen.costs if c.cost == facts.primary_cost and c.upper is not None), None)
        if chosen
        else None
    )


def _rivals(facts: StudyFacts) -> dict[str, object]:
    """Returns what the section on off-the-shelf networks shows."""
    rivals, chosen = facts.rivals, facts.answer.chosen
    if rivals is None or chosen is None:
        return {"rivals": None}
    own = {cost.cost: cost for cost in chosen.costs}
    latency = own.get("latency_ms")
    return {
        "rivals": rivals,
        "own_costs": [own[cost.cost] for cost in rivals.rivals[0].costs],
        "winner": winner_text(rivals, chosen.digits),
        "rival_wins": rival_wins(rivals),
        "found_wins": found_wins(rivals),
        "fitting": fitting_text(rivals),
        "start": start_text(rivals),
        "drift": drift_text(rivals, latency.measured if latency is not None else None),
    }


def _search_plots(points: PlotPoints | None) -> list[tuple[str, Markup]]:
    """Returns the title and figure of every plot of the search."""
    if points is None or points.search is None:
        return []
    made = search_figures(points.search)
    return [(title, _safe(figure_html(figure, f"search-{name}"))) for name, (title, figure) in made.items()]


def _supernet_plots(points: PlotPoints | None) -> list[tuple[str, Markup]]:
    """Returns the title and figure of every plot of the supernets."""
    if points is None or points.supernet is None:
        return []
    made = supernet_figures(points.supernet)
    return [(title, _safe(figure_html(figure, f"supernet-{name}"))) for name, (title, figure) in made.items()]


def _safe(text: str) -> Markup:
    """Returns the text that this package made, from parts that it has escaped itself."""
    return Markup(text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in (
        "percent",
        "points",
        "tau",
        "tau_interval",
        "percent_interval",
        "count",
        "cost",
        "cost_name",
        "cost_title",
        "measured",
        "seconds",
        "joules",
    ):
        environment.filters[name] = getattr(formats, name)
    environment.filters["count_of"] = count_of
    environment.filters["cost_of"] = lambda value, cost: formats.cost(cost, value)
    environment.filters["reachable"] = lambda value, cost: format_reachable(cost, value)
    return environment
