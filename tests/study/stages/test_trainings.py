"""A study that trains finalists: the same answer with any number of processes, interrupted, killed or not."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import RunFolderError, SettingsError, StoreError
from surrogate_nas.labels.records import LabelBatch
from surrogate_nas.labels.store import LabelStore, read_labels
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.predictor.features.graph_features import path_features
from surrogate_nas.search.settings import LoopSettings, ResidualSettings
from surrogate_nas.search.trainings.loop import Learnt
from surrogate_nas.search.trainings.residual import ResidualProcess, standardised
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import Pool
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run as InProgress
from surrogate_nas.study.stages import trainings
from surrogate_nas.study.stages.trainings import Derived, TrainFinalists, _notes, comparable_features
from tests.study.killed_work import KilledEach, KilledOnce

RunQuietly = Callable[..., str]
RunHere = Callable[..., tuple[int, str, str]]
TRAININGS = ("--trainings", "4")
IMAGES32 = load_space("images32")
CODES = IMAGES32.canonical(IMAGES32.sample(300, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def trained(finished: Path, run_quietly: RunQuietly, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a run with trainings by one process."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("trained") / "run"))
    also = ["--also-budget", "flops=20%", "--also-budget", "params=1K", "--set=compute.processes=1"]
    also.append("--set=loop.stop_gain_percent=0")
    assert "trainings: " in run_quietly("--resume", "--output-dir", folder, *TRAININGS, *also)
    return folder


@pytest.fixture
def untrained(trained: Path, tmp_path: Path) -> Path:
    """Returns the same run before the first training."""
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    for name in ("trainings.h5", "trainings.journal", "search.journal", "lookup.csv"):
        (folder / name).unlink()
    shutil.rmtree(folder / "trainings")
    return folder


def test_trainings_are_labels_of_their_own_and_decide(trained: Path, here: RunHere) -> None:
    labels = read_labels(trained / "trainings.h5")
    assert set(labels.source.tolist()) == {"training"}
    assert len(labels) == 4
    made = json.loads((trained / "answers.json").read_text())
    assert [one["code"] is None for one in made["answers"]] == [False, False, True]
    assert made["answers"][2]["nearest"]
    assert all(front["hypervolume"] > 0 for front in made["fronts"])
    assert (trained / "plots" / "trials.html").exists()
    answer = json.loads((trained / "report.json").read_text())["answer"]
    assert answer["trained_networks"] == 4
    epochs = answer["accuracy_basis"]
    assert epochs.startswith("after ")
    assert json.loads((trained / "lookup.json").read_text())["accuracy_basis"] == epochs
    known = LookupTable.load(trained)
    measured = known.column("label_trained_percent")
    assert set(measured[~np.isnan(measured)].tolist()) == set(labels.accuracy_percent.tolist())
    entries = {entry.code: entry for entry in known.top(len(measured))}
    assert entries[str(known.metadata.answer)].labels["label_trained_percent"] in labels.accuracy_percent
    table = (trained / "lookup.csv").read_bytes()
    code, _, errors = here("--resume", "--output-dir", trained)
    assert code == 0, errors
    assert (trained / "lookup.csv").read_bytes() == table
    assert len(read_labels(trained / "trainings.h5")) == len(labels)


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.parametrize(("processes", "work", "killed"), [(2, KilledOnce, 1), (4, KilledEach, 4)])
def test_killed_workers_and_their_number_change_nothing(
    trained: Path,
    untrained: Path,
    here_with_workers: RunHere,
    processes: int,
    work: type,
    killed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trainings, "NetworkWork", work)
    words = ("--resume", "--output-dir", untrained, "--set", f"compute.processes={processes}")
    code, _, errors = here_with_workers(*words)
    assert code == 0, errors
    assert (untrained / "lookup.csv").read_bytes() == (trained / "lookup.csv").read_bytes()
    assert len(list((untrained / "trainings").glob("*.killed"))) == killed
    assert (untrained / "trainings.journal").read_text().count('"op_code":4') == 4 + killed


@pytest.mark.slow
def test_a_journal_that_goes_away_costs_no_label(
    trained: Path, untrained: Path, here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = LabelStore.append

    def lose(store: LabelStore, batch: LabelBatch) -> None:
        append(store, batch)
        (untrained / "trainings.journal").unlink(missing_ok=True)

    with monkeypatch.context() as patch:
        patch.setattr(LabelStore, "append", lose)
        code, _, errors = here("--resume", "--output-dir", untrained)
    assert code == 1
    assert "the journal of the trainings disappeared" in errors
    assert "Traceback" not in errors
    # Another training may have ended before the loss was noticed.
    assert len(read_labels(untrained / "trainings.h5")) in (1, 2)
    code, _, errors = here("--resume", "--output-dir", untrained)
    assert code == 0, errors
    assert (untrained / "lookup.csv").read_bytes() == (trained / "lookup.csv").read_bytes()


@pytest.mark.slow
def test_it_stops_early_and_the_best_of_short_trainings_are_trained_for_longer(untrained: Path, here: RunHere) -> None:
    longer = ("--set", "loop.lengths=2", "--set", "loop.halving=2", "--set", "loop.stop_gain_percent=100")
    code, _, errors = here("--resume", "--output-dir", untrained, *longer)
    assert code == 0, errors
    labels = read_labels(untrained / "trainings.h5")
    short, full = sorted(set(labels.steps.tolist()))
    assert full == 2 * short
    assert [(labels.steps == steps).sum() for steps in (short, full)] == [2, 1]
    assert "1 more training was expected to gain" in errors
    assert "then 1 for 4 epochs" in errors


def test_trainings_and_a_search_beyond_the_listed_exclude_each_other(
    problem: Problem, run_of: Callable[..., InProgress], tmp_path: Path
) -> None:
    settings = problem.settings.model_copy(
        update={
            "loop": problem.settings.loop.model_copy(update={"trainings": 3}),
            "search": problem.settings.search.model_copy(update={"sampler": "evolution"}),
        }
    )
    trained = replace(problem, settings=settings)
    stage, run = TrainFinalists(), run_of(tmp_path)
    stage.check(trained, run)
    part = Pool(problem.space, problem.codes[5000:6000], complete=False, uniform=1000)
    with pytest.raises(SettingsError, match="got 'evolution' with 3 trainings"):
        stage.check(replace(trained, pool=part), run)


def test_damage_of_an_earlier_process_is_found_before_anything_changes(
    problem: Problem, run_of: Callable[..., InProgress], run_copy: Path
) -> None:
    stage, run = TrainFinalists(), run_of(run_copy)
    stage.check(problem, run)
    for path in (run.folder.trainings, run.folder.finalist_latencies):
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(b"{")
        with pytest.raises(StoreError, match=re.escape(str(path))):
            stage.check(problem, run)
        path.unlink() if before is None else path.write_bytes(before)
    identity = replace(problem.label_identity, code_version="0.0.1")
    with LabelStore.open_or_create(run.folder.trainings, identity):
        pass
    with pytest.raises(RunFolderError, match="or remove the file: they are made again, and supernets stay"):
        stage.check(problem, run)


def test_cells_are_compared_by_their_paths_alone() -> None:
    space = load_space("nasbench201")
    codes = space.canonical(space.sample(100, np.random.default_rng(0)))
    found = comparable_features(space, space.network, codes)
    np.testing.assert_array_equal(found, standardised(path_features(space, codes)))


def test_half_of_a_distance_is_of_the_network_as_a_whole() -> None:
    found = comparable_features(IMAGES32, IMAGES32.network, CODES)
    assert found.shape[0] == len(CODES)
    assert np.isfinite(found).all()
    spread = (found**2).sum(axis=1).mean()  # features have mean 0
    assert 0.99 < spread < 1.01
    paths = standardised(path_features(IMAGES32, CODES)).shape[1]
    assert 0.49 < (found[:, paths:] ** 2).sum(axis=1).mean() < 0.51


def test_a_network_is_nearer_to_one_of_its_size_than_to_a_larger_one() -> None:
    nodes = IMAGES32.parse("r32+w8|w16|w32+" + "+".join(["basic_k3" + "|identity" * 4] * 3))
    like, larger = nodes.copy(), nodes.copy()
    like[1] = 1  # 16 channels in the first stage
    larger[1:4] = 3
    larger[5:9] = 0
    found = comparable_features(IMAGES32, IMAGES32.network, np.concatenate([CODES, np.stack([nodes, like, larger])]))
    own, near, far = found[-3:]
    assert ((own - near) ** 2).sum() < ((own - far) ** 2).sum() / 2


def test_every_derived_architecture_has_its_fate() -> None:
    score = np.arange(5.0)
    process = ResidualProcess(score, np.zeros((5, 0)), ResidualSettings(), np.array([True, True, True, False, True]))
    learnt = Learnt((4, 0), (90.0, 80.0), process.posterior([4, 0], [90.0, 80.0]), None, process)
    lengths = {4: (9, 90.0), 0: (9, 80.0), 1: (3, 60.0)}
    notes = Derived({0: "000", 1: "111", 2: "222", 3: "333"}, lengths, learnt).notes()
    assert notes == (
        "derived by gradients: 000 has 80.00% after 9 epochs, place 2 of 2 trained for as long",
        "derived by gradients: 111 has 60.00% after 3 epochs, place 1 of 1 trained for as long",
        "derived by gradients: 222 was not trained: at most half of the first batch is derived by gradients",
        "derived by gradients: 333 was not trained, since it does not keep the budget",
    )
    assert Derived({2: "222"}, {}, learnt).notes() == (
        "derived by gradients: 222 was not trained, and no other network was",
    )


def test_no_training_makes_no_accuracy() -> None:
    process = ResidualProcess(np.zeros(3), np.zeros((3, 1)), LoopSettings().residual, np.ones((1, 3), dtype=np.bool_))
    none = Learnt((), (), process.posterior([], []), "all are over", process, ((4, 0),))
    assert _notes(none, ["0", "1", "2"]) == ("trainings: all are over",)
