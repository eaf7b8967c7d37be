"""Searches by gradients at a stated processor time, for the benchmark of their rows."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.learned_votes import write_votes
from benchmarks.supernet import chosen_rows
from surrogate_nas._processes.workers import Job, Result, Task, Workers
from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.gradient.craft import craft
from surrogate_nas.gradient.job import LearningJob, learning_plan
from surrogate_nas.gradient.learned import read_learned
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.evaluation import EvaluationJob, evaluate_member
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.stage import Workplace, train_stage

Floats = NDArray[np.float64]

FEWEST_STEPS = 20
_LONGER, _PILOT, _MOST_PILOT_STEPS = 3, 0.05, 5000
_LIKELIEST = 10
_AT_ONCE = 250


@dataclass(frozen=True)
class Bench:
    """The parts that all rows of a run share.

    Attributes:
        space: The search space.
        network: Sizes of the supernet.
        supernet: Batches and rates.
        images: Folder of cached images.
        data: How images are augmented.
        codes: Connected architectures with a known accuracy, shape (N, D).
        truth_percent: Their accuracy after training, shape (N,).
        validation_images: Held-out images that leaves are compared on, and labels are of.
        labels: Architectures to label with the weights that methods have trained on paths; 0 for none.
    """

    space: Space
    network: NetworkSpec
    supernet: SupernetSettings
    images: Path
    data: DataSettings
    codes: Codes
    truth_percent: Floats
    validation_images: int = 1000
    labels: int = 0

    def truth_of(self, code: Codes) -> float:
        """Returns the known accuracy of an architecture, shape (D,); NaN where there is none."""
        row = np.flatnonzero((self.codes == code).all(axis=1))
        return float(self.truth_percent[row[0]]) if len(row) else float("nan")

    def plan(self, settings: GradientSettings, seed: int) -> SupernetPlan:
        """Returns the trainings of a search.

        Raises:
            SettingsError: If the settings do not fit the space.
        """
        return learning_plan(self.space, self.network, settings, self.supernet, seed)


class OneProcess(Workers):
    """Runs one job after another in this process, whose processor time is measured."""

    processes = 1

    def run(
        self,
        task: Task[Job, Result],
        jobs: Sequence[Job],
        *,
        on_result: Callable[[int, Result], None],
        on_progress: Callable[[int], None],
        should_stop: Callable[[], bool],
        on_death: Callable[[int, str], None] | None = None,
    ) -> None:
        """Runs a task on every job."""
        del on_progress, on_death
        for position, job in enumerate(jobs):
            on_result(position, task(job, lambda _: None, should_stop))

    def close(self) -> None:
        """Has nothing to end."""


def references(bench: Bench) -> dict[str, float]:
    """Returns what needs no training: the optimum, a random architecture, and the one with most live parameters."""
    space = bench.space
    sizes = space.parameters(space.effective(bench.codes), space.network)
    return {
        "optimum": float(bench.truth_percent.max()),
        "random architecture, mean": float(bench.truth_percent.mean()),
        "random architecture, median": float(np.median(bench.truth_percent)),
        "most effective parameters": float(bench.truth_percent[sizes.argmax()]),
    }


def run_seed(bench: Bench, settings: GradientSettings, seed: int, votes: Path | None = None) -> dict[str, Any]:
    """Searches once; returns the figures of the pick, of all leaves and of the order by log-probability, and the cost.

    The key ``leaves`` has the truth of every leaf's architecture, in the order of the subspaces; ``picked`` is the
    number of the picked one.

    Args:
        bench: The shared parts.
        settings: The row's.
        seed: Seed of the search.
        votes: File for the log-probabilities; None writes none.
    """
    with tempfile.TemporaryDirectory() as folder:
        identity = {"space": bench.space.fingerprint}
        place = Workplace(Path(folder), bench.images, bench.data, identity, craft=craft(settings))
        began = time.process_time()
        plan = train_stage(bench.plan(settings, seed), place, OneProcess(), _silent, lambda: False)
        jobs = [LearningJob(place.job(plan, training), settings) for training in plan.phases[-1]]
        learned = read_learned(jobs, bench.validation_images, _AT_ONCE)
        minutes = (time.process_time() - began) / 60
        labels_tau = label_agreement(bench, jobs)
    if votes is not None:
        write_votes(votes, learned.votes(bench.space))
    log_probability = learned.log_probabilities(bench.codes)
    first = np.argsort(-log_probability, kind="stable")[:_LIKELIEST]
    leaves = [bench.truth_of(leaf.code) for leaf in learned.leaves]
    picked, collapse = learned.leaves.index(learned.chosen), learned.chosen.collapse
    return {
        "truth": leaves[picked],
        "oracle": max(leaves),
        "leaves_mean": float(np.mean(leaves)),
        "regret": float(bench.truth_percent.max()) - leaves[picked],
        "best10": float(bench.truth_percent[first].max()),
        "tau": kendall_tau(log_probability, bench.truth_percent),
        "labels_tau": labels_tau,
        "skips": float(collapse.skips),
        "cuts": float(collapse.cuts),
        "entropy": collapse.entropy_share,
        "minutes": minutes,
        "leaves": leaves,
        "picked": picked,
    }


def label_agreement(bench: Bench, jobs: Sequence[LearningJob]) -> float:
    """Returns Kendall tau between labels and truth; NaN without labels, or where weights were not trained on paths.

    Labels are minus the loss on validation images, of each architecture with the weights of its own subspace.
    """
    if not bench.labels or jobs[0].settings.row.weights_see not in ("path", "uniform"):
        return float("nan")
    rows = chosen_rows(len(bench.codes), bench.labels, "report")
    codes, labels = bench.codes[rows], np.empty(len(rows))
    members = jobs[0].plan.member_of(codes)
    for number, job in enumerate(jobs):
        mine = np.flatnonzero(members == number)
        found = evaluate_member(
            EvaluationJob(
                job.plan,
                number,
                tuple(tuple(code) for code in codes[mine].tolist()),
                bench.images,
                bench.validation_images,
                _AT_ONCE,
                job.file,
                job.work.belongs_to,
            ),
            lambda _: None,
            lambda: False,
        )
        assert found is not None
        labels[mine] = -found.loss
    return kendall_tau(labels, bench.truth_percent[rows])


@contextmanager
def _silent(_title: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


def prepared(space: Space, images: DataSettings, supernet: SupernetSettings, folder: Path) -> Bench:
    """Returns the bench of a space and images, which it caches in a folder, without known accuracies."""
    splits = load_images(images, seed=0)
    save_splits(folder, splits)
    classes, stages = len(splits.class_names), space.network.stages
    sizes = NetworkSpec(supernet.channels, supernet.cells, splits.image_size, splits.channels, classes, stages)
    return Bench(space, sizes, supernet, folder, images, space.sample(0, np.random.default_rng(0)), np.empty(0))


def steps_for(
    bench: Bench, settings: GradientSettings, minutes: float, search: Callable[..., dict[str, Any]] = run_seed
) -> int:
    """Returns the steps that take so many processor minutes, by short searches.

    Each is longer than the one before, until its steps take a twentieth of the time: the time of a few steps is noise.

    Args:
        bench: The shared parts.
        settings: The row's.
        minutes: Processor minutes of a search.
        search: Searches once, as ``run_seed`` does.
    """

    def taken(steps: int) -> float:
        pilot = settings.model_copy(update={"steps": steps})
        return float(search(replace(bench, labels=0), pilot, 0)["minutes"])

    # What a search takes before its first step is in both times.
    first, steps = taken(FEWEST_STEPS), FEWEST_STEPS
    while True:
        steps *= _LONGER
        of_steps = taken(steps) - first
        if of_steps >= _PILOT * minutes or steps >= _MOST_PILOT_STEPS:
            break
    a_step = max(of_steps, 1e-9) / (steps - FEWEST_STEPS)
    return max(FEWEST_STEPS, round((minutes - first) / a_step) + FEWEST_STEPS)
