"""A study in Python: what ``python -m surrogate_nas.study`` does, without a command line."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, Unpack

from surrogate_nas._support.commands import shown
from surrogate_nas.errors import InfeasibleBudgetError, SettingsError
from surrogate_nas.lookup.entry import Entry
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.report.facts import StudyFacts
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.report.write import JSON_NAME, PAGE_NAME
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stop_on_interrupt
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.ask.options import Options, overrides_of
from surrogate_nas.study.ask.request import Request, names_space, resolve_request


@dataclass(frozen=True)
class StudyResult:
    """The outcome of a finished study.

    Attributes:
        folder: The run folder.
        table: Predicted accuracy and costs of every architecture considered.
        report: What the report says, as numbers.

    Example:
        ``folder`` is the run folder of a finished study.

        >>> from surrogate_nas import StudyResult
        >>> result = StudyResult.load(folder)
        >>> result.best.code, len(result.table)
        ('1102', 54)
    """

    folder: Path
    table: LookupTable
    report: StudyFacts

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """The result of a study that is finished.

        Raises:
            SurrogateNasError: If the folder does not hold the table and the report of one.
        """
        return cls(Path(folder), LookupTable.load(folder), read_facts(Path(folder) / JSON_NAME))

    @property
    def best(self) -> Entry:
        """The architecture that the study chose for its budgets."""
        answer = self.table.metadata.answer
        if answer is None:
            raise InfeasibleBudgetError("nothing meets the budgets of this study; ask its table for others")
        return self.table.find(answer)

    @property
    def page(self) -> Path:
        """The report as a page."""
        return self.folder / PAGE_NAME


class Study:
    """A study that is about to run, with every setting resolved.

    Example:
        >>> from surrogate_nas import Study
        >>> study = Study("quickstart", latency_budget="5ms", output_dir="runs/mine", settings={"labels.count": 200})
        >>> study.settings.labels.count, study.settings.budget.requests()[0].limit
        (200, 5.0)

        ``study.run()`` then gives a ``StudyResult``.

    Args:
        name: A study that comes with the project, or the path of a ``.toml`` file.
        output_dir: The run folder; ``runs/NAME`` unless given.
        settings: Any settings by key, such as ``{"supernet.steps": 5000}``.
        resume: Whether to go on with the run in the folder, if there is one.
        overwrite: Whether to replace it.
        quiet: Whether to leave out notes and progress.
        options: The options of the command line; see ``surrogate_nas.study.ask.options.Options``.

    Raises:
        SettingsError: If a setting, an option or a budget is unknown or impossible.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        output_dir: Path | str | None = None,
        settings: Mapping[str, Any] | None = None,
        resume: bool = False,
        overwrite: bool = False,
        quiet: bool = False,
        **options: Unpack[Options],
    ) -> None:
        """Resolves the settings; nothing is read or written but the study's file."""
        if resume and overwrite:
            raise SettingsError("resume and overwrite exclude each other; use one of them")
        folder = Path(output_dir) if output_dir is not None else None
        self.settings: StudySettings
        overrides = overrides_of(options, settings)
        self.settings, self.output_dir = resolve_request(name, overrides, folder, resume=resume)
        self._names_space = names_space(name, overrides, resume=resume)
        self._resume, self._overwrite, self._quiet = resume, overwrite, quiet

    def run(self) -> StudyResult:
        """Runs the study to its report, in this process and worker processes.

        As with everything that begins processes, a script calls it under ``if __name__ == "__main__":``.

        Raises:
            InfeasibleBudgetError: If no architecture meets the budget; the report is written.
            SurrogateNasError: If the input is wrong or a stage fails; what is finished is kept, and ``resume=True``
                goes on.
        """
        # Torch and its companions take seconds to import, which a wrong setting need not wait for.
        from surrogate_nas.study.run import run_study

        again = f"{self.output_dir}-again"
        command = shown("study", self.output_dir / "study.toml", "--output-dir", again)
        request = Request(
            self.settings,
            self.output_dir,
            self._resume,
            self._overwrite,
            command,
            names_space=self._names_space,
        )
        with StudyConsole(quiet=self._quiet, json=True) as console, _interruptible(console) as should_stop:
            facts = run_study(request, console, should_stop)
        if facts.answer.outcome == "infeasible":
            page = self.output_dir / PAGE_NAME
            raise InfeasibleBudgetError(f"no architecture of the space meets the budget; see {page}")
        return StudyResult(self.output_dir, LookupTable.load(self.output_dir), facts)


@contextmanager
def _interruptible(console: StudyConsole) -> Iterator[Callable[[], bool]]:
    """Ctrl-C saves and stops; only the main thread of a process hears of it."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    with stop_on_interrupt(lambda: console.warn("stopping: what is done is being saved")) as should_stop:
        yield should_stop
