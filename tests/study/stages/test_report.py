"""The report stage: what it attaches to the search, and a report without an answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import optuna
from optuna.artifacts import get_all_artifact_meta
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from surrogate_nas.costs.budget import Budget
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.report import report_infeasible


def test_a_finished_run_has_notes_and_files_in_its_study(finished: Path) -> None:
    with quiet_optuna():
        storage = JournalStorage(JournalFileBackend(str(finished / "search.journal")))
        [name] = optuna.get_all_study_names(storage)
        study = optuna.load_study(study_name=name, storage=storage)
    names = {meta.filename for meta in get_all_artifact_meta(study)}
    assert {"report.html", "lookup.csv", "trials.html"} <= names
    note = storage.get_study_system_attrs(study._study_id)["dashboard:note_str:0"]
    assert "python -m surrogate_nas.study" in note
    assert "optuna-dashboard" in note


def test_a_budget_that_nothing_meets_is_reported(problem: Problem, run_of: Callable[..., Run], tmp_path: Path) -> None:
    facts = report_infeasible(replace(problem, budgets=(Budget("params", 1.0),)), run_of(tmp_path))
    assert facts.answer.outcome == "infeasible"
    assert facts.made.command == "the command"
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["answer"]["chosen"] is None
    assert (tmp_path / "report.html").exists()
