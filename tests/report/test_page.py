"""The page says everything, asks for nothing from the network, and runs nothing that it was given."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from surrogate_nas.report.facts.against_rivals import RivalFacts, RivalsFacts
from surrogate_nas.report.facts.architectures import CostFacts, Estimate
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.page import render_page
from surrogate_nas.report.plots.predictor_plots import PlotPoints
from surrogate_nas.report.plots.supernet_plots import Curve, SupernetPoints

EVIL = '<script>alert("x")</script><img src=http://example.org/x onerror=alert(1)>'
VOID = {"meta", "br", "wbr", "img", "link", "input", "hr"}


class Outline(HTMLParser):
    """Elements with their attributes, visible text, and whether every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def test_sections_come_in_order_and_elements_are_closed(facts: StudyFacts, points: PlotPoints) -> None:
    outline = Outline(render_page(facts, points))
    assert not outline.open
    sections = [attributes.get("id") for tag, attributes in outline.tags if tag == "section"]
    assert sections == ["answer", "front", "trust", "truth", "made"]
    names = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(set(names)) == len(names)


def test_the_answer_has_its_figures_with_units(facts: StudyFacts, points: PlotPoints) -> None:
    text = Outline(render_page(facts, points)).text
    for part in ("Budget met.", "313213", "61.3%", "58.4 to 64.2%", "4.87 ms", "IQR 0.21 ms", "predicted 4.71 ms"):
        assert part in text
    for part in ("budget 5 ms", "97.4% of budget", "over by 6.4%", "41.2 M", "471 K", "not the accuracy after full"):
        assert part in text
    for part in ("0.64 to 0.71", "0.58 points", "6,250 of 15,625", "57 min 01 s", "--latency-budget 5ms"):
        assert part in text


