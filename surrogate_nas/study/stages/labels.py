"""Labels architectures with the sub-supernets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.errors import Interrupted
from surrogate_nas.labels.records import NO_MEMBER, LabelBatch, Labels
from surrogate_nas.labels.store import LabelStore, read_labels
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.space.space import Codes
from surrogate_nas.study.findings import Findings, StudyLabels
from surrogate_nas.study.problem.label_folds import judges_of, label_images
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.labelling.label_segments import label_in_segments, segments_of
from surrogate_nas.study.stages.labelling.label_slices import label_slices
from surrogate_nas.study.stages.labelling.two_judges import mean_of
from surrogate_nas.study.stages.protocol import Stage, Timing
from surrogate_nas.supernet.ballots import ballot_of
from surrogate_nas.supernet.evaluation import Evaluation, EvaluationJob, evaluate_member
from surrogate_nas.supernet.rules.label_scale import NOBODY

_CODES_PER_JOB = 8


@dataclass(frozen=True)
class LabelWay:
    """A way to spend the labels of a study.

    Attributes:
        check: Raises ``SettingsError`` where the way does not fit the problem.
        spend: Labels architectures, and may list more of them; takes the problem and the run.
    """

    check: Callable[[Problem], object]
    spend: Callable[[Problem, Run], tuple[Problem, StudyLabels]]


def label_architectures(problem: Problem, run: Run) -> StudyLabels:
    """Labels each drawn architecture; equal computations once.

    The supernets that answer for it evaluate it, a linear probe judges its part of pretrained weights, or both do.

    Raises:
        Interrupted: If a stop was requested; labels made so far are kept.
        StoreError: If the label file or a checkpoint is damaged.
    """
    judges = judges_of(problem.settings)
    if "probe" not in judges:
        return label_by_supernets(problem, run)
    probed = label_slices(problem, run)
    return probed if judges == {"probe"} else mean_of(label_by_supernets(problem, run), probed)


def label_by_supernets(problem: Problem, run: Run) -> StudyLabels:
    """Evaluates each drawn architecture by the supernets that answer for it; equal computations once.

    A label is the mean over the replicas of the supernets. Over folds of the images, every image counts the same.

    Raises:
        Interrupted: If a stop was requested; labels made so far are kept.
        StoreError: If the label file or a checkpoint is damaged.
    """
    codes, ballot = problem.drawn, ballot_of(problem.plan, problem.drawn)
    members = ballot.members.reshape(len(ballot.codes), -1)
    asked, stored = members != NOBODY, _stored(problem, run)
    rows = _rows_of(problem, stored, ballot.codes, members)
    if (asked & (rows < 0)).any():
        _evaluate(problem, ballot.codes, np.where(asked & (rows < 0), members, NO_MEMBER), asked, run)
        stored = _stored(problem, run)
        rows = _rows_of(problem, stored, ballot.codes, members)
    else:
        run.console.note(f"labels: all {asked.sum():,} are there already")
    if stored is None or (asked & (rows < 0)).any():
        raise Interrupted("stopped while labelling")
    shape, of_each = ballot.members.shape, ballot.rows(problem.space, codes)
    weights = _weights(problem)
    accuracy, loss = (
        ballot.labels(values[rows].reshape(shape), weights)[of_each]
        for values in (stored.accuracy_percent, stored.loss)
    )
    # A shift may move a label of a hardly trained sub-supernet beyond what an accuracy or a loss can be.
    return StudyLabels(codes, accuracy.clip(0, 100), np.maximum(loss, 0), len(np.unique(of_each)))


def _weights(problem: Problem) -> NDArray[np.float64] | None:
    """Returns what each repetition of the supernets counts: as many images as its fold validates with."""
    plan = problem.plan
    if plan.folds == 1:
        return None
    images = label_images(problem.settings, problem.splits, plan.folds)
    return np.tile([float(len(labels)) for labels in images], plan.settings.replicas)


def _stored(problem: Problem, run: Run) -> Labels | None:
    labels = run.folder.labels
    return read_labels(labels, problem.label_identity) if labels.exists() else None


def _rows_of(problem: Problem, stored: Labels | None, codes: Codes, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the row among stored labels of each code (W, D) by each of its members (W, E), (W, E); -1 if absent."""
    if stored is None:
        return np.full(members.shape, -1)
    digits = problem.space.digits
    row_of = {pair: row for row, pair in enumerate(zip(digits(stored.codes), stored.member.tolist(), strict=True))}
    each = zip(digits(codes), members, strict=True)
    return np.array([[row_of.get((text, member), -1) for member in mine] for text, mine in each], dtype=np.int64)


