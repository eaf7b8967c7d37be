"""Four lines: the architecture, its accuracy, how sure both are, and the next steps."""

import io
from dataclasses import replace

from rich.console import Console

from surrogate_nas.report.facts.against_rivals import RivalFacts, RivalsFacts
from surrogate_nas.report.facts.architectures import CostFacts, Estimate, SmallestCost
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.judgements import judgements
from surrogate_nas.report.summary import print_summary

NEXT = {"train it": "surrogate-nas train runs/a", "another budget": "surrogate-nas lookup runs/a"}


def printed(facts: StudyFacts, *, terminal: bool = False) -> str:
    stream = io.StringIO()
    print_summary(Console(file=stream, width=80, force_terminal=terminal), facts, NEXT)
    return stream.getvalue()


def calm(facts: StudyFacts) -> StudyFacts:
    """Returns the study without what would be warned about."""
    assert facts.trust is not None
    supernet = replace(facts.made.supernet, steps=100_000)
    return replace(facts, truth=None, made=replace(facts.made, supernet=supernet))


def test_a_study_is_summed_up_in_four_lines_under_its_outcome(facts: StudyFacts) -> None:
    lines = printed(calm(facts)).splitlines()
    assert lines[0] == "Budget met: cifar10"
    assert [line.split(" ")[0] for line in lines[1:]] == ["found", "accuracy", "how", "next", ""]
    assert lines[1] == "found     313213: Latency 4.87 ms measured (budget 5 ms); latency of ONNX Runtime on cpu"
    assert "61.3% (95%: 58.4 to 64.2%) predicted with shared weights" in lines[2]
    assert "Kendall tau with unseen labels is 0.68 (0.64 to 0.71) for the predictor" in lines[3]
    assert "and 0.51 for the best simple baseline, effective parameters" in lines[3]
    assert "effective parameters (1 is the same order)" in lines[3]
    assert "; labels only estimate trained accuracy; " in lines[3]
    assert lines[4] == "next      train it: surrogate-nas train runs/a"
    assert lines[5] == "          another budget: surrogate-nas lookup runs/a"


def test_notes_are_counted_and_warnings_are_printed(facts: StudyFacts) -> None:
    short = replace(calm(facts), made=replace(facts.made, supernet=replace(facts.made.supernet, steps=10)))
    bad = [one.text for one in judgements(short) if one.level == "bad"]
    text = printed(short)
    assert len(bad) == 1
    assert "1 warning" in text
    assert f"WARNING   {bad[0]}\n" in text
    assert "WARNING" not in printed(calm(facts))


def test_trained_finalists_decide_and_weak_labels_are_notes(facts: StudyFacts) -> None:
    short = replace(calm(facts), made=replace(facts.made, supernet=replace(facts.made.supernet, steps=10)))
    answer = replace(facts.answer, trained_networks=18, accuracy_basis="after 3 epochs of training")
    text = printed(replace(short, answer=answer))
    assert "predicted after 3 epochs of training; full training reaches another accuracy" in text
    assert "how sure  18 finalists were trained and decided; Kendall tau with unseen labels" in text
    assert "labels only" not in text
    assert "1 caution in the report" in text
    assert "WARNING" not in text


def test_ground_truth_is_a_line(facts: StudyFacts) -> None:
    [line] = [line for line in printed(facts).splitlines() if line.startswith("truth")]
    assert "ranks the whole space with Kendall tau 0.66" in line
    assert "the best within the budget" in line


def test_a_budget_that_nothing_meets_names_the_smallest_cost(infeasible: StudyFacts) -> None:
    text = printed(infeasible)
    assert text.startswith("No architecture meets the budget: cifar10\nsmallest  000000: Latency 1.21 ms (budget 1 ms)")
    assert "No architecture of this space can meet the budget" in text


def test_latencies_that_are_too_uncertain_are_not_called_impossible(infeasible: StudyFacts) -> None:
    smallest = (SmallestCost("latency_ms", 8.0, 8.02, "000000", "none", predicted=4.8),)
    text = printed(replace(infeasible, answer=replace(infeasible.answer, smallest=smallest)))
    assert text.startswith("No architecture is certain to meet the budget: cifar10")
    assert "Latency 4.8 ms predicted, at most 8.02 ms with confidence (budget 8 ms)" in text
    assert "confidence adds 67%" in text
    assert "--set hardware.remeasure=true" in text
    assert "can meet the budget" not in text
    apart = replace(infeasible.answer, smallest=smallest, predicted_to_meet=False)
    assert printed(replace(infeasible, answer=apart)).startswith("No architecture meets the budget: cifar10")
    of_table = replace(infeasible.answer, smallest=smallest, measured_here=False)
    text = printed(replace(infeasible, answer=of_table))
    assert "hardware export-bench --networks 100" in text
    assert "remeasure" not in text
    assert "busy" not in text


def test_it_fits_a_terminal_and_names_cannot_carry_markup(facts: StudyFacts) -> None:
    text = printed(replace(facts, study="[bold]x[/nothing]"), terminal=True)
    assert "[bold]x[/nothing]" in text
    assert "\x1b[" in text


def test_the_winner_is_named_whoever_it_is(facts: StudyFacts) -> None:
    costs = (CostFacts("params", 272_474.0),)
    rival = RivalFacts("ResNet-20 at width 1", "ResNet", costs, Estimate(93.0, 92.0, 94.0))
    trained = RivalsFacts((rival,), Estimate(90.0, 89.0, 91.0), 3, 1000)
    assert "rivals    ResNet-20 at width 1 does better: 93.0%" in printed(replace(facts, rivals=trained))
    fitted = RivalsFacts((replace(rival, accuracy_percent=Estimate(None)),), Estimate(None))
    text = printed(replace(facts, rivals=fitted))
    assert "rivals    Of 1 off-the-shelf network, 1 fits the budget. None was trained for comparison." in text
    assert "rivals" not in printed(facts)