def test_nothing_is_fetched_and_plotly_is_there_once(facts: StudyFacts, points: PlotPoints) -> None:
    page = render_page(facts, points)
    for tag, attributes in Outline(page).tags:
        assert tag not in {"link", "img", "iframe", "base", "object", "embed"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert "@import" not in page.split("</style>")[0]
    assert "url(" not in page.split("</style>")[0]
    assert page.count("plotly.js v") == 1
    assert "prefers-color-scheme: dark" in page


def test_names_with_markup_are_inert_everywhere(facts: StudyFacts, points: PlotPoints) -> None:
    assert facts.answer.cell is not None
    assert facts.answer.chosen is not None
    chosen = replace(facts.answer.chosen, architecture=EVIL, digits=EVIL)
    cell = replace(facts.answer.cell, operations=(EVIL,) * 6)
    made = replace(
        facts.made,
        data=replace(facts.made.data, classes=(EVIL, "cat"), name=EVIL),
        command=EVIL,
        notes=(EVIL,),
        hardware=((EVIL, EVIL),),
    )
    answer = replace(facts.answer, chosen=chosen, cell=cell, finalists=(chosen,))
    hostile = replace(facts, study=EVIL, answer=answer, made=made)
    clean = Outline(render_page(facts, points))
    outline = Outline(render_page(hostile, replace(points, architectures=[EVIL] * 200)))
    assert outline.count("script") == clean.count("script")
    assert outline.count("img") == 0
    assert not any(name.startswith("on") for _, attributes in outline.tags for name in attributes)


def test_a_budget_missed_when_measured_is_said_first(facts: StudyFacts, points: PlotPoints) -> None:
    missed = replace(facts, answer=replace(facts.answer, outcome="predicted to meet, measured over"))
    assert "The answer Predicted to meet the budget, measured over it." in Outline(render_page(missed, points)).text


def test_an_infeasible_study_has_no_plots_and_says_what_is_reachable(infeasible: StudyFacts) -> None:
    page = render_page(infeasible, None)
    outline = Outline(page)
    assert "No architecture of the space meets the budget." in outline.text
    assert "1.21 ms" in outline.text
    assert "over by 21.0%" in outline.text
    assert "planned, not trained" in outline.text
    assert outline.count("script") == 0
    assert len(page) < 100_000


def test_columns_agree_with_the_header_in_every_table(
    facts: StudyFacts, infeasible: StudyFacts, points: PlotPoints
) -> None:
    for page in (render_page(facts, points), render_page(infeasible, None)):
        rows: list[list[int]] = []
        for tag, attributes in Outline(page).tags:
            if tag == "table":
                rows.append([])
            elif tag == "tr":
                rows[-1].append(0)
            elif tag in {"td", "th"}:
                rows[-1][-1] += int(attributes.get("colspan") or 1)
        assert rows
        for table in rows:
            assert len(set(table)) == 1


@pytest.mark.parametrize(
    ("missing", "heading"), [("search", "Search"), ("stages", "Time"), ("notes", "Notes"), ("seeds", "Seeds")]
)
def test_what_is_empty_is_left_out(facts: StudyFacts, points: PlotPoints, missing: str, heading: str) -> None:
    made = replace(facts.made, **{missing: None if missing == "search" else ()})  # type: ignore[arg-type]
    assert f"<h3>{heading}</h3>" in render_page(facts, points)
    assert f"<h3>{heading}</h3>" not in render_page(replace(facts, made=made), points)


def test_both_judges_are_named_with_their_images(facts: StudyFacts, points: PlotPoints) -> None:
    def text(**changes: object) -> str:
        assert facts.trust is not None
        labels = replace(facts.trust.labels, images=1000, **changes)  # type: ignore[arg-type]
        return Outline(render_page(replace(facts, trust=replace(facts.trust, labels=labels)), points)).text

    alone, beside = text(probed=True), text(probed=True, validated=400)
    assert "1,000, each left out of the linear probe once" in alone
    assert "counts as much" not in alone
    assert "once; the accuracy in the supernet on 400 of them counts as much" in beside


def test_energy_is_told_where_it_is_known(facts: StudyFacts, points: PlotPoints) -> None:
    assert "Energy: not known" in Outline(render_page(facts, points)).text
    stages = (replace(facts.made.stages[0], joules=12_400.0), *facts.made.stages[1:])
    text = Outline(render_page(replace(facts, made=replace(facts.made, stages=stages)), points)).text
    assert "12.4 kJ" in text
    assert "not known" not in text


@pytest.mark.parametrize(("cost", "name"), [("latency_ms", "Latency"), ("ram_bytes", "RAM")])
def test_a_budget_on_a_predicted_cost_has_its_margin_explained(
    facts: StudyFacts, points: PlotPoints, cost: str, name: str
) -> None:
    chosen = facts.answer.chosen
    assert chosen is not None
    bounded = replace(chosen.costs[0], cost=cost, predicted=4.0, upper=4.4, confidence=0.95)
    chosen = replace(chosen, costs=(bounded, *chosen.costs[1:]))
    asked = replace(facts, primary_cost=cost, answer=replace(facts.answer, chosen=chosen))
    text = Outline(render_page(asked, points)).text
    assert f"{name}: the study compares the budget with an upper bound that is kept with 95% confidence, not" in text
    assert "95% interval. Where intervals overlap" in text


def test_supernets_have_a_section_where_there_is_something_to_show(facts: StudyFacts, points: PlotPoints) -> None:
    curve = Curve("supernet 0", np.array([1.0, 2.0]), np.array([2.0, 1.0]))
    count = len(points.cost)
    shown = SupernetPoints([curve], ("few", "many"), np.arange(count) % 2, "latency_ms", points.cost, points.cost)
    outline = Outline(render_page(facts, replace(points, supernet=shown)))
    sections = [attributes.get("id") for tag, attributes in outline.tags if tag == "section"]
    assert sections == ["answer", "front", "trust", "truth", "supernets", "made"]
    assert "Training of the supernets" in outline.text
    assert "Groups of the space" in outline.text


@pytest.mark.parametrize(
    "term",
    ["Architecture", "supernet", "predictor", "subnet", "labels", "Finalists", "Pareto front", "Kendall τ", "regret"],
)
def test_a_term_is_explained_where_it_is_first_read(facts: StudyFacts, points: PlotPoints, term: str) -> None:
    page = render_page(facts, points)
    body = page[page.index('<section id="answer">') :]
    first = re.search(rf"\b{term}\b", re.sub(r'title="[^"]*"', lambda found: "_" * len(found[0]), body))
    assert first is not None
    assert re.search(r'<abbr title="[^"]{20,}">$', body[: first.start()])


def test_one_thing_is_not_counted_as_several(facts: StudyFacts, points: PlotPoints) -> None:
    made = replace(facts.made, space=replace(facts.made.space, size=1), supernet=replace(facts.made.supernet, groups=1))
    text = Outline(render_page(replace(facts, made=made), points)).text
    assert "1 architecture," in text
    assert "1 group " in text


def test_off_the_shelf_networks_have_a_table_of_their_own(facts: StudyFacts, points: PlotPoints) -> None:
    costs = (CostFacts("params", 272_474.0), CostFacts("latency_ms", None, 5.0, 4.5, 0.1, 50))
    rows = (
        RivalFacts("ResNet-20 at width 1", "ResNet", costs, Estimate(93.0, 92.0, 94.0)),
        RivalFacts("MobileNetV2 at width 0.125", "MobileNet", costs, Estimate(None), f"over the budget {EVIL}", False),
    )
    rivals = RivalsFacts(rows, Estimate(90.0, 89.0, 91.0), 3, 1000, (), 4.9, "ONNX Runtime on cpu")
    page = Outline(render_page(replace(facts, rivals=rivals), points))
    assert not page.open
    assert "ResNet-20 at width 1 does better: 93.0%" in page.text
    assert "Of 2 off-the-shelf networks, 1 fits the budget." in page.text
    assert "measured in ONNX Runtime on cpu, in turns with the found architecture" in page.text
    assert "272 K" in page.text
    assert "with one recipe" in page.text
    began = Outline(render_page(replace(facts, rivals=replace(rivals, pretrained=True)), points)).text
    assert "with one recipe" not in began
    assert "The found architecture began with pretrained weights" in began
    assert EVIL in " ".join(page.words)
    assert "Off-the-shelf" not in Outline(render_page(facts, points)).text
