"""Command line: trains an architecture of a finished study and writes the model that is deployed.

python -m surrogate_nas.train RUN [--latency-budget 3ms | --arch CODE]
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from surrogate_nas._support.commands import begun_as
from surrogate_nas.cli import completion
from surrogate_nas.cli.budget_options import Budgets, with_budget_options
from surrogate_nas.cli.command_line import AsJson, Quiet, Version, in_home, new_app, run_command, say
from surrogate_nas.deploy.train.train_request import Start, TrainRequest
from surrogate_nas.errors import ExportError, Interrupted, SurrogateNasError
from surrogate_nas.export.runtimes.table import EXPORTS
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stop_on_interrupt
from surrogate_nas.runs.study_file import parse_assignments

app = new_app()


def train(
    *,
    run: Annotated[
        Path,
        typer.Argument(callback=in_home, metavar="RUN", help="Run folder of a finished study.", show_default=False),
    ],
    budgets: Budgets,
    arch: Annotated[
        str | None, typer.Option(metavar="CODE", help="Train this architecture: its code or its text.")
    ] = None,
    rivals: Annotated[
        int, typer.Option(metavar="N", min=0, max=1000, help="Also train the N best off-the-shelf networks that fit.")
    ] = 0,
    rival: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Also train this off-the-shelf network. Repeat it for more."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=10_000, help="Passes over the training images.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", min=1, max=65_536, help="Images per step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(metavar="RATE", help="Highest learning rate.")] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="START",
            help="First weights: scratch, supernet or pretrained. Without it: supernet for a study with --weights,"
            " otherwise scratch.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=2**31 - 1, help="Seed. Without it: the study's.")
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Export 8-bit models as well.")] = False,
    export: Annotated[
        str,
        typer.Option(
            metavar="FORMATS",
            help=f"Formats beside ONNX and torch.export, with commas between them: {', '.join(EXPORTS)}.",
        ),
    ] = "",
    compute_device: Annotated[
        str,
        typer.Option(
            metavar="DEVICE",
            help="Device that trains: auto, cpu, cuda[:n] or mps.",
            autocompletion=completion.devices,
        ),
    ] = "auto",
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1024, help="CPU threads. Without it: one per processor."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a training, or export a finished one again.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a training.")] = False,
    trust_program: Annotated[
        bool,
        typer.Option("--trust-program", help="Run the Python in space.py of somebody else's run. Read it first."),
    ] = False,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="TRACKER",
            help="Send settings, curves and results to: tensorboard or mlflow.",
            autocompletion=completion.trackers,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of the recipe, such as training.mixup=0.2. Repeat it for more.",
            autocompletion=completion.final_settings,
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    version: Version = False,  # noqa: ARG001 - its callback acts
) -> None:
    """Trains the architecture that a study chose, tests it, and exports it."""
    request = TrainRequest(
        run,
        budgets,
        arch,
        cast(Start | None, start),
        epochs,
        batch_size,
        learning_rate,
        seed,
        int8,
        compute_device,
        threads,
        resume,
        overwrite,
        begun_as("train", without=("--resume",)),
        trust_program,
        track,
        rivals,
        tuple(rival or ()),
        parse_assignments(settings or []),
        export,
    )
    # Torch takes seconds to import, which help and wrong options need not wait for.
    from surrogate_nas.training.data_parallel import processes_started

    with StudyConsole(quiet=quiet or not processes_started().is_first, json=as_json) as console:
        code = _run(request, console, as_json)
    raise typer.Exit(code)


app.command(name="train")(with_budget_options(train))


def _run(request: TrainRequest, console: StudyConsole, as_json: bool) -> int:
    """Trains and returns the exit code; whatever ends it is one line that goes into the log as well."""
    from surrogate_nas.deploy.train.card import show_model
    from surrogate_nas.deploy.train.train_run import run_training

    try:
        with stop_on_interrupt(console.warn_of_stop) as should_stop:
            facts = run_training(request, console, should_stop)
        if facts is None:
            return 0
        if as_json:
            say(json.dumps(facts.as_json(), indent=2))
        show_model(facts, request.run, console)
        for complaint in facts.runtimes.complaints():
            console.error(complaint)
        if facts.runtimes.failures:
            return ExportError.exit_code
    except (Interrupted, KeyboardInterrupt) as interruption:
        console.warn(f"{str(interruption) or 'stopped at once'}; {_way_on(request, console)}")
        return Interrupted.exit_code
    except SurrogateNasError as error:
        console.error(str(error))
        return error.exit_code
    except OSError as error:
        # Such as a full disk where a library writes.
        console.error(f"{error.filename or request.run}: {error.strerror or error}")
        return SurrogateNasError.exit_code
    return 0


def _way_on(request: TrainRequest, console: StudyConsole) -> str:
    if console.has_begun:
        return f"continue with: {begun_as('train', without=('--resume', '--overwrite'))} --resume"
    return f"{request.run} was not changed; start again with: {begun_as('train')}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.train", arguments)
