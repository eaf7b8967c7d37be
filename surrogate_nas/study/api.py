"""A study in Python, from images to a trained model: the command lines without a shell."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from surrogate_nas._processes.child import require_main_module
from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.commands import shown
from surrogate_nas._support.words import count_of
from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.deploy.classifier import Classifier
from surrogate_nas.errors import InfeasibleBudgetError, SettingsError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.lookup.entry import Entry
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.report.write import JSON_NAME, PAGE_NAME
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stop_in_python
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import read_resolved
from surrogate_nas.runs.tracking import check_tracker
from surrogate_nas.search.journal.database import Database
from surrogate_nas.space.load import load_stored_space
from surrogate_nas.study.ask.options import Options, overrides_of
from surrogate_nas.study.ask.request import Request, names_space, resolve_request

if TYPE_CHECKING:
    from surrogate_nas.deploy.train.in_python import TrainOptions


@dataclass(frozen=True, repr=False)
class StudyResult:
    """The outcome of a finished study: the answer, the table for any other budget, and the way to a trained model.

    Attributes:
        folder: The run folder.
        table: Predicted accuracy and costs of every architecture considered.
        report: The report, as numbers.

    Example:
        ``folder`` is the run folder of a finished study.

        >>> from surrogate_nas import StudyResult
        >>> result = StudyResult.load(folder)
        >>> result.best.code, len(result.table)
        ('1102', 54)
        >>> model = result.train(epochs=1, overwrite=True, quiet=True)
        >>> model.folder.name, len(model.class_names)
        ('1102', 10)
        >>> result.measure("0010").median_ms > 0
        True
    """

    folder: Path
    table: LookupTable
    report: StudyFacts

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Opens the run folder of a finished study, so that nothing is searched again.

        Raises:
            SurrogateNasError: If the folder does not hold the table and the report of one.
        """
        folder = expanded(folder)
        return cls(folder, LookupTable.load(folder), read_facts(folder / JSON_NAME))

    def __repr__(self) -> str:
        answer, cost, found = self.table.metadata.answer, self.table.metadata.primary_cost, "nothing meets the budgets"
        if answer is not None:
            one = self.table.find(answer)
            price = f"{COSTS[cost].title} {format_cost(cost, one.costs[cost])}"
            found = f"{one.code}, predicted accuracy {one.predicted_accuracy_percent:.1f}%, {price}"
        return f"<StudyResult {self.folder}: {found}; {count_of(len(self.table), 'architecture')} in the table>"

    def train(self, **options: "Unpack[TrainOptions]") -> Classifier:
        """Trains the study's answer, or the best architecture under another budget, and exports it.

        Args:
            options: As for ``train_model``, such as ``latency_budget="3ms"``, ``arch="1102"`` or ``int8=True``.

        Raises:
            SurrogateNasError: If an option is unknown or wrong, nothing meets the budgets, or a stage fails.
        """
        # Torch takes seconds to import, which reading a result need not wait for.
        from surrogate_nas.deploy.train.in_python import train_model

        return train_model(self.folder, **options)

    def measure(self, architecture: str | None = None, settings: HardwareSettings | None = None) -> Measurement:
        """Measures the latency of an architecture on this machine, in the network of the study.

        Args:
            architecture: A code or its text; the study's answer unless given.
            settings: As for ``measure``; the study's own unless given.

        Raises:
            SurrogateNasError: If there is no such architecture or device, or the network cannot be run.
        """
        from surrogate_nas.hardware.measure.whole_networks import measure

        study = read_resolved(RunFolder(self.folder).study, {})
        space = load_stored_space(self.folder, "read it, and run one of the commands on this run with --trust-program")
        network = self.table.metadata.deployed(self.folder)
        return measure(space, architecture or self.best.code, network, settings or study.hardware)

    @property
    def model(self) -> Classifier:
        """The trained model of the study's answer.

        Raises:
            SettingsError: If it was not trained yet.
        """
        return Classifier.load(self.folder / "best")

    @property
    def best(self) -> Entry:
        """The architecture that the study chose for its budgets."""
        answer = self.table.metadata.answer
        if answer is None:
            raise InfeasibleBudgetError("nothing meets the budgets of this study; ask its table for other budgets")
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
        resume: Whether to continue the run in the folder, if there is one.
        overwrite: Whether to replace it.
        quiet: Whether to leave out notes and progress.
        dashboard: Whether to serve optuna-dashboard on this machine alone while the study runs.
        track: Where settings, curves, results and the report are sent: ``"tensorboard"``, ``"mlflow"``, or nowhere.
        storage: URL of a database that keeps the search and the trainings as Optuna studies.
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
        dashboard: bool = False,
        track: str | None = None,
        storage: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        """Resolves the settings; nothing is read or written but the study's file."""
        if resume and overwrite:
            raise SettingsError("resume and overwrite exclude each other; use one of them")
        check_tracker(track)
        if storage is not None:
            Database(storage, "")  # refuses what is no URL
        folder = Path(output_dir) if output_dir is not None else None
        self.settings: StudySettings
        overrides = overrides_of(options, settings)
        self.settings, self.output_dir = resolve_request(name, overrides, folder, resume=resume)
        self._names_space = names_space(name, overrides, self.settings.space, resume=resume)
        self._resume, self._overwrite, self._quiet = resume, overwrite, quiet
        self._dashboard, self._track, self._storage = dashboard, track, storage

    def __repr__(self) -> str:
        budgets = ", ".join(request.text for request in self.settings.budget.requests())
        return f"<Study {self.settings.name} of {self.settings.space}, budget {budgets}, into {self.output_dir}>"

    def run(self) -> StudyResult:
        """Runs the study to its report, in this process and worker processes.

        As with everything that starts processes, a script calls it under ``if __name__ == "__main__":``.

        Raises:
            InfeasibleBudgetError: If no architecture meets the budget; the report is written.
            SettingsError: If the script is not a file, or calls it elsewhere.
            SurrogateNasError: If the input is wrong or a stage fails; what is finished is kept, and ``resume=True``
                continues.
        """
        require_main_module()
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
            self._dashboard,
            self._names_space,
            self._track,
            self._storage,
        )
        with (
            StudyConsole(quiet=self._quiet, json=True) as console,
            stop_in_python(console.warn) as should_stop,
        ):
            facts = run_study(request, console, should_stop)
        if facts.answer.outcome == "infeasible":
            page = self.output_dir / PAGE_NAME
            raise InfeasibleBudgetError(f"no architecture of the space meets the budget; see {page}")
        return StudyResult(self.output_dir, LookupTable.load(self.output_dir), facts)
