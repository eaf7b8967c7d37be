"""Trainings of single networks by the study's recipe: their jobs, and their accuracies in the run folder."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from surrogate_nas._support.words import count_of
from surrogate_nas.errors import Interrupted
from surrogate_nas.labels.records import NO_MEMBER, LabelBatch, Labels
from surrogate_nas.labels.store import LabelStore
from surrogate_nas.runs.run_folder import RunFolder, digest
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.run_search import study_name
from surrogate_nas.search.trainings.crew import Crew
from surrogate_nas.search.trainings.shared_trials import Trained, TrainTask
from surrogate_nas.search.trainings.trial_places import TrialFolder
from surrogate_nas.space.space import Codes
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.supernet.training import FIRST_WEIGHTS
from surrogate_nas.training.train_network import ArchitectureNetwork, Buildable, NetworkJob, train_network


@dataclass(frozen=True)
class NetworkWork:
    """The work of a worker process on a task: trains the network of its architecture for its length.

    Attributes:
        job: Any job of the study.
        network: Any architecture of its space.
    """

    job: NetworkJob
    network: ArchitectureNetwork

    def __call__(self, task: TrainTask, report: Callable[[int], None], stopped: Callable[[], bool]) -> Trained | None:
        """Continues from a checkpoint of any process; None if it was stopped."""
        code = tuple(self.network.space.parse(task.code).tolist())
        job = replace(
            self.job,
            network=replace(self.network, code=code),
            settings=self.job.settings.model_copy(update={"epochs": task.epochs}),
            checkpoint=self.job.checkpoint.with_name(f"{task.code}-{task.epochs}.safetensors"),
        )
        trained = train_network(job, report, stopped)
        if trained is None:
            return None
        return Trained(trained.accuracy_percent, trained.loss, trained.steps)


def network_of(problem: Problem, code: Codes, folder: RunFolder) -> ArchitectureNetwork:
    """Returns the network of an architecture, shape (D,), as the study trains it."""
    network = ArchitectureNetwork(problem.space, tuple(code.tolist()), problem.deployed)
    if problem.first_weights is None:
        return network
    return replace(network, first_weights=folder.supernets / FIRST_WEIGHTS, pretrained=problem.first_weights.digest)


def training_job(network: Buildable, problem: Problem, folder: RunFolder, name: str = "any") -> NetworkJob:
    """Returns the training of a network by the study's recipe, for its full length.

    Args:
        network: What is trained.
        problem: Has the recipe.
        folder: Has the images, and takes the checkpoint.
        name: Name of the checkpoint.
    """
    settings = problem.settings
    return NetworkJob(
        network,
        folder.images,
        settings.data.flip,
        settings.data.shift,
        settings.training,
        settings.seed,
        folder.networks / f"{name}.safetensors",
        settings.compute.device,
        settings.compute.threads,
    )


def training_steps(problem: Problem, epochs: int) -> int:
    """Returns the optimizer steps of a training of so many epochs."""
    images = len(problem.splits.train)
    return epochs * (images // min(problem.settings.training.batch_size, images))


def known_trainings(problem: Problem, labels: Labels, epochs: int | None = None) -> dict[str, float]:
    """Returns accuracies of trainings of a length, by default the full one, and the present seed, by code in digits."""
    steps = training_steps(problem, epochs or problem.settings.training.epochs)
    matching = (labels.steps == steps) & (labels.seed == problem.settings.seed)
    digits = problem.space.digits(labels.codes[matching])
    return dict(zip(digits, labels.accuracy_percent[matching].tolist(), strict=True))


def trial_folder(problem: Problem, folder: RunFolder, database: Database | None) -> TrialFolder:
    """Returns the place in which worker processes find their trainings."""
    job = training_job(network_of(problem, problem.codes[0], folder), problem, folder)
    recipe = {name: value for name, value in job.settings.identity().items() if name != "epochs"}
    inputs = {
        "network": str(problem.deployed),
        "recipe": recipe,
        "shift": job.shift,
        "flip": job.flip,
        "seed": job.seed,
    }
    inputs |= {"space": problem.space.fingerprint, "data": problem.splits.fingerprint}
    if problem.first_weights is not None:
        inputs["pretrained"] = problem.first_weights.digest
    name = f"{study_name(problem.space, problem.settings.name)}-trainings"
    return TrialFolder(folder.trainings_journal, folder.networks, problem.space, name, digest(inputs), database)


def trained_accuracies(problem: Problem, codes: Codes, epochs: int, run: Run, crew: Crew) -> list[float]:
    """Returns validation accuracies of networks of shape (n, D), trained now or before."""
    space = problem.space
    steps = training_steps(problem, epochs)
    with LabelStore.open_or_create(run.folder.trainings, problem.label_identity) as store:
        known = known_trainings(problem, store.read(), epochs)
        wanted = [TrainTask(digits, epochs) for digits in space.digits(codes)]
        missing = [task for task in wanted if task.code not in known]

        def keep(task: TrainTask, outcome: Trained) -> None:
            label = np.array([outcome.accuracy_percent]), np.array([outcome.loss])
            code, seed = space.parse(task.code)[None], problem.settings.seed
            store.append(LabelBatch(code, *label, "training", NO_MEMBER, seed, outcome.steps))

        with run.console.progress(
            f"trainings ({count_of(len(wanted), 'network')} x {count_of(steps, 'step')})"
        ) as advance:
            done = (len(wanted) - len(missing)) * steps
            if missing:
                crew.run(
                    missing,
                    on_outcome=keep,
                    on_progress=lambda more: advance(done + more, len(wanted) * steps),
                    should_stop=run.should_stop,
                )
        known = known_trainings(problem, store.read(), epochs)
    if any(task.code not in known for task in wanted):
        raise Interrupted("stopped while training finalists")
    return [known[task.code] for task in wanted]
