"""Short trainings of finalists: what the search learns from networks that own their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.data.classes.balance import images_behind
from surrogate_nas.errors import SettingsError
from surrogate_nas.labels.store import read_labels
from surrogate_nas.predictor.features.graph_features import node_types, path_features
from surrogate_nas.report.few_images import FEW_IMAGES
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.settings import LoopSettings
from surrogate_nas.search.trainings.crew import Crew
from surrogate_nas.search.trainings.loop import Beginning, Learnt, batch_sizes, learn_by_lengths
from surrogate_nas.search.trainings.residual import ResidualProcess, standardised
from surrogate_nas.space.layouts import ChoosesSize
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.findings import FinalistTrainings, Findings, LearnedOrder, SpaceScores
from surrogate_nas.study.problem.contenders import Contenders
from surrogate_nas.study.problem.finalist_latencies import read_finalist_latencies
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.network_trainings import (
    NetworkWork,
    network_of,
    trained_accuracies,
    training_job,
    trial_folder,
)
from surrogate_nas.study.stages.protocol import Stage, Timing

_DECIMALS = 6
_DRAWS_OF_EACH = 4  # of networks to begin with
_VARIATIONS_OF_EACH = 8  # of which the best parent's are trained


class TrainFinalists(Stage):
    """Trains finalists for a while, and scores all architectures by what that says about them."""

    name = "trainings"
    inputs = (Problem, LearnedOrder, SpaceScores)
    timing = Timing.ANEW

    def check(self, problem: Problem, run: Run) -> None:
        """Opens what an earlier process trained and measured, and refuses trainings that say nothing of a search.

        Raises:
            SettingsError: If the search is beyond the pool, of which trained networks say nothing.
            StoreError: If a file of an earlier process is damaged.
            RunFolderError: If it belongs to something else.
        """
        if run.folder.trainings.exists():
            read_labels(run.folder.trainings, problem.label_identity)
        read_finalist_latencies(run.folder.finalist_latencies, inputs="")
        sampler, trainings = problem.settings.search.sampler, problem.settings.loop.trainings
        if trainings and not problem.pool.complete and not SAMPLERS[sampler].within_list:
            within = [name for name, row in SAMPLERS.items() if row.within_list]
            raise SettingsError(
                f"loop.trainings in a space too large to enumerate needs search.sampler to be one of"
                f" {', '.join(within)} (got {sampler!r} with {trainings} trainings)"
            )

    def reuse(self, findings: Findings, run: Run) -> Findings | None:  # noqa: ARG002 - settings are all that matters
        """Leaves the scores as they are where the study trains nothing."""
        return None if findings[Problem].settings.loop.trainings else Findings()

    def run(self, findings: Findings, run: Run) -> Findings:
        """Trains what no earlier process has trained."""
        return Findings(*learn_from_trainings(findings, run))


def learn_from_trainings(findings: Findings, run: Run) -> tuple[Problem, SpaceScores]:
    """Trains finalists for a while, in batches, and gives the scores that follow from them.

    Scores are of isomorphism classes from then on, on the scale of the trainings' validation accuracy. Latencies of
    networks that were to be trained are measured, and the problem counts with them from then on. Which networks
    are trained, and so the answer, does not depend on the number of worker processes, nor on whether one is killed:
    another takes over what it did. Trainings that the run folder holds are not done again, and one that was stopped
    continues from its checkpoint. Architectures that a search by gradients derived are trained with them, if they
    keep the budgets.

    Raises:
        Interrupted: If a stop was requested; finished trainings and checkpoints are kept.
        TrainingError: If a loss is not finite, or workers die again and again.
        StoreError: If the journal through which workers share the trainings goes away.
    """
    problem, scores, derived = findings[Problem], findings[SpaceScores], findings[LearnedOrder].derived
    settings, space = problem.settings, problem.space
    contenders = Contenders.of(
        problem, _draws(settings.loop), "varied" if settings.loop.first == "varied" else "balanced", derived
    )
    problem, rows, codes = contenders.problem, contenders.rows, contenders.codes
    scores = scores.over(problem.pool)
    features = comparable_features(space, problem.deployed, space.canonical(codes))
    images = images_behind(problem.splits.validation.labels, by_class=problem.splits.balance)
    process = ResidualProcess(scores.mean[rows], features, settings.loop.residual, contenders.answers, images)
    run.folder.networks.mkdir(exist_ok=True)
    place = trial_folder(problem, run.folder, run.database)
    for note in place.prepare():
        run.console.note(note)
    network = network_of(problem, problem.codes[0], run.folder)
    crew = Crew(place, NetworkWork(training_job(network, problem, run.folder), network), run.workers)

    lengths: dict[int, tuple[int, float]] = {}  # the longest training of each contender

    def train(epochs: int, batch: Sequence[int]) -> list[float]:
        found = trained_accuracies(problem, space.effective(codes[list(batch)]), epochs, run, crew)
        lengths.update({row: (epochs, accuracy) for row, accuracy in zip(batch, found, strict=True)})
        return found

    def check(batch: Sequence[int]) -> NDArray[np.bool_]:
        nonlocal contenders
        with run.console.progress(f"{contenders.measured_costs} before training ({count_of(len(batch), 'network')})"):
            contenders = contenders.measured(batch, run.folder)
        run.stop_if_asked("measuring networks to train")
        return contenders.answers

    # Draws are trained where scores say little; then they say little about the architectures with a name, too.
    preferred = contenders.preferred(scores.mean[rows] if settings.loop.first == "best" else None)
    beginning = Beginning(
        preferred,
        contenders.drawn.tolist(),
        check if contenders.measures else None,
        contenders.derived.tolist(),
        contenders.variations,
    )
    learnt = learn_by_lengths(process, train, settings.loop, settings.training.epochs, beginning)
    run.workers.close()
    named = zip(map(int, contenders.derived), (space.digits([code])[0] for code in derived), strict=True)
    fates = Derived(dict(named), lengths, learnt).notes()
    notes = (*_notes(learnt, space.digits(codes)), *fates)
    if learnt.rows and images < FEW_IMAGES:
        notes += (
            f"trainings: their accuracies rest on {count_of(images, 'validation image')} only, so chance may order"
            " them; add images",
        )
    for note in notes:
        run.console.note(note)
    if not learnt.rows:  # nothing is known of how accurate trained networks are
        return contenders.problem, replace(scores, notes=notes)
    return contenders.problem, replace(_scores(problem, scores, rows, learnt), notes=notes)


def _draws(settings: LoopSettings) -> int:
    """Returns the number of draws: more than are trained, as some are measured over the budget."""
    if settings.first == "best":
        return 0
    if settings.first == "varied":
        return _VARIATIONS_OF_EACH * settings.trainings
    return _DRAWS_OF_EACH * max(batch_sizes(settings.trainings, settings.rounds), default=0)


def comparable_features(space: Space, network: NetworkSpec, codes: Codes) -> NDArray[np.float64]:
    """Returns features of architectures, shape (N, F), distances between them being about 1.

    They are counts of operations and of their successors. In a space that chooses sizes, half of every distance is of
    the network as a whole: its size, its depth, and how often it has each operation and size. Among hundreds of counts
    of successors these would have no weight.

    Args:
        space: The search space.
        network: The deployed network.
        codes: Canonical codes, shape (N, D).
    """
    paths = path_features(space, codes)
    if not isinstance(space, ChoosesSize):
        return standardised(paths)
    # The first columns count operations; sizes are nodes of the graphs.
    whole = np.column_stack([_sizes(space, network, codes), paths[:, : node_types(space).kinds]])
    return np.asarray(np.concatenate([standardised(paths), standardised(whole)], axis=1) / np.sqrt(2))


def _sizes(space: Space, network: NetworkSpec, codes: Codes) -> NDArray[np.float64]:
    """Returns logarithms of parameters and multiply-accumulates, and the number of nonlinear functions, (N, 3)."""
    counts = np.stack([space.parameters(codes, network), space.flops(codes, network)], axis=1)
    return np.column_stack([np.log(np.maximum(counts, 1)), space.nonlinear_count(codes)])


def _notes(learnt: Learnt, digits: Sequence[str]) -> tuple[str, ...]:
    """Returns the trainings in words."""
    pairs = sorted(zip(learnt.accuracy_percent, learnt.rows, strict=True), reverse=True)
    best = ", ".join(f"{digits[row]} {accuracy:.2f}%" for accuracy, row in pairs[:3])
    numbers = [
        f"{f'then {count:,}' if at else count_of(count, 'network')} for {count_of(n, 'epoch')}"
        for at, (n, count) in enumerate(learnt.trained)
    ]
    trained = (f"trainings: {', '.join(numbers)}; the best {best}",) if pairs else ()
    return (*trained, f"trainings: {learnt.stopped}") if learnt.stopped else trained


@dataclass(frozen=True)
class Derived:
    """Trainings of the architectures that a search by gradients derived.

    Attributes:
        rows: Their codes in digits by their rows among the contenders; isomorphic ones have one row.
        lengths: The longest training of every contender that was trained: epochs, and accuracy in percent.
        learnt: Everything that trainings said.
    """

    rows: Mapping[int, str]
    lengths: Mapping[int, tuple[int, float]]
    learnt: Learnt

    def notes(self) -> tuple[str, ...]:
        """Returns one sentence for each: its accuracy among the trained ones, or why it was not trained."""
        return tuple(f"derived by gradients: {digits} {self._fate(row)}" for row, digits in self.rows.items())

    def _fate(self, row: int) -> str:
        if row in self.lengths:
            epochs, accuracy = self.lengths[row]
            others = [value for length, value in self.lengths.values() if length == epochs]
            better = sum(value > accuracy for value in others)
            return (
                f"has {accuracy:.2f}% after {count_of(epochs, 'epoch')}, place {better + 1} of {len(others)}"
                " trained for as long"
            )
        if not self.learnt.process.allowed[row]:
            return "was not trained, since it does not keep the budget"
        if not self.lengths:
            return "was not trained, and no other network was"
        return "was not trained: at most half of the first batch is derived by gradients"


def _scores(problem: Problem, before: SpaceScores, rows: np.ndarray, learnt: Learnt) -> SpaceScores:
    """Beliefs about every architecture by its class; those that compute nothing keep a score below all others."""
    keys = problem.pool.representatives
    order = np.argsort(keys[rows])
    place = order[np.clip(np.searchsorted(keys[rows], keys, sorter=order), 0, len(order) - 1)]
    expected = learnt.expected_percent
    mean, std = expected[place], learnt.posterior.std[place]
    lowest = float(expected.min())
    digits = problem.space.digits(problem.codes[rows[list(learnt.rows)]])
    found = dict(zip(digits, learnt.accuracy_percent, strict=True))
    trained = FinalistTrainings(problem.settings.training.epochs, learnt.posterior.noise, found)
    return SpaceScores(
        before.pool,
        np.where(problem.connected, mean, lowest).round(_DECIMALS),
        np.where(problem.connected, std, before.std).round(_DECIMALS),
        trained=trained,
    )
