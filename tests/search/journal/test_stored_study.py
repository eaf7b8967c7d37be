"""Creating, resuming and replacing the study of a search in a database."""

from dataclasses import replace

import optuna
import pytest
from optuna.study import StudyDirection

from surrogate_nas.errors import SettingsError, StoreError
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from surrogate_nas.search.journal.stored_study import StoredStudy
from surrogate_nas.search.journal.study_journal import JournalHeader
from surrogate_nas.search.journal.trials import TrialBatch, agree


@pytest.fixture
def header(request: pytest.FixtureRequest) -> JournalHeader:
    """A study of this test alone, in the database of all."""
    metrics = ("predicted accuracy", "latency_ms")
    return JournalHeader(request.node.name, "f" * 16, "inputs-1", metrics, {"budgets": "none"})


@pytest.fixture
def trials(evaluator: Evaluator) -> TrialBatch:
    return TrialBatch(evaluator.space, evaluator.evaluate(evaluator.space.all_codes()[:6]))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(f"sqlite:///{tmp_path_factory.mktemp('database')}/studies.db", "me")


def stored(database: Database, name: str) -> optuna.Study:
    with quiet_optuna():
        return optuna.load_study(study_name=name, storage=database.storage)


def codes_in(database: Database, name: str) -> list[str]:
    return [trial.user_attrs["code"] for trial in stored(database, name).trials]


def names(trials: TrialBatch) -> list[str]:
    return trials.space.digits(trials.candidates.codes)


def test_a_new_study_has_what_a_journal_has(database: Database, header: JournalHeader, trials: TrialBatch) -> None:
    study = StoredStudy(database, header)
    study.record(trials)
    study.finish()
    assert (study.opened, study.notes) == ("created", [])
    found = stored(database, header.name)
    assert found.metric_names == ["predicted accuracy", "latency_ms"]
    assert [direction.name for direction in found.directions] == ["MAXIMIZE", "MINIMIZE"]
    known = {"run": "me", "schema": 1, "space": "f" * 16, "inputs": "inputs-1", "budgets": "none", "whole": True}
    assert found.user_attrs == known
    assert all(map(agree, found.trials, trials.trials()))
    assert [trial.params for trial in found.trials] == [trial.params for trial in trials.trials()]


def test_resuming_adds_what_is_missing_and_other_trials_are_replaced(
    database: Database, header: JournalHeader, trials: TrialBatch
) -> None:
    StoredStudy(database, header).record(trials[:4])
    again = StoredStudy(database, header)
    for start in (0, 3):
        again.record(trials[start : start + 3])
    again.finish()
    assert (again.opened, again.notes, codes_in(database, header.name)) == ("resumed", [], names(trials))
    others = StoredStudy(database, header)
    others.record(trials[3:])
    others.finish()
    assert others.opened == "replaced"
    assert "trials of another search" in others.notes[0]
    assert codes_in(database, header.name) == names(trials[3:])
    fewer = StoredStudy(database, header)
    fewer.record(trials[3:5])
    fewer.finish()
    assert "more trials than this search has" in fewer.notes[0]
    assert codes_in(database, header.name) == names(trials[3:5])


def test_other_inputs_replace_the_study_of_the_run_and_no_other(
    database: Database, header: JournalHeader, trials: TrialBatch
) -> None:
    StoredStudy(database, replace(header, name="cells-b")).record(trials[:2])
    StoredStudy(database, header).record(trials)
    again = StoredStudy(database, replace(header, inputs="inputs-2"))
    assert again.opened == "replaced"
    assert "another predictor" in again.notes[0]
    assert codes_in(database, header.name) == []
    assert len(stored(database, "cells-b").trials) == 2
    with pytest.raises(SettingsError, match="belongs to another run"):
        StoredStudy(replace(database, run="other"), header)
    stored(database, header.name).set_user_attr("schema", 2)
    with pytest.raises(StoreError, match="the program is older"):
        StoredStudy(database, header)


def test_a_study_whose_process_was_killed_as_it_made_it_begins_again(
    database: Database, header: JournalHeader, trials: TrialBatch
) -> None:
    with database.answering():
        database.create(header.name, [StudyDirection.MAXIMIZE], {"schema": 1})
    study = StoredStudy(database, header)
    study.record(trials)
    assert study.opened == "created"
    assert codes_in(database, header.name) == names(trials)
