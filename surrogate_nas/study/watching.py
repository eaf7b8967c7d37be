"""The dashboard that a person may watch while a study runs."""

from pathlib import Path
from typing import Self

from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.search.journal.dashboard import Dashboard
from surrogate_nas.search.journal.database import Database


class Watch:
    """optuna-dashboard for a run, if the user wants one.

    Call order: ``open`` once there may be something to look at, ``show`` whenever the journal was replaced. The server
    ends with the block.

    Args:
        asked: Whether the user wants it; if not, nothing is ever shown.
        journal: Where the search keeps its trials.
        artifacts: Folder of files attached to the search.
        console: Where its address and its failures are noted.
    """

    def __init__(self, asked: bool, journal: Path | Database, artifacts: Path, console: StudyConsole) -> None:
        self.asked = asked
        self._journal, self._artifacts, self._console = journal, artifacts, console
        self._dashboard: Dashboard | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._dashboard is not None:
            self._dashboard.stop()

    @property
    def url(self) -> str | None:
        """The address of the dashboard; None if there is none."""
        return self._dashboard.url if self._dashboard is not None else None

    def open(self) -> None:
        """Shows what an earlier process searched.

        Raises:
            SettingsError: If optuna-dashboard is not installed.
        """
        if self.asked:
            self._dashboard = Dashboard(self._journal, self._artifacts)
            if isinstance(self._journal, Database) or self._journal.exists():
                self.show()

    def show(self) -> None:
        """Starts the server, again where the journal was replaced; a failure is a warning and no reason to stop."""
        if self._dashboard is None:
            return
        try:
            self._dashboard.start()
        except OSError as error:
            self._console.warn(f"the dashboard could not be started: {error}")
        else:
            self._console.note(f"dashboard: {self._dashboard.url} (until the run ends)")
