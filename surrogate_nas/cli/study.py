"""Command line: images and a budget in, an architecture and a lookup table out.

python -m surrogate_nas.study [STUDY] --latency-budget 5ms
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from surrogate_nas._support.commands import begun_as
from surrogate_nas._support.definitions import available
from surrogate_nas.cli import completion
from surrogate_nas.cli.budget_options import Budgets, with_budget_options
from surrogate_nas.cli.command_line import AsJson, Quiet, Version, in_home, new_app, run_command, say
from surrogate_nas.data.folders.image_folder import existing_folder
from surrogate_nas.errors import Interrupted, SettingsError, SurrogateNasError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stop_on_interrupt
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import parse_assignments, study_text
from surrogate_nas.study.ask.options import Options, overrides_of
from surrogate_nas.study.ask.request import (
    DEFAULT_STUDY,
    Request,
    absolute_paths,
    names_space,
    resolve_request,
    resume_command,
)

app = new_app()


# Long because an option is a parameter; what it does with them is at its end.
def study(
    *,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="STUDY",
            help=f"A study that comes with the project ({', '.join(available('studies'))}), or a .toml file."
            f" Default: {DEFAULT_STUDY}.",
            autocompletion=completion.studies,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|NAME",
            help="Folder of images with one sub-folder per class, or a data set by name.",
            autocompletion=completion.data_sets,
        ),
    ] = None,
    budgets: Budgets,
    also_budget: Annotated[
        list[str] | None,
        typer.Option(metavar="BUDGET", help="Another budget to answer, such as latency=3ms. Repeat it for more."),
    ] = None,
    trainings: Annotated[
        int | None, typer.Option(metavar="N", help="Train N finalists for a short time and learn from them.")
    ] = None,
    rivals: Annotated[
        int | None,
        typer.Option(metavar="N", help="Train the N best off-the-shelf networks that fit, along with the finalists."),
    ] = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Serve optuna-dashboard on this machine while the study runs.")
    ] = False,
    confidence: Annotated[
        float | None,
        typer.Option(metavar="P", help="Probability with which the latency must keep its budget, such as 0.95."),
    ] = None,
    latency_table: Annotated[
        str | None, typer.Option(metavar="FILE", help="CSV or Parquet file with latencies of another device.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="Device whose latency counts: auto, cpu, cuda[:n], mps, or a column of the latency table.",
            autocompletion=completion.devices,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="PRECISION", help="Numbers of the deployed network: float32 or int8."),
    ] = None,
    planner: Annotated[
        str | None,
        typer.Option(
            metavar="PLANNER", help="What says how much RAM and flash is taken: none, tflite_micro, vela, executorch."
        ),
    ] = None,
    compute_device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="Device that trains: auto, cpu, cuda[:n] or mps.",
            autocompletion=completion.devices,
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Ray cluster that trains: auto, or ray://HOST:PORT."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NAME",
            help="Pretrained weights to start from: a file, torchvision:NAME or timm:NAME.",
        ),
    ] = None,
    truth: Annotated[
        str | None, typer.Option(metavar="FILE", help="CSV file with accuracies of trained networks, for the report.")
    ] = None,
    truth_column: Annotated[str | None, typer.Option(metavar="NAME", help="Column of that file.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of every random draw.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any setting, such as supernet.steps=5000 or budget.flops=none. Repeat it for more.",
            autocompletion=completion.settings,
        ),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option(callback=in_home, metavar="FOLDER", help="Run folder. Without it: runs/STUDY.")
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="TRACKER",
            help="Send settings, curves, results and the report to: tensorboard or mlflow.",
            autocompletion=completion.trackers,
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Database that keeps the search and the trainings as Optuna studies: postgresql://USER@HOST/DATABASE.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in the folder, if there is one.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the folder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print all settings of the study and exit.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print more notes.")] = False,
    version: Version = False,  # noqa: ARG001 - its callback acts
) -> None:
    """Searches for the best architecture for your images under your budgets, and writes a table for other budgets."""
    if resume and overwrite:
        raise SettingsError("--resume and --overwrite exclude each other; use one of them")
    options = Options(
        data=data,
        also_budget=also_budget,
        confidence=confidence,
        trainings=trainings,
        rivals=rivals,
        latency_table=latency_table,
        device=device,
        precision=precision,
        planner=planner,
        compute_device=compute_device,
        cluster=cluster,
        weights=weights,
        truth=truth,
        truth_column=truth_column,
        seed=seed,
    )
    overrides = overrides_of(options, parse_assignments(settings or []), budgets)
    resolved, output = resolve_request(name, overrides, output_dir, resume=resume)
    if truth_column is not None and resolved.truth.file is None:
        raise SettingsError("--truth-column is a column of a file: give --truth FILE.csv as well")
    if dry_run:
        resolved = absolute_paths(resolved)
        if resolved.data.path is not None and resolved.data.source == "folder":  # others are downloaded into it
            existing_folder(Path(resolved.data.path))
        if resolved.hardware.latency_table is not None and names_space(name, overrides, resolved.space, resume=resume):
            _require_table(resolved)
        say(resolved.model_dump_json(indent=2) if as_json else study_text(resolved).rstrip())
        return
    command = begun_as("study")
    named = names_space(name, overrides, resolved.space, resume=resume)
    with StudyConsole(quiet=quiet, verbose=verbose, json=as_json) as console:
        request = Request(resolved, output, resume, overwrite, command, dashboard, named, track, storage)
        code = _run(request, console, as_json)
    raise typer.Exit(code)


app.command(name="study")(with_budget_options(study))


def _require_table(settings: StudySettings) -> None:
    """Refuses a latency table that a study could not use.

    Raises:
        CostTableError: If it is missing or damaged, or has no such device.
    """
    from surrogate_nas.hardware.tables.partial import require_latencies
    from surrogate_nas.space.load import load_space

    hardware = settings.hardware
    table = Path(str(hardware.latency_table))
    require_latencies(load_space(settings.space), table, hardware.device, hardware.latency_unit)


def _run(request: Request, console: StudyConsole, as_json: bool) -> int:
    """Runs the study and returns the exit code; whatever ends it is one line that goes into the log as well."""
    try:
        # Torch and its companions take seconds to import, which help, versions and wrong options need not wait for.
        from surrogate_nas.report.json_file import facts_to_json
        from surrogate_nas.study.report.outcome import show_outcome
        from surrogate_nas.study.run import run_study

        with stop_on_interrupt(console.warn_of_stop) as should_stop:
            facts = run_study(request, console, should_stop)
        if as_json:
            say(json.dumps(facts_to_json(facts), indent=2))
        show_outcome(facts, request.output, console)
    except (Interrupted, KeyboardInterrupt) as interruption:
        console.warn(f"{str(interruption) or 'stopped at once'}; {_way_on(request, console)}")
        return Interrupted.exit_code
    except SurrogateNasError as error:
        console.error(str(error))
        return error.exit_code
    except OSError as error:
        # Such as a full disk where a library writes.
        console.error(f"{error.filename or request.output}: {error.strerror or error}")
        return SurrogateNasError.exit_code
    return 0


def _way_on(request: Request, console: StudyConsole) -> str:
    if console.has_begun:
        cluster = request.settings.compute.cluster
        return f"continue with: {resume_command(request.output, request.track, cluster, request.storage)}"
    return f"{request.output} was not changed; start again with: {request.command}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.study", arguments)
