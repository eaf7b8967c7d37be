"""Runs a study: every stage in its order, each resumed where an earlier process left it."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from surrogate_nas._processes.workers import Workers
from surrogate_nas._support.files import write_json
from surrogate_nas.errors import Interrupted, SurrogateNasWarning
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.report.facts import StudyFacts
from surrogate_nas.report.write import write_report
from surrogate_nas.runs.compute import resolve_compute
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.environment import environment
from surrogate_nas.runs.interrupts import stop_if_asked
from surrogate_nas.runs.meter import Meter
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.search.result import SearchResult
from surrogate_nas.study.ask.request import Request, absolute_paths
from surrogate_nas.study.report.answer import answer_facts, infeasible_facts, plot_points, study_facts
from surrogate_nas.study.report.curves import supernet_points
from surrogate_nas.study.report.evidence import trust_facts, truth_facts
from surrogate_nas.study.report.feasibility import show_feasibility
from surrogate_nas.study.report.provenance import made_facts
from surrogate_nas.study.stages.finalists import choose_winner
from surrogate_nas.study.stages.learn import (
    StudyLabels,
    check_stored,
    fit_predictor_to,
    label_architectures,
    train_supernets,
)
from surrogate_nas.study.stages.other_budgets import answer_also
from surrogate_nas.study.stages.prepare import Prepared, prepare, store
from surrogate_nas.study.stages.search import SpaceScores, score_space, search
from surrogate_nas.study.stages.segments import label_in_segments, segments_of
from surrogate_nas.study.stages.trained_predictor import keep_trained
from surrogate_nas.study.stages.trainings import learn_from_trainings
from surrogate_nas.study.stages.watching import attach, search_points, show, watched
from surrogate_nas.study.stages.widen_pool import check_sampler, list_the_best
from surrogate_nas.study.stages.write_answer import remove_best, write_best, write_lookup

ShouldStop = Callable[[], bool]


def run_study(request: Request, console: StudyConsole, should_stop: ShouldStop) -> StudyFacts:
    """Runs a study to its report.

    Returns:
        The facts of the report; where no architecture meets the budget, they say so.

    Raises:
        SurrogateNasError: If the input is wrong (the run folder is then as it was), a stage fails, or the run is
            interrupted (everything finished is then kept).
    """
    settings = absolute_paths(request.settings)
    settings = settings.model_copy(update={"compute": resolve_compute(settings.compute)})
    folder = RunFolder(request.output)
    folder.check(resume=request.resume, overwrite=request.overwrite)
    made = [place for place in (request.output, *request.output.parents) if not place.exists()]
    folder.take()
    try:
        # Once more, now that nobody else can begin a run in it.
        folder.check(resume=request.resume, overwrite=request.overwrite)
        # An overwritten run is read as if it were not there, but removed only once the new one is known to be sound.
        source = RunFolder(request.output / ".nothing") if request.overwrite else folder
        source.require_same(settings)
        with _warnings_to(console):
            prepared = prepare(settings, source, console, should_stop, names_space=request.names_space)
            check_stored(prepared, source)
            check_sampler(prepared)
            if settings.search.sampler == "segments":
                segments_of(prepared)  # what does not fit is said before training
            stop_if_asked(should_stop, "preparing the study")
            if request.overwrite:
                folder.clear()
            return _run(request, prepared, folder, console, should_stop)
    finally:
        folder.release()
        _remove_empty(made)


def _run(
    request: Request, prepared: Prepared, folder: RunFolder, console: StudyConsole, should_stop: ShouldStop
) -> StudyFacts:
    # Small tensors are slower on several threads, and sums may depend on how many there are.
    torch.set_num_threads(1)
    folder.remove_leftovers()
    folder.write_settings(_lasting(prepared.settings))
    console.log_to(folder.log)
    console.note(f"run folder: {folder.path}")
    write_json(folder.environment, environment(request.command))
    store(prepared, folder)
    show_feasibility(prepared, console)
    if not prepared.feasible.any():
        remove_best(folder)
        made = made_facts(prepared, command=request.command, state=folder.state, result=None, notes=())
        return write_report(folder.path, study_facts(prepared, infeasible_facts(prepared), made), None)
    with Workers(prepared.settings.compute.processes or 1) as workers:
        with _time_added(folder, "supernets"):
            plan = train_supernets(prepared, folder, workers, console, should_stop)
        prepared = replace(prepared, plan=plan)
        with _time_added(folder, "labels"):
            if prepared.settings.search.sampler == "segments":
                prepared, labels = label_in_segments(prepared, folder, workers, console, should_stop)
            else:
                labels = label_architectures(prepared, folder, workers, console, should_stop)
    return _answer(request, prepared, labels, folder, console, should_stop)


def _answer(
    request: Request,
    prepared: Prepared,
    labels: StudyLabels,
    folder: RunFolder,
    console: StudyConsole,
    should_stop: ShouldStop,
) -> StudyFacts:
    """Everything that follows from the labels, in seconds."""
    predictor = fit_predictor_to(prepared, labels, folder, console, should_stop)
    prepared, scores = list_the_best(prepared, score_space(prepared, predictor), console, should_stop)
    with watched(request.dashboard, folder, console) as dashboard:
        if prepared.settings.loop.trainings:
            if dashboard is not None:
                # Something to look at while networks are trained.
                search(prepared, labels, scores, folder, console, should_stop)
                show(dashboard, console)
            scores = learn_from_trainings(prepared, scores, folder, console, should_stop)
            predictor = keep_trained(prepared, predictor, folder, console)
        with _time_of(folder, "search"):
            result: SearchResult = search(prepared, labels, scores, folder, console, should_stop)
        # What another sampler than a scan proposed may not be listed yet.
        prepared = prepared.listing(result.codes)
        scores = scores.over(prepared.pool)
        if dashboard is not None:
            show(dashboard, console)
        return _write_answer(request, prepared, labels, predictor, scores, result, folder, console, should_stop)


def _write_answer(
    request: Request,
    prepared: Prepared,
    labels: StudyLabels,
    predictor: FittedPredictor,
    scores: SpaceScores,
    result: SearchResult,
    folder: RunFolder,
    console: StudyConsole,
    should_stop: ShouldStop,
) -> StudyFacts:
    with _time_of(folder, "winners"):
        winners = choose_winner(prepared, scores, result, console, should_stop)
    with console.progress("lookup table"):
        write_lookup(prepared, labels, scores, winners, folder)
        write_best(prepared, scores, winners, folder)
    answer_also(prepared, scores, folder, console)
    made = made_facts(
        prepared,
        command=request.command,
        state=folder.state,
        result=result,
        notes=(*prepared.splits.notes, *scores.notes, *result.notes),
    )
    with console.progress("report"):
        facts = study_facts(
            prepared,
            answer_facts(prepared, predictor, scores, winners),
            made,
            trust_facts(prepared, predictor, labels, winners),
            truth_facts(prepared, predictor, scores, labels, winners),
        )
        points = search_points(prepared, scores, result)
        supernet = supernet_points(prepared, scores, folder.supernets)
        plotted = replace(plot_points(prepared, predictor, scores, labels), search=points, supernet=supernet)
        written = write_report(folder.path, facts, plotted)
        attach(folder, points, supernet, request.command, console)
        return written


def _lasting(settings: StudySettings) -> StudySettings:
    """The settings that a run goes on with: what was to be measured again has been."""
    return settings.model_copy(update={"hardware": settings.hardware.model_copy(update={"remeasure": False})})


@contextmanager
def _time_added(folder: RunFolder, stage: str) -> Iterator[None]:
    """Adds up the time of a stage that every process goes on with, also where it is interrupted."""
    meter = Meter()
    try:
        yield
    except Interrupted:
        folder.state.add(stage, meter, finished=False)
        raise
    folder.state.add(stage, meter, finished=True)


@contextmanager
def _time_of(folder: RunFolder, stage: str) -> Iterator[None]:
    """Records the time of a stage that every process does anew."""
    meter = Meter()
    yield
    folder.state.mark_done(stage, meter)


@contextmanager
def _warnings_to(console: StudyConsole) -> Iterator[None]:
    """Says the project's warnings in its own voice."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", SurrogateNasWarning)
        before = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: object) -> None:
            if issubclass(category, SurrogateNasWarning):
                console.warn(str(message))
            else:
                before(message, category, *rest)  # type: ignore[arg-type]

        warnings.showwarning = show  # type: ignore[assignment]
        yield


def _remove_empty(folders: list[Path]) -> None:
    """Removes folders that were made for a run that wrote nothing, innermost first."""
    for place in folders:
        if place.is_dir() and not any(place.iterdir()):
            shutil.rmtree(place)
