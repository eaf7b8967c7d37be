"""Runs a study: its stages one after another, each resumed where an earlier process left it."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import torch

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import Interrupted, SettingsError, SurrogateNasWarning
from surrogate_nas.hardware.measure.timing import torch_threads
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.runs.compute import resolve_compute
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.environment import earlier_commands, environment
from surrogate_nas.runs.meter import Meter
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.ask.request import Request, absolute_paths
from surrogate_nas.study.findings import Findings
from surrogate_nas.study.problem.deployed_costs import changed_hardware, makes_costs_anew
from surrogate_nas.study.problem.prepare import prepare, store
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.feasibility import show_feasibility
from surrogate_nas.study.report.tracked import begin_tracking, track_facts, track_stage
from surrogate_nas.study.running import Run, ShouldStop
from surrogate_nas.study.stages.compare_rivals import CompareRivals, forget_fitted
from surrogate_nas.study.stages.finalists import ChooseFinalist
from surrogate_nas.study.stages.fit_predictor import FitPredictor, JoinTrainings
from surrogate_nas.study.stages.gradient.learn_distribution import LearnDistribution
from surrogate_nas.study.stages.labels import LabelArchitectures
from surrogate_nas.study.stages.lookup_table import WriteLookup, withdraw_answer
from surrogate_nas.study.stages.other_budgets import AnswerOtherBudgets
from surrogate_nas.study.stages.protocol import Stage, Timing
from surrogate_nas.study.stages.report import WriteReport, report_infeasible
from surrogate_nas.study.stages.search import PreviewSearch, SearchSpace, with_cheapest_measured
from surrogate_nas.study.stages.supernets import TrainSupernets
from surrogate_nas.study.stages.trainings import TrainFinalists
from surrogate_nas.study.stages.widen_pool import ScorePool
from surrogate_nas.training.data_parallel import processes_started

STAGES: tuple[Stage, ...] = (
    TrainSupernets(),
    LearnDistribution(),
    LabelArchitectures(),
    FitPredictor(),
    ScorePool(),
    PreviewSearch(),
    TrainFinalists(),
    JoinTrainings(),
    SearchSpace(),
    ChooseFinalist(),
    CompareRivals(),
    WriteLookup(),
    AnswerOtherBudgets(),
    WriteReport(),
)


def run_study(request: Request, console: StudyConsole, should_stop: ShouldStop) -> StudyFacts:
    """Runs a study to its report.

    Returns:
        The facts of the report; where no architecture meets the budget, they say so.

    Raises:
        SurrogateNasError: If the input is wrong (the run folder is then as it was), a stage fails, or the run is
            interrupted (everything finished is then kept).
    """
    if "TORCHELASTIC_RUN_ID" in os.environ and processes_started().count > 1:
        raise SettingsError(
            "torchrun starts no study: start it once, with --set compute.processes_per_supernet=N for N processes that"
            " share each supernet"
        )
    settings = absolute_paths(request.settings)
    asked = settings.compute.processes
    settings = settings.model_copy(update={"compute": resolve_compute(settings.compute)})
    request = replace(request, settings=settings)
    with (
        _held(request) as folder,
        _warnings_to(console),
        torch_threads(torch.get_num_threads()),  # a caller in Python has its own number back afterwards
        Run.of(request, folder, console, should_stop) as run,
    ):
        problem = _checked(run)
        if request.overwrite:
            folder.clear()
        _begin(problem, run, asked)
        if not problem.feasible.any():
            problem = with_cheapest_measured(problem, run)
        if not problem.feasible.any():
            withdraw_answer(problem, folder)
            facts = report_infeasible(problem, run)
            track_facts(facts, run)
            return facts
        return run_stages(problem, run)[StudyFacts]


def run_stages(problem: Problem, run: Run) -> Findings:
    """Runs one stage after another: skips what is done, records its time, and ends where a stop was requested.

    Raises:
        Interrupted: If a stop was requested; everything finished is kept.
        SurrogateNasError: If a stage fails.
    """
    findings = Findings(problem)
    for stage in STAGES:
        if run.should_stop():
            raise Interrupted(f"stopped before {stage.name}")
        findings |= run_stage(stage, findings.only(stage.inputs), run)
        track_stage(stage.name, findings, run)
    return findings


def run_stage(stage: Stage, findings: Findings, run: Run) -> Findings:
    """Returns the findings of a stage, from an earlier process if that ran it with the same inputs."""
    state, meter, inputs = run.folder.state, Meter(), stage.made_from(findings)
    try:
        may_reuse = not inputs or state.is_done(stage.name, inputs)
        reused = stage.reuse(findings, run) if may_reuse else None
        found = reused if reused is not None else stage.run(findings, run)
    except Interrupted:
        if stage.timing is Timing.ADDED:
            state.add(stage.name, meter, finished=False)
        raise
    idle = reused is not None and stage.name not in state.seconds()
    if stage.timing is Timing.ADDED and not idle:
        state.add(stage.name, meter, finished=True)
    elif stage.timing is Timing.ANEW and reused is None:
        state.mark_done(stage.name, meter, inputs)
    run.console.detail(f"{stage.name}: {'unchanged' if reused is not None else f'{meter.seconds:.1f} s'}")
    return found


def check_stages(problem: Problem, run: Run) -> None:
    """Reports what would end a stage later, so that damage and settings that do not fit are known before any change.

    Raises:
        SurrogateNasError: If there is anything of that sort.
    """
    run.folder.state.check()
    for stage in STAGES:
        stage.check(problem, run)


def _checked(run: Run) -> Problem:
    """Returns the problem after every possible check; the run folder stays as it was."""
    # An overwritten run is read as if it were not there, but removed only once the new one is known to be sound.
    before = replace(run, folder=RunFolder(run.folder.path / ".nothing")) if run.request.overwrite else run
    before.folder.require_same(run.settings)
    if run.database is not None:
        run.database.connect()
    problem = prepare(before)
    check_stages(problem, before)
    run.stop_if_asked("preparing the study")
    return problem


def _begin(problem: Problem, run: Run, processes: int | None) -> None:
    """Writes the run's first files, and shows the space's costs next to the budgets.

    Args:
        problem: The problem.
        run: The run.
        processes: Number of processes as it was asked for.
    """
    # Small tensors are slower on several threads, and sums may depend on how many there are.
    torch.set_num_threads(1)
    folder = run.folder
    folder.remove_leftovers()
    # Of a run that is overwritten, settings may be left that nobody can read.
    if not run.request.overwrite and makes_costs_anew(run):
        for key, (before, now) in changed_hardware(run).items():
            run.console.note(f"costs are computed again: hardware.{key} was {before} and is {now} now")
        # Before the settings are written: a process that is killed between the two finds no costs of other settings.
        for stale in (folder.costs, *folder.lookup):
            stale.unlink(missing_ok=True)
        if run.settings.hardware.remeasure:
            forget_fitted(folder)
    folder.write_settings(_lasting(problem.settings, processes))
    if run.database is None and (before := folder.storage.url) is not None:
        run.console.note(f"trials are kept in the run folder from now on; they were in {before} before")
    folder.storage.write(run.database.shown if run.database is not None else None)
    run.console.log_to(folder.log)
    run.console.note(f"run folder: {folder.path}")
    earlier = () if run.request.overwrite else earlier_commands(folder.environment)
    write_json(folder.environment, environment(run.request.command, earlier))
    store(problem, folder)
    begin_tracking(problem, run)
    show_feasibility(problem, run.console)


def _lasting(settings: StudySettings, processes: int | None) -> StudySettings:
    """Returns the settings that the run goes on with, on this machine or another.

    The request to measure again is met once the run is under way. A number of processes that nobody asked for is of
    this machine alone.
    """
    hardware = settings.hardware.model_copy(update={"remeasure": False})
    compute = settings.compute.model_copy(update={"processes": processes})
    return settings.model_copy(update={"hardware": hardware, "compute": compute})


@contextmanager
def _held(request: Request) -> Iterator[RunFolder]:
    """Yields the run folder, held by this process; one that was made for a run that wrote nothing is removed.

    Raises:
        RunFolderError: If it may not be used, or another process holds it.
    """
    folder = RunFolder(request.output)
    folder.check(resume=request.resume, overwrite=request.overwrite)
    made = [place for place in (request.output, *request.output.parents) if not place.exists()]
    folder.take()
    try:
        # Once more, now that nobody else can start a run in it.
        folder.check(resume=request.resume, overwrite=request.overwrite)
        yield folder
    finally:
        folder.release()
        for place in made:  # innermost first
            with suppress(OSError):  # somebody's files may be in it
                place.rmdir()


@contextmanager
def _warnings_to(console: StudyConsole) -> Iterator[None]:
    """Prints the project's warnings as the study prints its own."""
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
