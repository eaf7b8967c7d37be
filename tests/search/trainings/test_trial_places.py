"""Trainings in a database: shared as in a journal, with processes that are killed at any point."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from filelock import FileLock
from optuna.trial import TrialState

from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas.errors import SettingsError, StoreError
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.trainings.crew import Crew
from surrogate_nas.search.trainings.shared_trials import MOST_ATTEMPTS, Claim, SharedTrials, Trained, TrainTask
from surrogate_nas.search.trainings.trial_places import TrialFolder
from surrogate_nas.space.space import Space
from tests.fixtures.postgresql import PostgreSQL
from tests.search.sharing import NoWork, value_of

TASKS = [TrainTask("000000", 2), TrainTask("123401", 2), TrainTask("123401", 4)]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(f"sqlite:///{tmp_path_factory.mktemp('database')}/trials.db", "me")


@pytest.fixture
def place(database: Database, space: Space, tmp_path: Path, request: pytest.FixtureRequest) -> TrialFolder:
    made = TrialFolder(tmp_path / "j", tmp_path, space, request.node.name, "inputs", database)
    assert made.prepare() == []
    return made


def claimed(trials: SharedTrials) -> Claim:
    claim = trials.claim()
    assert claim is not None
    return claim


def states(place: TrialFolder) -> list[str]:
    assert place.database is not None
    study = place.database.find(place.study)
    assert study is not None
    return [trial.state.name for trial in study.trials]


def test_tasks_are_taken_once_kept_and_replaced_with_other_inputs(place: TrialFolder) -> None:
    one, other = SharedTrials(place), SharedTrials(place)
    one.ask(TASKS)
    one.ask(TASKS)
    taken = [claimed(one), claimed(other), claimed(one)]
    assert [claim.task for claim in taken] == TASKS
    assert other.claim() is None
    other.finish(taken[1], Trained(71.25, 0.125, 30))
    one.give_back(taken[0])
    one.fail(taken[2], "the loss is nan")
    assert one.outcomes() == {TASKS[1]: Trained(71.25, 0.125, 30)}
    assert other.failure(TASKS[2:]) == "the loss is nan"
    assert other.failure(TASKS[:2]) is None
    assert claimed(other).task == TASKS[0]
    assert not place.journal.exists()
    assert place.prepare() == []
    assert place.database is not None
    with pytest.raises(SettingsError, match="belongs to another run"):
        replace(place, database=replace(place.database, run="other")).prepare()
    [note] = replace(place, inputs="others").prepare()
    assert "was made with other inputs and was replaced" in note
    assert SharedTrials(place).outcomes() == {}


def test_a_process_that_is_killed_between_two_changes_loses_no_task(
    place: TrialFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = SharedTrials(place)
    trials.ask(TASKS[:1])
    for attempt in range(1, MOST_ATTEMPTS):
        claim = claimed(trials)
        assert claim.attempt == attempt
        claim.guard.release()  # as the kernel does for a dead process

        def die(*_: object) -> bool:
            raise KeyboardInterrupt

        other = SharedTrials(place)
        with monkeypatch.context() as patch:
            patch.setattr(optuna.storages.RDBStorage, "set_trial_state_values", die)
            with pytest.raises(KeyboardInterrupt):
                other.claim()
        assert states(place)[-2:] == ["RUNNING", "WAITING"]
        assert trials.failure(TASKS[:1]) is None
    trials.finish(claimed(trials), Trained(1.0, 1.0, 1))
    assert trials.claim() is None
    assert states(place) == [TrialState.FAIL.name] * (MOST_ATTEMPTS - 1) + [TrialState.COMPLETE.name]


def test_a_lock_or_a_study_that_goes_away_is_a_line(place: TrialFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = SharedTrials(place)
    trials.ask(TASKS)
    with monkeypatch.context() as patch:

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        patch.setattr(FileLock, "acquire", refuse)
        with pytest.raises(StoreError, match=r"lock of the trainings cannot be taken: .*Permission denied"):
            trials.outcomes()
    assert place.database is not None
    place.database.delete(place.study)
    with pytest.raises(StoreError, match="damaged"):
        trials.ask(TASKS)


@pytest.mark.slow
@pytest.mark.posix
def test_four_workers_on_postgresql_lose_no_trial_when_one_is_killed(
    postgresql: PostgreSQL, space: Space, tmp_path: Path
) -> None:
    tasks = [TrainTask(f"0000{one}{two}", 3) for one in range(4) for two in range(4)]
    place = TrialFolder(tmp_path / "j", tmp_path, space, "four", "inputs", Database(postgresql.url(), "me"))
    place.prepare()
    outcomes: dict[TrainTask, Trained] = {}
    with LocalWorkers(4) as workers:
        Crew(place, NoWork(tmp_path, 1, "12", seconds=0.3), workers).run(
            tasks, on_outcome=outcomes.__setitem__, on_progress=lambda _: None, should_stop=lambda: False
        )
    assert outcomes == {task: Trained(value_of(task), 1.5, 3) for task in tasks}
    begun = {task.code: len(list(tmp_path.glob(f"{task.code}.*"))) for task in tasks}
    assert begun == {task.code: 2 if task.code == "000012" else 1 for task in tasks}
    assert sorted(states(place)) == ["COMPLETE"] * 16 + ["FAIL"]
