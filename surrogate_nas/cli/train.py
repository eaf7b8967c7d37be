"""Command line: trains an architecture of a finished study and writes the model that is deployed.

python -m surrogate_nas.train RUN [--latency-budget 3ms | --arch CODE]
"""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from surrogate_nas.cli.budget_options import Budgets, with_budget_options
from surrogate_nas.cli.command_line import print_version, run_command, say
from surrogate_nas.deploy.train.train_request import Start, TrainRequest
from surrogate_nas.errors import Interrupted, SurrogateNasError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stop_on_interrupt

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def train(
    *,
    run: Annotated[Path, typer.Argument(help="Run folder of a finished study.", show_default=False)],
    budgets: Budgets,
    arch: Annotated[str | None, typer.Option(help="Train this architecture, a code or its text.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, max=10_000, help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, max=65_536, help="Images per step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest one.")] = None,
    start: Annotated[str, typer.Option("--from", help="Where weights begin: scratch or supernet.")] = "scratch",
    seed: Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="The study's where not given.")] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Export an 8-bit ONNX model as well.")] = False,
    compute_device: Annotated[str, typer.Option(help="Where it is trained: auto, cpu or cuda[:n].")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, max=1024, help="CPU threads of the training.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training, or export a finished one again.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew.")] = False,
    trust_program: Annotated[
        bool,
        typer.Option("--trust-program", help="Run the Python in space.py of somebody else's run; read it first."),
    ] = False,
    track: Annotated[
        str | None, typer.Option(help="Send settings, loss curve and results to: tensorboard or mlflow.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes and no progress.")] = False,
    version: Annotated[  # noqa: ARG001 - the callback acts on it
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Trains the architecture that a study chose, tests it, and exports it."""
    request = TrainRequest(
        run,
        budgets,
        arch,
        cast(Start, start),
        epochs,
        batch_size,
        learning_rate,
        seed,
        int8,
        compute_device,
        threads,
        resume,
        overwrite,
        shlex.join(["python", "-m", "surrogate_nas.train", *(word for word in sys.argv[1:] if word != "--resume")]),
        trust_program,
        track,
    )
    # Torch takes seconds to import, which help and wrong options need not wait for.
    from surrogate_nas.training.data_parallel import processes_started

    with StudyConsole(quiet=quiet or not processes_started().is_first, json=as_json) as console:
        code = _run(request, console, as_json)
    raise typer.Exit(code)


app.command(name="train")(with_budget_options(train))


def _run(request: TrainRequest, console: StudyConsole, as_json: bool) -> int:
    """Trains and returns the exit code; whatever ends it is one line that goes into the log as well."""

    def on_first_interrupt() -> None:
        console.warn("stopping: what is done is being saved; press Ctrl-C again to stop at once")

    from surrogate_nas.deploy.train.card import show_model
    from surrogate_nas.deploy.train.train_run import run_training

    try:
        with stop_on_interrupt(on_first_interrupt) as should_stop:
            facts = run_training(request, console, should_stop)
        if facts is None:
            return 0
        if as_json:
            say(json.dumps(facts.as_json(), indent=2))
        show_model(facts, request.run, console)
    except (Interrupted, KeyboardInterrupt) as interruption:
        way_on = f"go on with: {request.command} --resume" if console.logs else "nothing was changed yet"
        console.warn(f"{str(interruption) or 'stopped at once'}; {way_on.replace(' --overwrite', '')}")
        return Interrupted.exit_code
    except SurrogateNasError as error:
        console.error(str(error))
        return error.exit_code
    except OSError as error:
        # Such as a full disk where a library writes.
        console.error(f"{error.filename or request.run}: {error.strerror or error}")
        return SurrogateNasError.exit_code
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.train", arguments)
