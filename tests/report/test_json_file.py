"""A written report can be read back, and damage is named."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import StoreError
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
