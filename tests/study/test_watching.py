"""A dashboard beside a run, and what is attached to the search."""

import time
import urllib.request
from pathlib import Path

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from surrogate_nas.study.stages.watching import watched


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


def test_a_dashboard_is_served_on_the_loopback_address_and_ends(run_copy: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    before = (run_copy / "search.journal").read_bytes()
    with watched(True, RunFolder(run_copy), StudyConsole(quiet=True)) as dashboard:
        assert dashboard is not None
        assert dashboard.url.startswith("http://127.0.0.1:")
        for _ in range(400):
            try:
                answer = urllib.request.urlopen(dashboard.url.replace("dashboard/", "api/studies"), timeout=5).read()
                break
            except OSError:
                time.sleep(0.3)
        else:
            pytest.fail("the dashboard did not answer")
        assert b"nasbench201-tiny" in answer
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(dashboard.url, timeout=5)
    assert (run_copy / "search.journal").read_bytes() == before


def test_none_is_made_unless_asked_for(run_copy: Path) -> None:
    with watched(False, RunFolder(run_copy), StudyConsole(quiet=True)) as dashboard:
        assert dashboard is None
