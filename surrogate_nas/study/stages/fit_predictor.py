"""Fits the predictor to the labels, and joins it with trained networks where a study trains any."""

import numpy as np

from surrogate_nas.errors import SettingsError, StoreError
from surrogate_nas.labels.store import read_labels
from surrogate_nas.predictor.fusion.priors import ExtraScores, with_vote
from surrogate_nas.predictor.fusion.stack import MINIMUM_TRAINED
from surrogate_nas.predictor.fusion.zero_cost_votes import zero_cost_votes
from surrogate_nas.predictor.predictor import FittedPredictor, fit_predictor, load_predictor
from surrogate_nas.predictor.training_set import SourceLabels
from surrogate_nas.runs.run_folder import digest
from surrogate_nas.study.findings import Findings, LearnedOrder, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.network_trainings import known_trainings
from surrogate_nas.study.stages.protocol import Stage, Timing
from surrogate_nas.zero_cost.cached import can_be_scored


class FitPredictor(Stage):
    """Fits the predictor to the labels."""

    name = "predictor"
    inputs = (Problem, LearnedOrder, StudyLabels)
    timing = Timing.ANEW

    def made_from(self, findings: Findings) -> str:
        """Returns the hash of labels, settings, seed and space."""
        return predictor_inputs(findings[Problem], findings[StudyLabels])

    def reuse(self, findings: Findings, run: Run) -> Findings | None:
        """Loads the predictor that was fitted to the same labels."""
        try:
            predictor = load_predictor(run.folder.predictor, findings[Problem].space)
        except StoreError as error:
            run.console.warn(f"{error}; the predictor is fitted again")
            return None
        run.console.note("predictor: already fitted")
        return Findings(predictor)

    def run(self, findings: Findings, run: Run) -> Findings:
        """Fits the predictor and saves it."""
        predictor = fit_to_labels(findings[Problem], findings[StudyLabels], findings[LearnedOrder], run)
        # A crash between here and the end must not leave this predictor marked as one of former labels.
        run.folder.state.forget(self.name)
        predictor.save(run.folder.predictor)
        return Findings(predictor)


def predictor_inputs(problem: Problem, labels: StudyLabels) -> str:
    """Returns the hash of everything that the predictor is made from."""
    gradient = problem.settings.gradient
    return digest(
        {
            "labels": [problem.space.digits(labels.codes), labels.accuracy_percent.tolist(), labels.loss.tolist()],
            "settings": problem.settings.predictor.identity(),
            "seed": problem.settings.seed,
            "space": problem.space.fingerprint,
            # Of the scores that rank, which are joined with what is known without labels.
            "evidence": "joined",
            # A predictor without a distribution stays the one that it was before there were any.
            **({"gradient": gradient.model_dump()} if gradient.learns else {}),
        }
    )


def fit_to_labels(problem: Problem, labels: StudyLabels, learned: LearnedOrder, run: Run) -> FittedPredictor:
    """Fits a predictor to labels.

    Args:
        problem: The problem.
        labels: The labels.
        learned: The order that a distribution over architectures votes for.
        run: The run.

    Raises:
        SettingsError: If the labels cannot be learnt from.
        Interrupted: If a stop was requested.
    """
    settings = problem.settings
    extra = with_learned(zero_cost_scores(problem, run), learned)
    with run.console.progress("predictor") as advance:
        return fit_predictor(
            problem.space,
            labels.codes,
            labels.targets(settings.predictor.target),
            labels.accuracy_percent,
            settings.predictor,
            settings.seed,
            advance,
            baselines=problem.counts(labels.codes),
            should_stop=run.should_stop,
            extra=extra,
        )


def zero_cost_scores(problem: Problem, run: Run) -> ExtraScores | None:
    """Returns scores of networks with random weights, from this machine's cache; None if the settings need none."""
    space, settings = problem.space, problem.settings.predictor
    if settings.recipe != "fusion" or not settings.zero_cost:
        return None
    if not can_be_scored(space):
        reason = "it has too many architectures, or cells of node choices"
        run.console.note(f"zero-cost scores: not available for {space.name}: {reason}")
        return None
    with run.console.progress("zero-cost scores") as advance:
        return zero_cost_votes(space, advance, run.should_stop)


def with_learned(scores: ExtraScores | None, learned: LearnedOrder) -> ExtraScores | None:
    """Returns scores with the vote of a distribution over architectures, which has the weight of one of them."""
    return scores if learned.votes is None else with_vote(scores, learned.votes)


class JoinTrainings(Stage):
    """Joins the predictor with the trained networks, and saves it for later use.

    The answer of the study does not come from it but from the residual process (``search.trainings.residual``), which
    was measured for a few trainings near a budget; the joined predictor orders the whole space.
    """

    name = "joined predictor"
    inputs = (Problem, FittedPredictor)

    def reuse(self, findings: Findings, run: Run) -> Findings | None:
        """Leaves the predictor as it is where the study trains nothing."""
        trains = findings[Problem].settings.loop.trainings > 0 and run.folder.trainings.exists()
        return None if trains else Findings()

    def run(self, findings: Findings, run: Run) -> Findings:
        """Joins them; a predictor that was joined already, or has too little to learn from, stays as it is."""
        problem, predictor = findings[Problem], findings[FittedPredictor]
        known = known_trainings(problem, read_labels(run.folder.trainings, problem.label_identity))
        digits = sorted(known)
        if not digits:
            return Findings()
        codes = np.stack([problem.space.parse(code) for code in digits])
        trained = SourceLabels(codes, np.array([known[code] for code in digits]))
        try:
            joined = predictor.with_trained(trained, problem.settings.seed)
        except SettingsError as error:
            few = f"that needs {MINIMUM_TRAINED} that differ, and there are {len(digits)}; train more by --trainings"
            reason = few if len(digits) < MINIMUM_TRAINED else str(error)
            run.console.note(f"predictor: not corrected by the trained networks: {reason}")
            return Findings()
        if joined is not predictor:
            joined.save(run.folder.predictor)
        return Findings(joined)
