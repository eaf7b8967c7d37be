"""Sends what a stage has found to the tracker of a run."""

import numpy as np

from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.report.facts.architectures import ArchitectureFacts
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.write import JSON_NAME, PAGE_NAME
from surrogate_nas.runs.study_file import flattened
from surrogate_nas.search.result import SearchResult
from surrogate_nas.study.findings import Findings, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.plotted import read_curve
from surrogate_nas.study.running import Run


def begin_tracking(problem: Problem, run: Run) -> None:
    """Opens the tracked run, with the settings of the study and the images that it has.

    Raises:
        SettingsError: If the tracker cannot be opened.
    """
    splits = problem.splits
    budgets = {f"budget.{one.cost}": one.text for one in problem.settings.budget.requests()}
    settings = {key: value for key, value in flattened(problem.settings).items() if not key.startswith("budget.")}
    run.tracker.begin(settings | budgets, anew=run.request.overwrite)
    run.tracker.numbers(
        {
            "images/train": len(splits.train),
            "images/validation": len(splits.validation),
            "space/share that meets the budgets": float(problem.feasible[problem.typical].mean()),
        }
    )


def track_stage(stage: str, findings: Findings, run: Run) -> None:
    """Sends the time and the energy of a stage, and what it has found.

    Args:
        stage: Its name.
        findings: All so far.
        run: The run.
    """
    if not run.tracker.is_open:
        return
    state = run.folder.state
    run.tracker.numbers({f"seconds/{stage}": state.seconds().get(stage), f"joules/{stage}": state.joules().get(stage)})
    if stage == "supernets":
        _track_losses(findings[Problem], run)
    elif stage == "labels":
        run.tracker.numbers(_of_labels(findings[StudyLabels]))
    elif stage == "predictor":
        run.tracker.numbers(_of_predictor(findings[FittedPredictor]))
    elif stage == "search":
        result = findings[SearchResult]
        run.tracker.numbers({"search/trials": len(result.codes), "search/within budgets": int(result.feasible.sum())})
    elif stage == "report":
        track_facts(findings[StudyFacts], run)


def track_facts(facts: StudyFacts, run: Run) -> None:
    """Sends the answer of a study, and its files."""
    if facts.answer.chosen is not None:
        run.tracker.numbers(_of_winner(facts.answer.chosen))
    names = (PAGE_NAME, JSON_NAME, "lookup.csv", "study.toml")
    run.tracker.files(run.folder.path / name for name in names)


def _track_losses(problem: Problem, run: Run) -> None:
    for phase in problem.plan.phases:
        for training in phase:
            curve = read_curve(run.folder.supernets / training.file, training)
            if curve is not None:
                run.tracker.curve(f"loss/{curve.name}", curve.steps.tolist(), curve.loss.tolist())


def _of_labels(labels: StudyLabels) -> dict[str, float | None]:
    accuracy = labels.accuracy_percent
    return {
        "labels/architectures": len(labels.codes),
        "labels/lowest percent": float(accuracy.min()),
        "labels/median percent": float(np.median(accuracy)),
        "labels/highest percent": float(accuracy.max()),
    }


def _of_predictor(predictor: FittedPredictor) -> dict[str, float | None]:
    evidence = predictor.cross_validation
    return {
        "predictor/tau": evidence.tau,
        "predictor/tau low": evidence.low,
        "predictor/tau high": evidence.high,
        "predictor/labels tau": evidence.labels_tau,
        "predictor/top10 tau": evidence.top10_tau,
        "predictor/regret percent": evidence.regret_percent,
    }


def _of_winner(chosen: ArchitectureFacts) -> dict[str, float | None]:
    predicted = {f"winner/{one.cost} predicted": one.predicted for one in chosen.costs}
    measured = {f"winner/{one.cost} measured": one.measured for one in chosen.costs}
    return {"winner/accuracy percent predicted": chosen.accuracy_percent.value, **predicted, **measured}
