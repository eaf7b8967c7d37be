"""Command line of a finished study's report: shows all of it, opens the page, or prints the JSON.

surrogate-nas report RUN --open
"""

import webbrowser
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from surrogate_nas._support.commands import shown
from surrogate_nas._support.files import parse_json
from surrogate_nas.cli.command_line import AsJson, Version, complain, in_home, new_app, run_command, say
from surrogate_nas.errors import RunFolderError, SettingsError, SurrogateNasError
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.report.write import JSON_NAME, PAGE_NAME
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.ask.request import OF_OWN_IMAGES, resume_command
from surrogate_nas.study.report.outcome import show_outcome

app = new_app()


@app.command()
def report(
    run: Annotated[
        Path,
        typer.Argument(callback=in_home, metavar="RUN", help="Run folder of a finished study.", show_default=False),
    ],
    open_page: Annotated[bool, typer.Option("--open", help="Open the report in your browser.")] = False,
    as_json: AsJson = False,
    version: Version = False,  # noqa: ARG001 - its callback acts
) -> None:
    """Shows everything that a finished study found."""
    if open_page and as_json:
        raise SettingsError("--open and --json exclude each other; use one of them")
    _require_finished(run)
    facts = read_facts(run / JSON_NAME)
    if _begun_again(run, facts):
        complain(f"warning: this report is older than the resumed run; finish it with: {resume_command(run)}")
    if as_json:
        say((run / JSON_NAME).read_text(encoding="utf-8").rstrip())
    elif open_page:
        _open(run / PAGE_NAME)
    else:
        with StudyConsole() as console:
            show_outcome(facts, run, console, details=True)


def _require_finished(run: Path) -> None:
    """Refuses a folder without a run, and a run that has no report yet.

    Raises:
        RunFolderError: With the command that helps.
    """
    if not run.is_dir():
        wrong = "is a file" if run.exists() else "does not exist"
        raise RunFolderError(f"the run folder {wrong}: {run}")
    if not RunFolder(run).study.is_file():
        command = shown("study", OF_OWN_IMAGES, "--data", "FOLDER", "--output-dir", run)
        raise RunFolderError(f"{run} is not a run folder; make one with: {command}")
    if not (run / JSON_NAME).is_file():
        raise RunFolderError(f"the study in {run} is not finished; continue it with: {resume_command(run)}")


def _begun_again(run: Path, facts: StudyFacts) -> bool:
    """Returns whether the run was resumed after its report was written, without a new report."""
    try:
        begun = parse_json(RunFolder(run).environment.read_bytes())["created"]
        return datetime.fromisoformat(facts.created) < datetime.fromisoformat(begun)
    except (OSError, ValueError, TypeError, KeyError):
        return False  # a copy of the report alone says nothing of it


def _open(page: Path) -> None:
    address = page.resolve().as_uri()
    if not page.is_file():
        raise RunFolderError(f"the page is missing: {page}; the study writes it again with --resume")
    if not webbrowser.open(address):
        raise SurrogateNasError(f"no browser could be started; open {address}")
    say(address)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.report", arguments)
