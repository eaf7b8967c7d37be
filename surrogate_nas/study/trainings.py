"""Short trainings of finalists: what the search learns from networks that own their weights."""

from collections.abc import Callable, Sequence

import numpy as np

from surrogate_nas.errors import Interrupted, RunFolderError
from surrogate_nas.labels.records import NO_MEMBER, LabelBatch, Labels
from surrogate_nas.labels.store import LabelStore, read_labels
from surrogate_nas.predictor.features import path_features
from surrogate_nas.search.loop import Learnt, learn_by_training
from surrogate_nas.search.residual import ResidualProcess, standardised
from surrogate_nas.space.space import Codes
from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.energy import Meter
from surrogate_nas.study.learn import label_identity
from surrogate_nas.study.prepare import Prepared
from surrogate_nas.study.run_folder import RunFolder
from surrogate_nas.study.search import SpaceScores
from surrogate_nas.supernet.workers import Workers
from surrogate_nas.training.train import NetworkJob, TrainedNetwork, train_network

_DECIMALS = 6


def learn_from_trainings(
    prepared: Prepared,
    scores: SpaceScores,
    folder: RunFolder,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> SpaceScores:
    """Trains finalists for a while, in batches, and gives the scores that follow from them.

    Scores are of isomorphism classes from then on, on the scale of the trainings' validation accuracy. Which networks
    are trained, and so the answer, does not depend on the number of worker processes. Trainings that the run folder
    holds are not done again, and one that was stopped goes on from its checkpoint.

    Raises:
        Interrupted: If a stop was asked for; finished trainings and checkpoints are kept.
        TrainingError: If a loss is not finite, or a worker dies.
    """
    settings = prepared.settings
    if settings.loop.trainings == 0:
        return scores
    space, codes = prepared.space, prepared.codes
    meter = Meter()
    rows = _candidates(prepared)
    canonical = space.canonical(codes[rows])
    process = ResidualProcess(
        scores.mean[rows],
        standardised(path_features(space, canonical)),
        settings.loop.residual,
        prepared.feasible[rows],
    )
    with Workers(settings.compute.processes or 1) as workers:

        def train(batch: Sequence[int]) -> list[float]:
            return _train(prepared, space.effective(codes[rows[list(batch)]]), folder, workers, console, should_stop)

        learnt = learn_by_training(process, train, settings.loop)
    _tell(learnt, space.digits(codes[rows]), console)
    folder.state.mark_done("trainings", meter)
    return _scores(prepared, scores, rows, learnt)


def _candidates(prepared: Prepared) -> np.ndarray:
    """One row of every connected class: what suits the budgets best, then the cheapest."""
    classes = prepared.pool.representatives
    cost = prepared.bounds[prepared.budgets[0].cost]
    order = np.lexsort((cost, ~prepared.feasible, classes))
    order = order[prepared.connected[order]]
    _, first = np.unique(classes[order], return_index=True)
    return np.sort(order[first])


def _train(
    prepared: Prepared,
    codes: Codes,
    folder: RunFolder,
    workers: Workers,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> list[float]:
    """Validation accuracies of networks of shape (n, D), trained now or before."""
    space = prepared.space
    jobs = [_job(prepared, code, folder) for code in codes]
    folder.networks.mkdir(exist_ok=True)
    with LabelStore.open_or_create(folder.trainings, label_identity(prepared)) as store:
        known = known_trainings(prepared, store.read())
        wanted = space.digits(codes)
        missing = [position for position, key in enumerate(wanted) if key not in known]
        steps = _steps(prepared)

        def keep(position: int, result: TrainedNetwork | None) -> None:
            if result is None:
                return
            store.append(
                LabelBatch(
                    codes[[missing[position]]],
                    np.array([result.accuracy_percent]),
                    np.array([result.loss]),
                    "training",
                    NO_MEMBER,
                    prepared.settings.seed,
                    result.steps,
                )
            )

        with console.progress(f"trainings ({len(jobs)} networks x {steps:,} steps)") as advance:
            workers.run(
                train_network,
                [jobs[position] for position in missing],
                on_result=keep,
                on_progress=lambda done: advance(done + (len(jobs) - len(missing)) * steps, len(jobs) * steps),
                should_stop=should_stop,
            )
        known = known_trainings(prepared, store.read())
    if any(key not in known for key in wanted):
        raise Interrupted("stopped while training finalists")
    return [known[key] for key in wanted]


def _job(prepared: Prepared, code: np.ndarray, folder: RunFolder) -> NetworkJob:
    settings, space = prepared.settings, prepared.space
    digits = space.digits(code[None])[0]
    return NetworkJob(
        space,
        tuple(int(choice) for choice in code),
        prepared.deployed,
        folder.images,
        settings.data.flip,
        settings.data.shift,
        settings.training,
        settings.seed,
        folder.networks / f"{digits}-{settings.training.epochs}.safetensors",
        settings.compute.device,
        settings.compute.threads,
    )


def _steps(prepared: Prepared) -> int:
    images = len(prepared.splits.train)
    return prepared.settings.training.epochs * (images // min(prepared.settings.training.batch_size, images))


def known_trainings(prepared: Prepared, labels: Labels) -> dict[str, float]:
    """Accuracies of trainings of the present length and seed, by code in digits."""
    matching = (labels.steps == _steps(prepared)) & (labels.seed == prepared.settings.seed)
    digits = prepared.space.digits(labels.codes[matching])
    return dict(zip(digits, labels.accuracy_percent[matching].tolist(), strict=True))


def _tell(learnt: Learnt, digits: Sequence[str], console: StudyConsole) -> None:
    pairs = sorted(zip(learnt.accuracy_percent, learnt.rows, strict=True), reverse=True)
    best = ", ".join(f"{digits[row]} {accuracy:.2f}%" for accuracy, row in pairs[:3])
    console.note(f"trainings: {len(learnt.rows)} networks, the best {best}")
    if learnt.stopped:
        console.note(f"trainings: {learnt.stopped}")


def _scores(prepared: Prepared, before: SpaceScores, rows: np.ndarray, learnt: Learnt) -> SpaceScores:
    """Beliefs about every architecture by its class; those that compute nothing keep a score below all others."""
    keys = prepared.pool.representatives
    order = np.argsort(keys[rows])
    place = order[np.clip(np.searchsorted(keys[rows], keys, sorter=order), 0, len(order) - 1)]
    mean, std = learnt.posterior.mean[place], learnt.posterior.std[place]
    lowest = float(learnt.posterior.mean.min())
    return SpaceScores(
        before.pool,
        np.where(prepared.connected, mean, lowest).round(_DECIMALS),
        np.where(prepared.connected, std, before.std).round(_DECIMALS),
    )


def stored_trainings(prepared: Prepared, folder: RunFolder) -> int:
    """How many networks the run folder's trainings hold.

    Raises:
        StoreError: If the file is damaged.
        RunFolderError: If it belongs to something else.
    """
    if not folder.trainings.exists():
        return 0
    try:
        return len(read_labels(folder.trainings, label_identity(prepared)).codes)
    except RunFolderError as error:
        raise RunFolderError(f"{error}; or remove the file to train again") from None
