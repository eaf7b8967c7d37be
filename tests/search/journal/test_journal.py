"""Journals handle locks of dead processes, half-written records, batches and foreign files."""

import json
import os
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from surrogate_nas.errors import RunFolderError
from surrogate_nas.search.journal import journal as journal_module
from surrogate_nas.search.journal.journal import LOCK_MARK, BatchJournal, JournalLock, repair
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna


def study_in(path: Path) -> tuple[optuna.Study, BatchJournal]:
    backend = BatchJournal(path, JournalLock(path))
    with quiet_optuna():
        storage = JournalStorage(backend)
        return optuna.create_study(storage=storage, study_name="s", load_if_exists=True), backend


def read_plainly(path: Path) -> list[float]:
    """Returns the values of the trials as Optuna's own backend, and so a dashboard, reads them."""
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name="s", storage=storage)
    return [trial.value or 0.0 for trial in study.trials]


def trials(*values: float) -> list[optuna.trial.FrozenTrial]:
    return [optuna.trial.create_trial(value=value) for value in values]


def test_a_batch_is_written_at_once_and_read_inside_already(tmp_path: Path) -> None:
    path = tmp_path / "j"
    study, backend = study_in(path)
    before = path.stat().st_size
    with backend.batch():
        study.add_trials(trials(1, 2, 3))
        assert [trial.value for trial in study.trials] == [1, 2, 3]
        assert path.stat().st_size == before
    study.add_trials(trials(4))
    with backend.batch():
        study.add_trials(trials(5))
    assert [trial.value for trial in study.trials] == read_plainly(path) == [1, 2, 3, 4, 5]


def test_a_batch_sees_what_others_wrote_before_it(tmp_path: Path) -> None:
    path = tmp_path / "j"
    study, backend = study_in(path)
    other, _ = study_in(path)
    other.add_trials(trials(1))
    with backend.batch():
        study.add_trials(trials(2))
        assert [trial.value for trial in study.trials] == [1, 2]
    other.add_trials(trials(3))
    assert [trial.value for trial in study.trials] == read_plainly(path) == [1, 2, 3]


def test_an_interrupted_batch_keeps_its_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "j"
    study, backend = study_in(path)

    def interrupted() -> None:
        with backend.batch():
            study.add_trials(trials(1, 2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert read_plainly(path) == [1, 2]
    assert not Path(f"{path}.lock").exists()


@pytest.mark.posix
def test_the_lock_keeps_optunas_own_writers_out(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with JournalLock(path).held(), pytest.raises(FileExistsError):
        os.symlink(path, f"{path}.lock")
    assert not Path(f"{path}.lock").exists()


def test_the_lock_may_be_taken_again_inside(tmp_path: Path) -> None:
    lock = JournalLock(tmp_path / "j")
    with lock.held():
        with lock.held():
            pass
        assert (tmp_path / "j.lock").exists()
    assert not (tmp_path / "j.lock").exists()


def test_a_lock_left_by_a_killed_run_costs_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it is not waited for"))
    (tmp_path / "j.lock").write_bytes(LOCK_MARK)
    with JournalLock(tmp_path / "j").held():
        assert (tmp_path / "j.lock").read_bytes() == LOCK_MARK


@pytest.mark.posix
@pytest.mark.parametrize("target", ["j", "nowhere/j"])
def test_a_lock_left_by_a_killed_dashboard_is_given_a_moment(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "FOREIGN_GRACE_S", 0.2)
    (tmp_path / "j.lock").symlink_to(target)
    start = time.monotonic()
    with JournalLock(tmp_path / "j").held():
        assert time.monotonic() - start >= 0.2
    assert not (tmp_path / "j.lock").is_symlink()


def test_a_journal_kept_by_another_process_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "GUARD_TIMEOUT_S", 0.1)
    with (
        JournalLock(tmp_path / "j").held(),
        pytest.raises(RunFolderError, match="written by another process"),
        JournalLock(tmp_path / "j").held(),
    ):
        pass


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_torn_last_record_is_removed(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    study, _ = study_in(path)
    study.add_trials(trials(1, 2))
    content = path.read_bytes()
    last = len(content.splitlines(keepends=True)[-1])
    path.write_bytes(content[:-cut])
    assert repair(path) == last - cut
    assert repair(path) == 0
    again, _ = study_in(path)
    again.add_trials(trials(3))
    assert read_plainly(path) == [1, 3]


def test_a_record_that_was_appended_to_a_torn_one_does_not_spoil_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "j"
    study, _ = study_in(path)
    study.add_trials(trials(1, 2))
    path.write_bytes(path.read_bytes()[:-9])
    JournalFileBackend(str(path)).append_logs([{"op_code": 2, "worker_id": "x"}, {"op_code": 10, "worker_id": "x"}])
    assert repair(path) > 0
    assert read_plainly(path) == [1]


@pytest.mark.parametrize("content", [b"code,latency\n0,1.5\n", b"{}\n", b"\x00\xff", json.dumps([1]).encode() + b"\n"])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(RunFolderError, match="in the way"):
        repair(path)
    assert path.read_bytes() == content


def test_a_folder_in_the_place_of_the_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="cannot be read"):
        repair(tmp_path)


def test_a_record_that_is_nested_too_deeply_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    study, backend = study_in(path)
    with backend.batch():
        study.add_trials(trials(1))
    with path.open("ab") as file:
        file.write(b"[" * 100_000 + b"\n")
    assert repair(path) == 100_001
    assert read_plainly(path) == [1]