def _evaluate(problem: Problem, codes: Codes, missing: NDArray[np.int64], asked: NDArray[np.bool_], run: Run) -> None:
    """Labels codes (W, D) by each asked member that is missing, (W, E), ``NO_MEMBER`` where none is."""
    jobs = _evaluation_jobs(problem, codes, missing, run)
    networks = count_of(len(codes), "architecture")
    total, done_before = int(asked.sum()), int((asked & (missing == NO_MEMBER)).sum())
    with (
        LabelStore.open_or_create(run.folder.labels, problem.label_identity) as labels,
        run.console.progress(f"labels ({networks}, {count_of(total, 'evaluation')})") as advance,
    ):
        advance(done_before, total)
        run.workers.run(
            evaluate_member,
            jobs,
            on_result=lambda position, result: _keep(problem, labels, jobs[position], result),
            on_progress=lambda done: advance(done_before + done, total),
            should_stop=run.should_stop,
        )


def _keep(problem: Problem, labels: LabelStore, job: EvaluationJob, result: Evaluation | None) -> None:
    if result is None:  # it was stopped
        return
    codes, steps = np.array(job.codes, dtype=np.int8), problem.plan.steps(job.member)
    accuracy, loss, seed = result.accuracy_percent, result.loss, problem.settings.seed
    labels.append(LabelBatch(codes, accuracy, loss, "supernet", job.member, seed, steps))


def _evaluation_jobs(problem: Problem, codes: Codes, missing: NDArray[np.int64], run: Run) -> list[EvaluationJob]:
    settings, folder = problem.settings, run.folder
    jobs = []
    for member in np.setdiff1d(missing, NO_MEMBER).tolist():
        mine = codes[(missing == member).any(axis=1)]
        for start in range(0, len(mine), _CODES_PER_JOB):
            jobs.append(
                EvaluationJob(
                    problem.plan,
                    member,
                    tuple(tuple(code) for code in mine[start : start + _CODES_PER_JOB].tolist()),
                    folder.images,
                    settings.labels.validation_images,
                    settings.labels.images_at_once(problem.plan.network.image_size),
                    folder.supernets / problem.plan.training(member).file,
                    problem.member_identity(member),
                    settings.compute.device,
                )
            )
    return jobs


WAYS = {
    "draws": LabelWay(lambda _: None, lambda problem, run: (problem, label_architectures(problem, run))),
    "segments": LabelWay(segments_of, lambda problem, run: label_in_segments(problem, run, label_architectures)),
}


def way_of(problem: Problem) -> LabelWay:
    """Returns the way that a study spends its labels, which follows from how it searches."""
    return WAYS[SAMPLERS[problem.settings.search.sampler].labels]


class LabelArchitectures(Stage):
    """Labels architectures with the sub-supernets, in the way that the search asks for."""

    name = "labels"
    inputs = (Problem,)
    timing = Timing.ADDED

    def check(self, problem: Problem, run: Run) -> None:
        """Opens the labels of an earlier process, and checks the way that labels are spent.

        Raises:
            StoreError: If they are damaged.
            RunFolderError: If they belong to something else.
            SettingsError: If the way does not fit the problem.
        """
        _stored(problem, run)
        way_of(problem).check(problem)

    def run(self, findings: Findings, run: Run) -> Findings:
        """Labels what no earlier process has labelled; nothing after that needs the worker processes."""
        problem, labels = way_of(findings[Problem]).spend(findings[Problem], run)
        run.workers.close()
        return Findings(problem, labels)
