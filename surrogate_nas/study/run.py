"""Runs a study: every stage in its order, each resumed where an earlier process left it."""

import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from surrogate_nas.errors import InfeasibleBudgetError, SurrogateNasWarning
from surrogate_nas.files import write_json
from surrogate_nas.report.facts import StudyFacts
from surrogate_nas.report.terminal import print_summary
from surrogate_nas.report.write import PAGE_NAME, write_report
from surrogate_nas.search.dashboard import dashboard_command
from surrogate_nas.study.answer import choose_winner, score_space, search, write_best, write_lookup
from surrogate_nas.study.compute import resolve_compute
from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.environment import environment
from surrogate_nas.study.facts import (
    answer_facts,
    infeasible_facts,
    made_facts,
    plot_points,
    study_facts,
    trust_facts,
    truth_facts,
)
from surrogate_nas.study.learn import fit, label_architectures, predictor_inputs, train_supernets
from surrogate_nas.study.prepare import Prepared, prepare, show_feasibility, store
from surrogate_nas.study.request import Request, absolute_paths
from surrogate_nas.study.run_folder import RunFolder, digest
from surrogate_nas.supernet.workers import Workers


def run_study(request: Request, console: StudyConsole, should_stop: Callable[[], bool]) -> StudyFacts:
    """Runs a study to its report.

    Returns:
        The facts of the report; where no architecture meets the budget, they say so.

    Raises:
        SurrogateNasError: If the input is wrong (the run folder is then as it was), a stage fails, or the run is
            interrupted (everything finished is then kept).
    """
    settings = absolute_paths(request.settings)
    settings = settings.model_copy(update={"compute": resolve_compute(settings.compute)})
    settings.budget.requests()  # a wrong budget is said before anything is read
    folder = RunFolder(request.output)
    folder.check(resume=request.resume, overwrite=request.overwrite)
    # An overwritten run is read as if it were not there, but removed only once the new one is known to be sound.
    source = folder if request.resume else _nowhere(request.output)
    made = [place for place in (request.output, *request.output.parents) if not place.exists()]
    folder.take()
    try:
        source.require_same(settings)
        with _warnings_to(console):
            prepared = prepare(settings, source, console)
            if request.overwrite and not request.resume:
                folder.clear()
            return _run(request, prepared, folder, console, should_stop)
    finally:
        folder.release()
        _remove_empty(made)


def _run(
    request: Request, prepared: Prepared, folder: RunFolder, console: StudyConsole, should_stop: Callable[[], bool]
) -> StudyFacts:
    # Small tensors are slower on several threads, and sums may depend on how many there are.
    torch.set_num_threads(1)
    folder.write_settings(prepared.settings)
    console.log_to(folder.log)
    console.note(f"run folder: {folder.path}")
    write_json(folder.environment, environment(request.command))
    store(prepared, folder)
    show_feasibility(prepared, console)
    if not prepared.feasible.any():
        made = made_facts(prepared, command=request.command, seconds=folder.seconds(), result=None, notes=())
        facts = study_facts(prepared, infeasible_facts(prepared), made)
        return write_report(folder.path, facts, None)
    with Workers(prepared.settings.compute.processes or 1) as workers:
        with _timed(folder, "supernets", prepared):
            train_supernets(prepared, folder, workers, console, should_stop)
        with _timed(folder, "labels", prepared):
            labels = label_architectures(prepared, folder, workers, console, should_stop)
    began = time.monotonic()
    inputs = predictor_inputs(prepared, labels)
    predictor = fit(prepared, labels, folder, console, should_stop)
    if not folder.is_done("predictor", inputs):
        folder.mark_done("predictor", inputs, time.monotonic() - began)
    scores = score_space(prepared, predictor)
    with _timed(folder, "search", prepared):
        result = search(prepared, labels, scores, folder, console, should_stop)
    with _timed(folder, "winners", prepared):
        winners = choose_winner(prepared, scores, result, console)
    write_lookup(prepared, labels, scores, winners, folder)
    write_best(prepared, scores, winners, folder)
    made = made_facts(
        prepared,
        command=request.command,
        seconds=folder.seconds(),
        result=result,
        notes=(*prepared.splits.notes, *result.notes),
    )
    with console.progress("report"):
        facts = study_facts(
            prepared,
            answer_facts(prepared, predictor, scores, winners),
            made,
            trust_facts(prepared, predictor, labels, winners),
            truth_facts(prepared, predictor, scores, labels, winners),
        )
        return write_report(folder.path, facts, plot_points(prepared, predictor, scores, labels))


def show_outcome(facts: StudyFacts, output: Path, console: StudyConsole) -> None:
    """Prints the summary, and what can be done next.

    Raises:
        InfeasibleBudgetError: If no architecture meets the budget.
    """
    print_summary(console.results, facts, str(output / PAGE_NAME))
    if facts.answer.outcome == "infeasible":
        raise InfeasibleBudgetError("no architecture of the space meets the budget; the report says what comes nearest")
    console.note(f"another budget:  python -m surrogate_nas.lookup {output} --latency-budget 3ms")
    console.note(f"the search:      {dashboard_command(RunFolder(output).journal)}")


@contextmanager
def _timed(folder: RunFolder, stage: str, prepared: Prepared) -> Iterator[None]:
    """Records a stage as done when its block ends; a stage that only found its work done keeps its first time."""
    inputs = digest({"settings": prepared.settings.model_dump(exclude={"budget", "truth"})})
    began = time.monotonic()
    yield
    if not folder.is_done(stage, inputs):
        folder.mark_done(stage, inputs, time.monotonic() - began)


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


def _nowhere(output: Path) -> RunFolder:
    """A run folder that holds nothing."""
    return RunFolder(output / ".nothing")


def _remove_empty(folders: list[Path]) -> None:
    """Removes folders that were made for a run that wrote nothing, innermost first."""
    for place in folders:
        if place.is_dir() and {entry.name for entry in place.iterdir()} <= {".lock"}:
            shutil.rmtree(place)
