"""One process does each task; another takes over a dead one's; no acknowledged outcome is lost."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from surrogate_nas.search.trainings.shared_trials import MOST_ATTEMPTS, SharedTrials, Trained, TrainTask
from surrogate_nas.search.trainings.trial_places import TrialFolder
from surrogate_nas.space.space import Space

TASKS = [TrainTask("000000", 2), TrainTask("123401", 2), TrainTask("123401", 4)]
CLAIM_AND_DIE = """
import os, sys
from pathlib import Path
from surrogate_nas.search.trainings.shared_trials import SharedTrials
from surrogate_nas.search.trainings.trial_places import TrialFolder
from surrogate_nas.space.load import load_space
folder = Path(sys.argv[1])
claim = SharedTrials(TrialFolder(folder / "j", folder, load_space("nasbench201"), "shared", "inputs")).claim()
print(claim.task.code, claim.attempt, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def place(space: Space, tmp_path: Path) -> TrialFolder:
    made = TrialFolder(tmp_path / "j", tmp_path, space, "shared", "inputs")
    assert made.prepare() == []
    return made


def states(place: TrialFolder) -> list[str]:
    with quiet_optuna():
        study = optuna.load_study(study_name="shared", storage=JournalStorage(JournalFileBackend(str(place.journal))))
    return [trial.state.name for trial in study.trials]


def test_tasks_are_taken_in_their_order_and_once(place: TrialFolder) -> None:
    one, other = SharedTrials(place), SharedTrials(place)
    one.ask(TASKS)
    one.ask(TASKS)
    taken = [one.claim(), other.claim(), one.claim()]
    assert [claim.task for claim in taken if claim] == TASKS
    assert one.claim() is None
    assert other.claim() is None
    assert taken[1] is not None
    other.finish(taken[1], Trained(71.25, 0.125, 30))
    assert one.outcomes() == {TASKS[1]: Trained(71.25, 0.125, 30)}
    assert states(place) == ["RUNNING", "COMPLETE", "RUNNING"]


def test_optuna_sees_parameters_and_values(place: TrialFolder, space: Space) -> None:
    trials = SharedTrials(place)
    trials.ask(TASKS[1:2])
    claim = trials.claim()
    assert claim is not None
    trials.finish(claim, Trained(50.5, 1.0, 8))
    with quiet_optuna():
        study = optuna.load_study(study_name="shared", storage=JournalStorage(JournalFileBackend(str(place.journal))))
    [trial] = study.trials
    assert trial.value == 50.5
    assert trial.params == {
        decision.name: decision.choices[int(digit)] for decision, digit in zip(space.decisions, "123401", strict=True)
    }
    assert {"architecture", "code", "epochs", "attempt", "loss", "steps"} == trial.user_attrs.keys()


@pytest.mark.posix
def test_a_dead_process_task_is_taken_over(place: TrialFolder) -> None:
    SharedTrials(place).ask(TASKS[:1])
    for attempt in range(1, MOST_ATTEMPTS + 1):
        line = [sys.executable, "-c", CLAIM_AND_DIE, str(place.guards)]
        said = subprocess.run(line, capture_output=True, text=True, check=False).stdout
        assert said.split() == [TASKS[0].code, str(attempt)]
        trials = SharedTrials(place)
        assert trials.failure(TASKS[:1]) is None
    assert trials.claim() is None
    assert states(place) == ["FAIL"] * MOST_ATTEMPTS
    assert f"ended its process {MOST_ATTEMPTS} times" in str(trials.failure(TASKS[:1]))
    trials.ask(TASKS[:1])
    claim = trials.claim()
    assert claim is not None
    assert claim.attempt == 1


def test_what_nobody_asks_for_any_more_is_not_done(place: TrialFolder) -> None:
    trials = SharedTrials(place)
    trials.ask(TASKS)
    trials.ask(TASKS[2:])
    claim = trials.claim()
    assert claim is not None
    assert claim.task == TASKS[2]
    trials.give_back(claim)
    again = trials.claim()
    assert again is not None
    assert (again.task, again.attempt) == (TASKS[2], 1)
    trials.fail(again, "the loss is nan")
    assert trials.failure(TASKS[2:]) == "the loss is nan"
    assert not list(place.guards.glob(".*.guard.lock"))


def test_a_torn_record_is_repaired_and_said_and_other_inputs_begin_anew(place: TrialFolder) -> None:
    trials = SharedTrials(place)
    trials.ask(TASKS[:2])
    claim = trials.claim()
    assert claim is not None
    trials.finish(claim, Trained(1.0, 1.0, 1))
    with place.journal.open("ab") as file:
        file.write(b'{"op_code":6,"tri')
    [note] = place.prepare()
    assert "half-written" in note
    assert list(SharedTrials(place).outcomes()) == TASKS[:1]
    [note] = replace(place, inputs="others").prepare()
    assert "replaced" in note
    assert SharedTrials(place).outcomes() == {}


def test_a_record_torn_by_a_dead_process_does_not_spoil_what_others_write(place: TrialFolder) -> None:
    trials = SharedTrials(place)
    trials.ask(TASKS[:1])
    with place.journal.open("ab") as file:
        file.write(b'{"op_code":6,"tri')
    claim = trials.claim()
    assert claim is not None
    trials.finish(claim, Trained(1.0, 1.0, 1))
    assert list(SharedTrials(place).outcomes()) == TASKS[:1]


@pytest.mark.parametrize("harm", ["removed", "replaced", "folder"])
def test_a_journal_that_goes_away_is_said(place: TrialFolder, harm: str) -> None:
    trials = SharedTrials(place)
    trials.ask(TASKS)
    claim = trials.claim()
    assert claim is not None
    content = place.journal.read_bytes()
    place.journal.rename(place.journal.with_name("moved"))
    if harm == "replaced":
        place.journal.write_bytes(content)
    elif harm == "folder":
        place.journal.mkdir()
    for action in (lambda: trials.finish(claim, Trained(1.0, 1.0, 1)), trials.claim, trials.outcomes):
        with pytest.raises(StoreError, match=r"disappeared or cannot be written.*continue with --resume"):
            action()
    assert place.journal.with_name("moved").read_bytes() == content
    assert place.journal.exists() is (harm != "removed")


def test_something_else_in_its_place_is_left_alone(space: Space, tmp_path: Path) -> None:
    (tmp_path / "j").write_text("notes\n")
    with pytest.raises(RunFolderError, match="in the way"):
        TrialFolder(tmp_path / "j", tmp_path, space, "shared", "inputs").prepare()
    assert (tmp_path / "j").read_text() == "notes\n"


@pytest.mark.parametrize("damage", ['"loss":{}', '"loss":"x"', '"lost":1.5', '"loss":null'])
def test_a_damaged_outcome_is_refused_with_the_remedy(place: TrialFolder, damage: str) -> None:
    trials = SharedTrials(place)
    trials.ask(TASKS[:1])
    claim = trials.claim()
    assert claim is not None
    trials.finish(claim, Trained(1.0, 1.5, 1))
    content = place.journal.read_text(encoding="utf-8")
    assert '"loss":1.5' in content
    place.journal.write_text(content.replace('"loss":1.5', damage), encoding="utf-8")
    with pytest.raises(StoreError, match=r"is damaged.*remove it and continue with --resume"):
        SharedTrials(place).outcomes()


def test_a_damaged_record_is_refused_and_left(place: TrialFolder) -> None:
    place.prepare()
    SharedTrials(place).ask([TrainTask("333132", 1), TrainTask("333133", 1)])
    lines = place.journal.read_bytes().splitlines(keepends=True)
    damaged = b"".join([*lines[:-1], lines[-1].replace(b"333133", b"333123")])
    place.journal.write_bytes(damaged)
    with pytest.raises(StoreError, match=f"record {len(lines)}; remove it and continue with --resume"):
        place.prepare()
    assert place.journal.read_bytes() == damaged
