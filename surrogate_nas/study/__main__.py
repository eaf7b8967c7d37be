"""Command line: images and a budget in, an architecture and a lookup table out.

python -m surrogate_nas.study [STUDY] --latency-budget 5ms
"""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer

from surrogate_nas.command_line import print_version, run_command, say
from surrogate_nas.data.sources import SOURCES
from surrogate_nas.definitions import available
from surrogate_nas.errors import Interrupted, SettingsError, SurrogateNasError
from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.interrupts import stop_on_interrupt
from surrogate_nas.study.read_study import parse_assignments, read_resolved, read_study
from surrogate_nas.study.request import Request, absolute_paths
from surrogate_nas.study.settings import StudySettings

DEFAULT_STUDY = "quickstart"

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def study(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[STUDY]",
            help=f"A study that comes with the project ({', '.join(available('studies'))}) or a .toml file.",
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Folder of images, one sub-folder per class, or a data set by name.")
    ] = None,
    latency_budget: Annotated[str | None, typer.Option(help="Such as 5ms, or 40% of the space's own range.")] = None,
    flops_budget: Annotated[str | None, typer.Option(help="Multiply-accumulates, such as 50M or 40%.")] = None,
    params_budget: Annotated[str | None, typer.Option(help="Such as 1M or 40%.")] = None,
    latency_table: Annotated[str | None, typer.Option(help="CSV or Parquet with latencies of another device.")] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Whose latency counts: auto, cpu, cuda[:n], or a column of the latency table."),
    ] = None,
    compute_device: Annotated[
        str | None, typer.Option(help="Where supernets are trained: auto, cpu or cuda[:n].")
    ] = None,
    truth: Annotated[str | None, typer.Option(help="CSV with accuracies of trained networks, for the report.")] = None,
    truth_column: Annotated[str | None, typer.Option(help="Its column.")] = None,
    seed: Annotated[int | None, typer.Option(help="Every random draw comes from it.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other setting; may be repeated.")
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Run folder; runs/STUDY where not given.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in the folder, if there is one.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the folder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved study and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes and no progress.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More notes.")] = False,
    show_version: Annotated[  # noqa: ARG001 - acts through its callback
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Searches the best architecture for your images under your budgets, and writes a table for any other budget."""
    if resume and overwrite:
        raise SettingsError("--resume and --overwrite exclude each other")
    given = {
        "budget.latency": latency_budget,
        "budget.flops": flops_budget,
        "budget.params": params_budget,
        "hardware.latency_table": latency_table,
        "hardware.device": device,
        "compute.device": compute_device,
        "truth.file": truth,
        "truth.column": truth_column,
        "seed": seed,
    }
    overrides: dict[str, Any] = parse_assignments(settings or [])
    overrides |= {key: value for key, value in given.items() if value is not None}
    if data is not None:
        overrides |= _data_overrides(data)
    resolved, output = _resolve(name, overrides, output_dir, resume)
    if dry_run:
        resolved.budget.requests()
        typer.echo(tomli_w.dumps(absolute_paths(resolved).model_dump(mode="json", exclude_none=True)), nl=False)
        return
    command = shlex.join(["python", "-m", "surrogate_nas.study", *sys.argv[1:]])
    request = Request(resolved, output, resume, overwrite, command)
    with StudyConsole(quiet=quiet, verbose=verbose, results_to_stderr=as_json) as console:
        _run(request, console, as_json)


def _run(request: Request, console: StudyConsole, as_json: bool) -> None:
    # Torch and its companions take seconds to import, which help, versions and wrong options need not wait for.
    from surrogate_nas.report.report_json import facts_to_json
    from surrogate_nas.study.run import run_study, show_outcome

    again = f"python -m surrogate_nas.study --output-dir {shlex.quote(str(request.output))} --resume"

    def on_first_interrupt() -> None:
        console.warn("stopping: what is done is being saved; press Ctrl-C again to stop at once")

    try:
        with stop_on_interrupt(on_first_interrupt) as should_stop:
            facts = run_study(request, console, should_stop)
        if as_json:
            say(json.dumps(facts_to_json(facts), indent=2))
        show_outcome(facts, request.output, console)
    except (Interrupted, KeyboardInterrupt) as interruption:
        console.warn(f"{str(interruption) or 'stopped at once'}; go on with: {again}")
        raise typer.Exit(Interrupted.exit_code) from None
    except SurrogateNasError as error:
        console.error(str(error))
        raise typer.Exit(error.exit_code) from None


def _resolve(
    name: str | None, overrides: dict[str, Any], output_dir: Path | None, resume: bool
) -> tuple[StudySettings, Path]:
    """The study asked for and its folder; resuming without a study's name takes the one in the folder."""
    begun = output_dir / "study.toml" if output_dir else None
    if name is None and resume and begun is not None and begun.exists():
        return read_resolved(begun, overrides), begun.parent
    settings = read_study(name or DEFAULT_STUDY, overrides)
    return settings, output_dir or Path("runs") / settings.name


def _data_overrides(data: str) -> dict[str, Any]:
    """A name of a data set is that set; anything else is a folder."""
    if data in SOURCES and data != "folder":
        return {"data.source": data}
    return {"data.source": "folder", "data.path": data}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.study", arguments)


if __name__ == "__main__":
    sys.exit(main())
