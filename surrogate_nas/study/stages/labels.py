"""The stages that learn: train the sub-supernets, label architectures with them, fit the predictor to the labels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surrogate_nas import __version__
from surrogate_nas._processes.workers import Workers
from surrogate_nas.errors import Interrupted, StoreError
from surrogate_nas.labels.records import NO_MEMBER, LabelBatch, LabelIdentity
from surrogate_nas.labels.store import LabelStore, read_labels
from surrogate_nas.predictor.fusion.priors import ExtraScores
from surrogate_nas.predictor.predictor import FittedPredictor, fit_predictor, load_predictor
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.meter import Meter
from surrogate_nas.runs.run_folder import RunFolder, digest
from surrogate_nas.space.space import Codes
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.supernet.evaluation import Evaluation, EvaluationJob, evaluate_member
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.stage import Workplace, check_stage, is_trained, known_plan, train_stage
from surrogate_nas.supernet.training import training_identity
from surrogate_nas.zero_cost.cached import cached_table, can_be_scored
from surrogate_nas.zero_cost.settings import ZeroCostSettings
from surrogate_nas.zero_cost.votes import VOTES

_CODES_PER_JOB = 8


@dataclass(frozen=True)
class StudyLabels:
    """Labels of the drawn architectures.

    Attributes:
        codes: Shape (M, D), distinct.
        accuracy_percent: Shape (M,).
        loss: Mean cross-entropy, shape (M,).
        evaluations: Number of different computations among them.
    """

    codes: Codes
    accuracy_percent: NDArray[np.float64]
    loss: NDArray[np.float64]
    evaluations: int


def stage_identity(prepared: Prepared) -> dict[str, str]:
    """What all checkpoints of a run belong to."""
    settings = prepared.settings
    return {
        "space": prepared.space.fingerprint,
        "data": prepared.splits.fingerprint,
        # What a preset stands for is in the other settings; each replica's training is the same with more beside it.
        "supernet": digest(settings.supernet.model_dump(exclude={"checkpoint_seconds", "preset", "replicas"})),
        "augmentation": digest(settings.data.model_dump(include={"flip", "shift"})),
        "seed": str(settings.seed),
    }


def supernet_identity(prepared: Prepared, member: int) -> dict[str, str]:
    """What a member's checkpoint belongs to."""
    return training_identity(prepared.plan, prepared.plan.training(member), stage_identity(prepared))


def label_identity(prepared: Prepared) -> LabelIdentity:
    """What the labels of a run belong to."""
    return LabelIdentity.of_space(
        prepared.space, data_fingerprint=prepared.splits.fingerprint, code_version=__version__
    )


def check_stored(prepared: Prepared, folder: RunFolder) -> None:
    """Opens what an earlier process left for later stages to go on from, so that damage is said before any change.

    Raises:
        StoreError: If labels, a checkpoint or the state of the run are damaged.
        RunFolderError: If they belong to something else.
    """
    folder.state.check()
    if folder.labels.exists():
        read_labels(folder.labels, label_identity(prepared))
    check_stage(prepared.plan, folder.supernets, stage_identity(prepared))


