"""Short trainings of finalists: what the search learns from networks that own their weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from surrogate_nas._processes.workers import Workers
from surrogate_nas.errors import Interrupted, RunFolderError
from surrogate_nas.labels.records import NO_MEMBER, LabelBatch, Labels
from surrogate_nas.labels.store import LabelStore, read_labels
from surrogate_nas.predictor.features.graph_features import path_features
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.meter import Meter
from surrogate_nas.runs.run_folder import RunFolder, digest
from surrogate_nas.search.trainings.crew import Crew
from surrogate_nas.search.trainings.loop import Learnt, learn_by_lengths
from surrogate_nas.search.trainings.residual import ResidualProcess, standardised
from surrogate_nas.search.trainings.shared_trials import Outcome, Place, Task
from surrogate_nas.space.space import Codes
from surrogate_nas.study.stages.learn import label_identity
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores
from surrogate_nas.training.train_network import NetworkJob, train_network

_DECIMALS = 6


@dataclass(frozen=True)
class NetworkWork:
    """What a worker process does with a task: trains the network of its architecture for its length.

    Attributes:
        job: Any job of the study.
    """

    job: NetworkJob

    def __call__(self, task: Task, report: Callable[[int], None], stopped: Callable[[], bool]) -> Outcome | None:
        """Goes on from a checkpoint, whoever made it; None where it was stopped."""
        job = replace(
            self.job,
            code=tuple(self.job.space.parse(task.code).tolist()),
            settings=self.job.settings.model_copy(update={"epochs": task.epochs}),
            checkpoint=self.job.checkpoint.with_name(f"{task.code}-{task.epochs}.safetensors"),
        )
        trained = train_network(job, report, stopped)
        if trained is None:
            return None
        return Outcome(trained.accuracy_percent, trained.loss, trained.steps)


def learn_from_trainings(
    prepared: Prepared,
    scores: SpaceScores,
    folder: RunFolder,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> SpaceScores:
    """Trains finalists for a while, in batches, and gives the scores that follow from them.

    Scores are of isomorphism classes from then on, on the scale of the trainings' validation accuracy. Which networks
    are trained, and so the answer, does not depend on the number of worker processes, nor on whether one is killed:
    another takes over what it did. Trainings that the run folder holds are not done again, and one that was stopped
    goes on from its checkpoint.

    Raises:
        Interrupted: If a stop was asked for; finished trainings and checkpoints are kept.
        TrainingError: If a loss is not finite, or workers die again and again.
        StoreError: If the journal through which workers share the trainings goes away.
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
    folder.networks.mkdir(exist_ok=True)
    place = _place(prepared, folder)
    for note in place.prepare():
        console.note(note)
    with Workers(settings.compute.processes or 1) as workers:
        crew = Crew(place, NetworkWork(_job(prepared, folder)), workers)

        def train(epochs: int, batch: Sequence[int]) -> list[float]:
            finalists = space.effective(codes[rows[list(batch)]])
            return _train(prepared, finalists, epochs, folder, crew, console, should_stop)

        learnt = learn_by_lengths(process, train, settings.loop, settings.training.epochs)
    folder.state.mark_done("trainings", meter)
    notes = _notes(learnt, space.digits(codes[rows]))
    for note in notes:
        console.note(note)
    return replace(_scores(prepared, scores, rows, learnt), notes=notes)


def _candidates(prepared: Prepared) -> np.ndarray:
    """One row of every connected class: what suits the budgets best, then the cheapest."""
    classes = prepared.pool.representatives
    cost = prepared.bounds[prepared.budgets[0].cost]
    order = np.lexsort((cost, ~prepared.feasible, classes))
    order = order[prepared.connected[order]]
    _, first = np.unique(classes[order], return_index=True)
    return np.sort(order[first])


def _place(prepared: Prepared, folder: RunFolder) -> Place:
    """Where worker processes find their trainings."""
    job = _job(prepared, folder)
    recipe = job.settings.model_dump(exclude={"epochs", "checkpoint_seconds", "evaluation_batch"})
    inputs = {"network": str(job.network), "recipe": recipe, "shift": job.shift, "flip": job.flip, "seed": job.seed}
    inputs |= {"space": prepared.space.fingerprint, "data": prepared.splits.fingerprint}
    name = f"{prepared.space.name}-{prepared.settings.name}-trainings"
    return Place(folder.trainings_journal, folder.networks, prepared.space, name, digest(inputs))


def _train(
    prepared: Prepared,
    codes: Codes,
    epochs: int,
    folder: RunFolder,
    crew: Crew,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> list[float]:
    """Validation accuracies of networks of shape (n, D), trained now or before."""
    space = prepared.space
    steps = _steps(prepared, epochs)
    with LabelStore.open_or_create(folder.trainings, label_identity(prepared)) as store:
        known = known_trainings(prepared, store.read(), epochs)
        wanted = [Task(digits, epochs) for digits in space.digits(codes)]
        missing = [task for task in wanted if task.code not in known]

        def keep(task: Task, outcome: Outcome) -> None:
            label = np.array([outcome.accuracy_percent]), np.array([outcome.loss])
            code, seed = space.parse(task.code)[None], prepared.settings.seed
            store.append(LabelBatch(code, *label, "training", NO_MEMBER, seed, outcome.steps))

        with console.progress(f"trainings ({len(wanted)} networks x {steps:,} steps)") as advance:
            done = (len(wanted) - len(missing)) * steps
            if missing:
                crew.run(
                    missing,
                    on_outcome=keep,
                    on_progress=lambda more: advance(done + more, len(wanted) * steps),
                    should_stop=should_stop,
                )
        known = known_trainings(prepared, store.read(), epochs)
    if any(task.code not in known for task in wanted):
        raise Interrupted("stopped while training finalists")
    return [known[task.code] for task in wanted]


def _job(prepared: Prepared, folder: RunFolder) -> NetworkJob:
    """The job of some architecture; all others differ in their code, length and checkpoint alone."""
    settings = prepared.settings
    return NetworkJob(
        prepared.space,
        tuple(prepared.codes[0].tolist()),
        prepared.deployed,
        folder.images,
        settings.data.flip,
        settings.data.shift,
        settings.training,
        settings.seed,
        folder.networks / "any.safetensors",
        settings.compute.device,
        settings.compute.threads,
    )


def _steps(prepared: Prepared, epochs: int) -> int:
    images = len(prepared.splits.train)
    return epochs * (images // min(prepared.settings.training.batch_size, images))


def known_trainings(prepared: Prepared, labels: Labels, epochs: int | None = None) -> dict[str, float]:
    """Accuracies of trainings of a length, the full one where not given, and the present seed, by code in digits."""
    steps = _steps(prepared, epochs or prepared.settings.training.epochs)
    matching = (labels.steps == steps) & (labels.seed == prepared.settings.seed)
    digits = prepared.space.digits(labels.codes[matching])
    return dict(zip(digits, labels.accuracy_percent[matching].tolist(), strict=True))


def _notes(learnt: Learnt, digits: Sequence[str]) -> tuple[str, ...]:
    """What was trained, in words."""
    pairs = sorted(zip(learnt.accuracy_percent, learnt.rows, strict=True), reverse=True)
    best = ", ".join(f"{digits[row]} {accuracy:.2f}%" for accuracy, row in pairs[:3])
    numbers = [
        f"{count} {'of them' if at else 'networks'} for {n} epochs" for at, (n, count) in enumerate(learnt.trained)
    ]
    told = f"trainings: {', '.join(numbers)}; the best {best}"
    return (told, f"trainings: {learnt.stopped}") if learnt.stopped else (told,)


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
