"""A written report can be read back, and damage is named."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import StoreError
from surrogate_nas.report.facts.against_rivals import RivalFacts, RivalsFacts
from surrogate_nas.report.facts.architectures import CostFacts, Estimate
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.json_file import facts_from_json, facts_to_json, read_facts


def test_facts_survive_the_way_through_json(facts: StudyFacts, infeasible: StudyFacts) -> None:
    for original in (facts, infeasible):
        content = facts_to_json(original)
        assert next(iter(content)) == "schema_version"
        assert facts_from_json(json.loads(json.dumps(content, allow_nan=False))) == original


def test_numpy_scalars_and_nan_become_plain_json(facts: StudyFacts) -> None:
    assert facts.trust is not None
    predictor = replace(facts.trust.predictor, top10_tau=float("nan"), coverage=np.float32(0.5), folds=np.int64(5))  # type: ignore[arg-type]
    content = facts_to_json(replace(facts, trust=replace(facts.trust, predictor=predictor)))
    read = facts_from_json(json.loads(json.dumps(content, allow_nan=False)))
    assert read.trust is not None
    assert (read.trust.predictor.top10_tau, read.trust.predictor.coverage, read.trust.predictor.folds) == (None, 0.5, 5)


def test_another_schema_is_refused(facts: StudyFacts) -> None:
    with pytest.raises(StoreError, match="has version 99 and this program reads 1"):
        facts_from_json({**facts_to_json(facts), "schema_version": 99})


def test_a_damaged_field_is_named_with_its_place(facts: StudyFacts, tmp_path: Path) -> None:
    content = facts_to_json(facts)
    content["made"]["space"]["size"] = "many"
    write_json(tmp_path / "report.json", content)
    with pytest.raises(StoreError, match=r"report\.json: made\.space\.size: .*got 'many'"):
        read_facts(tmp_path / "report.json")


def test_a_missing_field_is_named(facts: StudyFacts) -> None:
    content = facts_to_json(facts)
    del content["answer"]["outcome"]
    with pytest.raises(StoreError, match=r"answer\.outcome: Field required"):
        facts_from_json(content)


def test_a_missing_file_is_one_of_our_errors(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the report is missing"):
        read_facts(tmp_path / "report.json")


CELL, COST = "answer.cell.edges", "answer.chosen.costs.0"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("primary_cost", "zz", "primary_cost: unknown cost (got 'zz')"),
        (f"{COST}.cost", "zz", f"{COST}.cost: unknown cost (got 'zz')"),
        (f"{COST}.budget", 0, f"{COST}.budget: must be a finite number above zero (got 0.0)"),
        (f"{COST}.budget", float("inf"), f"{COST}.budget: must be a finite number above zero (got inf)"),
        ("made.cost_ranges.0.budget", -1.0, "made.cost_ranges.0.budget: must be a finite number above zero"),
        ("made.data.classes", [], "made.data.classes: must name at least one class"),
        ("answer.cell.live", [True], f"{CELL}: must be pairs of nodes that rise, with an operation each"),
        ("answer.cell.edges.0", [0, 10**12], f"{CELL}: must be pairs of nodes that rise"),
        (
            "answer.graph",
            {"boxes": ["a"], "flows": [[0, 1]]},
            "answer.graph.flows: must be pairs of positions of the 1",
        ),
        ("rivals", {"rivals": [], "found": {"value": None}}, "rivals.rivals: must hold at least one network"),
    ],
)
def test_a_value_that_no_report_has_is_named(facts: StudyFacts, place: str, value: object, message: str) -> None:
    content = json.loads(json.dumps(facts_to_json(facts)))
    *steps, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    part: Any = content
    for step in steps:
        part = part[step]
    part[last] = value
    with pytest.raises(StoreError, match=re.escape(f"report.json: {message}") + ".*continue the study with --resume"):
        facts_from_json(content)


def test_the_smallest_cost_of_nothing_is_refused(infeasible: StudyFacts) -> None:
    content = json.loads(json.dumps(facts_to_json(infeasible)))
    content["answer"]["smallest"][0]["predicted"] = 0.0
    with pytest.raises(StoreError, match=r"answer\.smallest\.0\.predicted: must be a finite number above zero"):
        facts_from_json(content)


def test_costs_of_rivals_stand_beside_those_of_the_answer(facts: StudyFacts) -> None:
    def rival(*costs: str) -> RivalFacts:
        return RivalFacts("ResNet-20", "resnet", tuple(CostFacts(cost, 1.0) for cost in costs), Estimate(None))

    good = RivalsFacts((rival("params", "flops"), rival("params", "flops")), Estimate(None))
    assert facts_from_json(json.loads(json.dumps(facts_to_json(replace(facts, rivals=good))))).rivals == good
    for wrong, message in (
        (replace(good, unknown=("zz",)), "rivals.unknown: unknown cost (got 'zz')"),
        (replace(good, rivals=(rival("params"), rival("flops"))), "the costs of all networks must be the same"),
        (
            replace(good, rivals=(rival("energy_mj"),)),
            "the chosen architecture must have each of these costs too (got energy_mj)",
        ),
    ):
        with pytest.raises(StoreError, match=re.escape(message)):
            facts_from_json(json.loads(json.dumps(facts_to_json(replace(facts, rivals=wrong)))))
