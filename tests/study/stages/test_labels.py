"""Labels of the tiny study, in parts; what follows from them is tested with whole studies."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas.errors import Interrupted, SettingsError, StoreError
from surrogate_nas.labels.store import read_labels
from surrogate_nas.study.findings import StudyLabels
from surrogate_nas.study.problem.label_folds import label_images
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.labels import LabelArchitectures, label_architectures, way_of
from surrogate_nas.study.stages.supernets import train_supernets
from surrogate_nas.supernet.rules.label_scale import Ballot

RunOf = Callable[..., Run]
RunHere = Callable[..., tuple[int, str, str]]


@pytest.fixture
def labels(problem: Problem, finished: Path, run_of: RunOf) -> StudyLabels:
    return label_architectures(problem, run_of(finished))


def test_what_is_labelled_starts_no_worker(
    problem: Problem, finished: Path, run_of: RunOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(LocalWorkers, "run", refuse)
    label_architectures(problem, run_of(finished))


def test_every_drawn_architecture_has_the_label_of_its_computation(
    problem: Problem, finished: Path, labels: StudyLabels
) -> None:
    space, stored = problem.space, read_labels(finished / "labels.h5")
    by_code = dict(zip(space.digits(stored.codes), stored.accuracy_percent, strict=True))
    np.testing.assert_array_equal(labels.codes, problem.drawn)
    expected = [by_code[digits] for digits in space.digits(space.effective(labels.codes))]
    assert labels.accuracy_percent.tolist() == expected
    assert labels.evaluations == len(by_code) <= len(labels.codes)
    np.testing.assert_array_equal(stored.member, problem.plan.member_of(stored.codes))
    assert set(stored.steps.tolist()) == {40}


def test_no_shift_moves_a_label_beyond_what_it_can_be(
    problem: Problem, finished: Path, run_of: RunOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ballot, "labels", lambda made, *_: np.linspace(-2, 103, len(made.codes)))
    labels = label_architectures(problem, run_of(finished))
    assert (labels.accuracy_percent.min(), labels.accuracy_percent.max(), labels.loss.min()) == (0, 100, 0)


def test_a_stop_that_was_asked_for_ends_the_stage(problem: Problem, run_copy: Path, run_of: RunOf) -> None:
    run = run_of(run_copy, stop=True)
    run.folder.labels.unlink()
    with pytest.raises(Interrupted, match="stopped while labelling"):
        label_architectures(problem, run)


def test_labels_are_opened_before_anything_is_changed(problem: Problem, run_copy: Path, run_of: RunOf) -> None:
    stage, run = LabelArchitectures(), run_of(run_copy)
    stage.check(problem, run)
    labels = run.folder.labels
    labels.write_bytes(labels.read_bytes()[:100])
    with pytest.raises(StoreError, match=re.escape(str(labels))):
        stage.check(problem, run)


def test_the_search_says_how_labels_are_spent(problem: Problem, finished: Path, run_of: RunOf) -> None:
    same, labels = way_of(problem).spend(problem, run_of(finished))
    assert same is problem
    np.testing.assert_array_equal(labels.codes, problem.drawn)
    search = problem.settings.search.model_copy(update={"sampler": "segments"})
    other = replace(problem, settings=problem.settings.model_copy(update={"search": search}))
    with pytest.raises(SettingsError, match="is for spaces too large to enumerate"):
        LabelArchitectures().check(other, run_of(finished))


@pytest.mark.slow
def test_a_label_is_the_mean_over_replicas(problem: Problem, finished: Path, run_of: RunOf, tmp_path: Path) -> None:
    supernet = problem.settings.supernet.model_copy(update={"replicas": 2})
    settings = problem.settings.model_copy(update={"supernet": supernet})
    twice = replace(problem, settings=settings, plan=replace(problem.plan, settings=supernet))
    shutil.copytree(finished / "images", tmp_path / "run" / "images")
    run = run_of(tmp_path / "run")
    train_supernets(twice, run)
    labels = label_architectures(twice, run)
    space, stored, single = problem.space, read_labels(run.folder.labels), read_labels(finished / "labels.h5")
    members = problem.plan.members
    assert set(stored.member.tolist()) == set(range(2 * members))
    loss_of = {
        (digits, int(member) // members): loss
        for digits, member, loss in zip(space.digits(stored.codes), stored.member, stored.loss, strict=True)
    }
    # The first replica is the supernet without replicas; the second is another one.
    once = dict(zip(space.digits(single.codes), single.loss, strict=True))
    assert {digits: loss_of[digits, 0] for digits in once} == once
    assert all(loss_of[digits, 1] != loss for digits, loss in once.items())
    effective = space.digits(space.effective(labels.codes))
    np.testing.assert_allclose(labels.loss, [(loss_of[d, 0] + loss_of[d, 1]) / 2 for d in effective])
    assert labels.evaluations == len(once)


@pytest.mark.slow
def test_a_label_is_the_mean_over_the_images_of_all_folds(
    problem: Problem, finished: Path, run_of: RunOf, tmp_path: Path
) -> None:
    of_labels = problem.settings.labels.model_copy(update={"validation_images": 1000})
    settings = problem.settings.model_copy(update={"labels": of_labels})
    folded = replace(problem, settings=settings, plan=replace(problem.plan, folds=3))
    shutil.copytree(finished / "images", tmp_path / "run" / "images")
    run = run_of(tmp_path / "run")
    train_supernets(folded, run)
    labels = label_architectures(folded, run)
    space, stored, members = problem.space, read_labels(run.folder.labels), problem.plan.members
    correct = {
        (digits, int(member) // members): accuracy
        for digits, member, accuracy in zip(
            space.digits(stored.codes), stored.member, stored.accuracy_percent, strict=True
        )
    }
    assert {member for _, member in correct} == {0, 1, 2}
    images = [len(one) for one in label_images(settings, problem.splits, 3)]
    assert images == [120, 90, 90]
    effective = space.digits(space.effective(labels.codes))
    expected = [sum(correct[digits, fold] * images[fold] for fold in range(3)) / 300 for digits in effective]
    np.testing.assert_allclose(labels.accuracy_percent, expected)
    # Whole images were counted: a share of all of them.
    np.testing.assert_allclose(3 * labels.accuracy_percent, np.round(3 * labels.accuracy_percent), atol=1e-9)


SOFT = {"preset": "soft", "parent_share": 0.5, "label_both": "false", "scale_architectures": 2}


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param({"label_both": "true"}, marks=pytest.mark.slow),
        pytest.param({"parent_keeps": 0, "label_both": "true"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_labels_of_a_soft_split_are_on_one_scale_and_can_be_interrupted(
    tiny: Path,
    budgets: tuple[str, ...],
    faster: tuple[str, ...],
    here: RunHere,
    tmp_path: Path,
    changes: dict[str, object],
) -> None:
    folder = tmp_path / "run"
    words = [word for key, value in (SOFT | changes).items() for word in ("--set", f"supernet.{key}={value}")]
    code, _, errors = here(tiny, "--output-dir", folder, *budgets, *faster, *words)
    assert code == 0, errors
    stored = read_labels(folder / "labels.h5")
    parents = stored.member >= 1_000_000
    assert parents.any() == (changes.get("parent_keeps") == 0)
    # The tiny study labels 40 architectures; others are asked for the scale alone.
    assert len(stored) > len(np.unique(stored.codes, axis=0))
    table, labels = (folder / "lookup.csv").read_bytes(), folder / "labels.h5"
    labels.unlink()
    (folder / "supernets" / "member-0.safetensors").unlink()
    code, _, errors = here("--resume", "--output-dir", folder)
    assert code == 0, errors
    assert (folder / "lookup.csv").read_bytes() == table
    parts = "each labels one part of the search space, 0 or 1 nonlinear functions (8,764 architectures), 2 or 3"
    assert parts in errors
    keeping = "the one for 2 or 3 nonlinear functions trains for 5 steps on the whole space; then a copy trains 5 steps"
    apart = "they begin with the weights of one supernet, trained for 5 steps, and train 5 steps more"
    assert f"sub-supernets: {apart if 'parent_keeps' in changes else keeping}" in errors
