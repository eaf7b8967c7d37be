"""Opening, resuming, replacing and refusing journals."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from surrogate_nas.errors import RunFolderError, StoreError, SurrogateNasWarning
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal import study_journal as study_module
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from surrogate_nas.search.journal.study_journal import JournalHeader, StudyJournal
from surrogate_nas.search.journal.trials import TrialBatch

HEADER = JournalHeader("cells-a", "f" * 16, "inputs-1", ("predicted accuracy", "latency_ms"), {"budgets": "none"})


@pytest.fixture
def trials(evaluator: Evaluator) -> TrialBatch:
    return TrialBatch(evaluator.space, evaluator.evaluate(evaluator.space.all_codes()[:12]))


def codes_in(path: Path) -> list[str]:
    with quiet_optuna():
        storage = JournalStorage(JournalFileBackend(str(path)))
        [study] = optuna.get_all_study_names(storage)
        return [trial.user_attrs["code"] for trial in optuna.load_study(study_name=study, storage=storage).trials]


def names(trials: TrialBatch) -> list[str]:
    return trials.space.digits(trials.candidates.codes)


def test_a_new_journal_names_its_metrics_and_inputs(tmp_path: Path, trials: TrialBatch) -> None:
    path = tmp_path / "new" / "search.journal"
    journal = StudyJournal(path, HEADER)
    journal.record(trials)
    journal.finish()
    assert (journal.opened, journal.notes) == ("created", [])
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name="cells-a", storage=storage)
    assert study.metric_names == ["predicted accuracy", "latency_ms"]
    assert study.user_attrs == {"schema": 1, "space": "f" * 16, "inputs": "inputs-1", "budgets": "none"}
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert codes_in(path) == names(trials)


@pytest.mark.parametrize("sizes", [(12,), (3, 9), (5, 4, 3), (8, 4)])
def test_trials_beyond_the_first_are_written_without_parameters(
    tmp_path: Path, trials: TrialBatch, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_module, "DESCRIBED_TRIALS", 5)
    path = tmp_path / "j"
    for _ in range(2):  # the second time everything is compared, and nothing written
        journal, start = StudyJournal(path, HEADER), 0
        for size in sizes:
            journal.record(trials[start : start + size])
            start += size
        journal.finish()
        assert journal.notes == []
    storage = JournalStorage(JournalFileBackend(str(path)))
    stored = optuna.load_study(study_name="cells-a", storage=storage).trials
    assert [bool(trial.params) for trial in stored] == [True] * 5 + [False] * 7
    assert [bool(trial.user_attrs.get("architecture")) for trial in stored] == [True] * 5 + [False] * 7
    assert all(trial.values and trial.system_attrs["constraints"] for trial in stored)
    assert codes_in(path) == names(trials)


@pytest.mark.parametrize("known", [0, 5, 12])
def test_resuming_adds_only_what_is_missing(tmp_path: Path, trials: TrialBatch, known: int) -> None:
    path = tmp_path / "j"
    StudyJournal(path, HEADER).record(trials[:known])
    size = path.stat().st_size
    journal = StudyJournal(path, HEADER)
    for start in (0, 4, 8):
        journal.record(trials[start : start + 4])
    journal.finish()
    assert (journal.opened, journal.notes) == ("resumed", [])
    assert codes_in(path) == names(trials)
    assert (path.stat().st_size == size) is (known == 12)


def test_a_torn_record_is_repaired_and_said(tmp_path: Path, trials: TrialBatch) -> None:
    path = tmp_path / "j"
    StudyJournal(path, HEADER).record(trials)
    path.write_bytes(path.read_bytes()[:-30])
    journal = StudyJournal(path, HEADER)
    journal.record(trials)
    assert journal.opened == "resumed"
    assert "half-written" in journal.notes[0]
    assert codes_in(path) == names(trials)


def test_two_runs_at_once_share_the_journal_without_duplicates(tmp_path: Path, trials: TrialBatch) -> None:
    path = tmp_path / "j"
    one, other = StudyJournal(path, HEADER), StudyJournal(path, HEADER)
    one.record(trials[:6])
    other.record(trials[:3])
    other.record(trials[3:9])
    one.record(trials[6:])
    other.record(trials[9:])
    for journal in (one, other):
        journal.finish()
        assert journal.opened != "replaced"
    assert codes_in(path) == names(trials)


def test_other_inputs_replace_the_journal(tmp_path: Path, trials: TrialBatch) -> None:
    path = tmp_path / "j"
    StudyJournal(path, HEADER).record(trials[:7])
    journal = StudyJournal(path, replace(HEADER, inputs="inputs-2"))
    assert journal.opened == "replaced"
    assert "replaced" in journal.notes[0]
    journal.record(trials[8:10])
    assert codes_in(path) == names(trials[8:10])


@pytest.mark.parametrize("stored", [[0, 2], [0, 1, 2, 3, 4]])
def test_other_or_additional_trials_replace_the_journal(tmp_path: Path, trials: TrialBatch, stored: list[int]) -> None:
    path = tmp_path / "j"
    before = TrialBatch(trials.space, trials.candidates.take(np.array(stored)))
    StudyJournal(path, HEADER).record(before)
    journal = StudyJournal(path, HEADER)
    journal.record(trials[:1])
    journal.record(trials[1:3])
    journal.finish()
    assert journal.opened == "replaced"
    assert codes_in(path) == names(trials[:3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": "0" * 16}, f"its fingerprint must be {'0' * 16} \\(got {'f' * 16}\\)"),
        ({"name": "cells-b"}, r"must hold only the study cells-b \(got cells-a\)"),
    ],
)
def test_the_study_of_another_space_or_name_is_refused(
    tmp_path: Path, trials: TrialBatch, change: dict[str, str], message: str
) -> None:
    path = tmp_path / "j"
    StudyJournal(path, HEADER).record(trials)
    content = path.read_bytes()
    with pytest.raises(RunFolderError, match=message):
        StudyJournal(path, replace(HEADER, **change))  # type: ignore[arg-type]
    assert path.read_bytes() == content


def test_somebody_elses_study_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with quiet_optuna():
        optuna.create_study(storage=JournalStorage(JournalFileBackend(str(path))), study_name="cells-a")
    with pytest.raises(RunFolderError, match="not made by this search"):
        StudyJournal(path, HEADER)


def test_a_journal_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be opened"):
        StudyJournal(tmp_path / "file" / "j", HEADER)
    with pytest.raises(RunFolderError, match="cannot be read"):
        StudyJournal(tmp_path, HEADER)


def test_a_journal_that_goes_away_is_an_error_and_keeps_what_it_has(tmp_path: Path, trials: TrialBatch) -> None:
    path = tmp_path / "run" / "j"
    journal = StudyJournal(path, HEADER)
    journal.record(trials[:5])
    moved = path.parent.rename(tmp_path / "moved")
    with pytest.raises(StoreError, match="cannot be written"):
        journal.record(trials[5:])
    assert codes_in(moved / "j") == names(trials[:5])


@pytest.mark.parametrize(
    "change",
    [
        ('"params":{', '"params":5,"_":{'),
        ('"values":[', '"values":5,"_":['),
        ('"study_id":0', '"study_id":7'),
        ('"study_name":"cells-a"', '"study_name":5'),
        ('"state":1', '"state":10000000000000000000000'),
        ('"distributions":{', '"distributions":[],"_":{'),
        ('"directions":[2,1]', '"directions":[]'),
        ('"user_attrs":{', '"user_attrs":7,"_":{'),
    ],
    ids=lambda change: change[1],
)
def test_records_that_mean_nothing_are_an_error_of_ours_or_replaced(
    tmp_path: Path, trials: TrialBatch, change: tuple[str, str]
) -> None:
    path = tmp_path / "j"
    StudyJournal(path, HEADER).record(trials)
    # As others write records, without a checksum.
    text = re.sub(',"checksum":"[0-9a-f]{8}"}\n', "}\n", path.read_text())
    assert change[0] in text
    path.write_text(text.replace(*change))
    try:
        journal = StudyJournal(path, HEADER)
        journal.record(trials)
        journal.finish()
    except (StoreError, RunFolderError):
        return
    assert codes_in(path) == names(trials)


@pytest.mark.parametrize("record", [0, 3, 9, -1])
def test_a_damaged_record_is_said_and_all_are_written_again(tmp_path: Path, trials: TrialBatch, record: int) -> None:
    path = tmp_path / "j"
    StudyJournal(path, HEADER).record(trials)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[record] = lines[record].replace(b'"worker_id":"', b'"worker_id":"x')
    path.write_bytes(b"".join(lines))
    number = record % len(lines) + 1
    with pytest.warns(SurrogateNasWarning, match=re.escape(f"record {number} of the search journal is damaged")):
        journal = StudyJournal(path, HEADER)
    assert journal.opened == "replaced"
    journal.record(trials)
    assert codes_in(path) == names(trials)
    assert StudyJournal(path, HEADER).opened == "resumed"
