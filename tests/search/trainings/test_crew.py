"""The same outcomes with one worker or four, and with workers that are killed."""

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.workers import Workers
from surrogate_nas.errors import StoreError, TrainingError
from surrogate_nas.search.trainings.crew import Crew
from surrogate_nas.search.trainings.shared_trials import SharedTrials, Trained, TrainTask
from surrogate_nas.search.trainings.trial_places import TrialFolder
from surrogate_nas.space.space import Space
from tests.search.sharing import NoWork, value_of

TASKS = [TrainTask(f"00001{digit}", 3) for digit in range(5)] + [TrainTask("000100", 3)]


@pytest.fixture
def place(space: Space, tmp_path: Path) -> TrialFolder:
    made = TrialFolder(tmp_path / "j", tmp_path, space, "shared", "inputs")
    made.prepare()
    return made


def run(place: TrialFolder, work: NoWork, processes: int, tasks: list[TrainTask] = TASKS) -> dict[TrainTask, Trained]:
    outcomes: dict[TrainTask, Trained] = {}
    with LocalWorkers(processes) as workers:
        Crew(place, work, workers).run(
            tasks, on_outcome=outcomes.__setitem__, on_progress=lambda _: None, should_stop=lambda: False
        )
    return outcomes


@pytest.mark.quick_cases(1)
@pytest.mark.posix
@pytest.mark.parametrize(("processes", "kills"), [(1, 0), (4, 0), (1, 2), (4, 2)])
def test_workers_share_what_is_to_be_done(place: TrialFolder, tmp_path: Path, processes: int, kills: int) -> None:
    outcomes = run(place, NoWork(tmp_path, kills, "13"), processes)
    assert outcomes == {task: Trained(value_of(task), 1.5, 3) for task in TASKS}
    begun = {task.code: len(list(tmp_path.glob(f"{task.code}.*"))) for task in TASKS}
    assert begun == {task.code: 1 + (kills if task.code == "000013" else 0) for task in TASKS}


def test_what_is_done_is_not_done_again_and_rounds_follow_each_other(place: TrialFolder, tmp_path: Path) -> None:
    run(place, NoWork(tmp_path), 1, TASKS[:2])
    with LocalWorkers(1) as workers:
        crew = Crew(place, NoWork(tmp_path), workers)
        outcomes: dict[TrainTask, Trained] = {}
        for some in (TASKS[:2], TASKS[1:3]):
            crew.run(some, on_outcome=outcomes.__setitem__, on_progress=lambda _: None, should_stop=lambda: False)
        assert list(outcomes) == TASKS[:3]
    assert len(list(tmp_path.glob("0000*.*"))) == 3


def test_no_more_processes_begin_than_there_are_tasks(place: TrialFolder, tmp_path: Path) -> None:
    begun = len(multiprocessing.active_children())
    with LocalWorkers(5) as workers:
        Crew(place, NoWork(tmp_path), workers).run(
            TASKS[:2],
            on_outcome=lambda *_: None,
            on_progress=lambda _: None,
            should_stop=lambda: False,
        )
        assert len(multiprocessing.active_children()) - begun == 2


@pytest.mark.slow
@pytest.mark.posix
def test_a_task_that_always_kills_its_process_ends_the_run(place: TrialFolder, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="ended its process 3 times"):
        run(place, NoWork(tmp_path, 99, "13"), 2)


class Dying:
    """Workers whose processes die before they claim anything."""

    processes = 1

    def run(self, *_: object, on_death: Callable[[int, str], None], **_others: object) -> None:
        on_death(0, "a worker process died with exit code 3")

    def close(self) -> None:
        """Has nothing to end."""


def test_processes_that_never_get_to_work_end_the_run_with_their_exit_code(place: TrialFolder, tmp_path: Path) -> None:
    crew = Crew(place, NoWork(tmp_path), cast(Workers, Dying()))
    said = "died 4 times without a result between them: a worker process died with exit code 3"
    with pytest.raises(TrainingError, match=said):
        crew.run(TASKS, on_outcome=lambda *_: None, on_progress=lambda _: None, should_stop=lambda: False)


def test_a_failed_task_is_said_and_has_another_chance(place: TrialFolder, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the loss of 000012 is nan"):
        run(place, NoWork(tmp_path, fails="12"), 2)
    assert len(run(place, NoWork(tmp_path), 1)) == len(TASKS)


def test_a_stop_gives_back_what_runs(place: TrialFolder, tmp_path: Path) -> None:
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return bool(list(tmp_path.glob("0000*.*")))

    with LocalWorkers(1) as workers:
        crew = Crew(place, NoWork(tmp_path, seconds=60), workers)
        crew.run(TASKS, on_outcome=lambda *_: None, on_progress=lambda _: None, should_stop=should_stop)
    assert asked
    claim = SharedTrials(place).claim()
    assert claim is not None
    assert claim.attempt == 1


@pytest.mark.slow
def test_a_journal_that_goes_away_ends_the_run(place: TrialFolder, tmp_path: Path) -> None:
    def lose() -> bool:
        place.journal.unlink(missing_ok=True)
        return False

    with LocalWorkers(1) as workers, pytest.raises(StoreError, match="disappeared"):
        Crew(place, NoWork(tmp_path, seconds=60), workers).run(
            TASKS, on_outcome=lambda *_: None, on_progress=lambda _: None, should_stop=lose
        )
    assert not place.journal.exists()
    anew = replace(place)
    assert anew.prepare() == []
    assert len(run(anew, NoWork(tmp_path), 1)) == len(TASKS)