def train_supernets(
    prepared: Prepared,
    folder: RunFolder,
    workers: Workers,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> SupernetPlan:
    """Trains every member to its last step.

    Returns:
        The plan, with the subspaces that were found on the way.

    Raises:
        Interrupted: If a stop was asked for; checkpoints are saved.
        TrainingError: If a loss is not finite, a worker dies, or a checkpoint cannot be written.
    """
    plan, settings, identity = prepared.plan, prepared.settings, stage_identity(prepared)
    if is_trained(plan, folder.supernets, identity):
        console.note("supernets: trained already")
        return known_plan(plan, folder.supernets, identity)
    compute = settings.compute
    place = Workplace(folder.supernets, folder.images, settings.data, identity, compute.device, compute.threads)
    trained = train_stage(plan, place, workers, console.progress, should_stop)
    if not plan.is_known:
        console.note(f"supernets: split into {'; '.join(f'({name})' for name in trained.names)}")
    return trained


def label_architectures(
    prepared: Prepared,
    folder: RunFolder,
    workers: Workers,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> StudyLabels:
    """Evaluates each drawn architecture by the supernets that answer for it; equal computations once.

    A label is the mean over the replicas of the supernets.

    Raises:
        Interrupted: If a stop was asked for; labels made so far are kept.
        StoreError: If the label file or a checkpoint is damaged.
    """
    space, codes = prepared.space, prepared.drawn
    wanted, inverse = np.unique(space.effective(codes), axis=0, return_inverse=True)  # in listing order
    members = prepared.plan.members_of(wanted)
    rows = _rows_of(prepared, folder, wanted, members)
    if (rows < 0).any():
        _evaluate(prepared, wanted, np.where(rows < 0, members, NO_MEMBER), folder, workers, console, should_stop)
        rows = _rows_of(prepared, folder, wanted, members)
    else:
        console.note(f"labels: all {rows.size:,} made already")
    if (rows < 0).any():
        raise Interrupted("stopped while labelling")
    stored = read_labels(folder.labels, label_identity(prepared))
    of_each = rows[inverse.reshape(-1)]
    accuracy, loss = (values[of_each].mean(axis=1) for values in (stored.accuracy_percent, stored.loss))
    return StudyLabels(codes, accuracy, loss, len(wanted))


def _rows_of(prepared: Prepared, folder: RunFolder, codes: Codes, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row in the label file of each code (W, D) by each of its members (W, R), (W, R); -1 where there is none."""
    if not folder.labels.exists():
        return np.full(members.shape, -1)
    stored, digits = read_labels(folder.labels, label_identity(prepared)), prepared.space.digits
    row_of = {pair: row for row, pair in enumerate(zip(digits(stored.codes), stored.member.tolist(), strict=True))}
    each = zip(digits(codes), members, strict=True)
    return np.array([[row_of.get((text, member), -1) for member in mine] for text, mine in each], dtype=np.int64)


def _evaluate(
    prepared: Prepared,
    codes: Codes,
    missing: NDArray[np.int64],
    folder: RunFolder,
    workers: Workers,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> None:
    """Labels codes, shape (W, D), by each member that is missing, shape (W, R), ``NO_MEMBER`` where none is."""
    jobs = _evaluation_jobs(prepared, folder, codes, missing)
    total, done_before = missing.size, int((missing == NO_MEMBER).sum())
    with (
        LabelStore.open_or_create(folder.labels, label_identity(prepared)) as labels,
        console.progress(f"labels ({total:,} evaluations)") as advance,
    ):
        advance(done_before, total)
        workers.run(
            evaluate_member,
            jobs,
            on_result=lambda position, result: _keep(prepared, labels, jobs[position], result),
            on_progress=lambda done: advance(done_before + done, total),
            should_stop=should_stop,
        )


def _keep(prepared: Prepared, labels: LabelStore, job: EvaluationJob, result: Evaluation | None) -> None:
    if result is None:  # it was stopped
        return
    codes, steps = np.array(job.codes, dtype=np.int8), prepared.plan.steps(job.member)
    accuracy, loss, seed = result.accuracy_percent, result.loss, prepared.settings.seed
    labels.append(LabelBatch(codes, accuracy, loss, "supernet", job.member, seed, steps))


def _evaluation_jobs(
    prepared: Prepared, folder: RunFolder, codes: Codes, missing: NDArray[np.int64]
) -> list[EvaluationJob]:
    settings = prepared.settings
    jobs = []
    for member in np.setdiff1d(missing, NO_MEMBER).tolist():
        mine = codes[(missing == member).any(axis=1)]
        for start in range(0, len(mine), _CODES_PER_JOB):
            jobs.append(
                EvaluationJob(
                    prepared.plan,
                    member,
                    tuple(tuple(code) for code in mine[start : start + _CODES_PER_JOB].tolist()),
                    folder.images,
                    settings.labels.validation_images,
                    settings.labels.batch_size,
                    folder.checkpoint(member),
                    supernet_identity(prepared, member),
                    settings.compute.device,
                )
            )
    return jobs


def baselines(prepared: Prepared, codes: Codes) -> dict[str, NDArray[np.float64]]:
    """Plain counts that a predictor has to beat, of the deployed network, shape (N,) each, larger is better."""
    space, network = prepared.space, prepared.deployed
    return {
        "parameters": space.parameters(codes, network).astype(np.float64),
        "effective parameters": space.parameters(space.effective(codes), network).astype(np.float64),
        "nonlinear functions": space.nonlinear_count(codes).astype(np.float64),
    }


def fitted_labels(labels: StudyLabels, target: Literal["loss", "accuracy"]) -> NDArray[np.float64]:
    """The labels that are fitted, shape (M,), larger is better."""
    return -labels.loss if target == "loss" else labels.accuracy_percent


def predictor_inputs(prepared: Prepared, labels: StudyLabels) -> str:
    """Hash of everything that the predictor is made from."""
    return digest(
        {
            "labels": [prepared.space.digits(labels.codes), labels.accuracy_percent.tolist(), labels.loss.tolist()],
            "settings": prepared.settings.predictor.model_dump(),
            "seed": prepared.settings.seed,
            "space": prepared.space.fingerprint,
        }
    )


def _zero_cost(prepared: Prepared, console: StudyConsole, should_stop: Callable[[], bool]) -> ExtraScores | None:
    """Scores of networks with random weights, from this machine's cache; None where they are not asked for."""
    space, settings = prepared.space, prepared.settings.predictor
    if settings.recipe != "fusion" or not settings.zero_cost:
        return None
    if not can_be_scored(space):
        reason = "it has too many architectures, or cells of node choices"
        console.note(f"zero-cost scores: there are none for {space.name}; {reason}")
        return None
    with console.progress("zero-cost scores") as advance:
        table = cached_table(space, ZeroCostSettings(), advance, should_stop)
    return ExtraScores(table.pick(tuple(VOTES)), VOTES)


def fit_predictor_to(
    prepared: Prepared,
    labels: StudyLabels,
    folder: RunFolder,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> FittedPredictor:
    """The predictor fitted to the labels; loaded where it was fitted to the same ones before.

    Raises:
        SettingsError: If the labels cannot be learnt from.
        Interrupted: If a stop was asked for.
    """
    inputs = predictor_inputs(prepared, labels)
    if folder.state.is_done("predictor", inputs):
        try:
            predictor = load_predictor(folder.predictor, prepared.space)
            console.note("predictor: fitted already")
            return predictor
        except StoreError as error:
            console.warn(f"{error}; the predictor is fitted again")
    meter, settings = Meter(), prepared.settings
    extra = _zero_cost(prepared, console, should_stop)
    targets = fitted_labels(labels, settings.predictor.target)
    with console.progress("predictor") as advance:
        predictor = fit_predictor(
            prepared.space,
            labels.codes,
            targets,
            labels.accuracy_percent,
            settings.predictor,
            settings.seed,
            advance,
            baselines=baselines(prepared, labels.codes),
            should_stop=should_stop,
            extra=extra,
        )
    # A crash between the two writes must not leave this predictor marked as one of former labels.
    folder.state.forget("predictor")
    predictor.save(folder.predictor)
    folder.state.mark_done("predictor", meter, inputs)
    return predictor
