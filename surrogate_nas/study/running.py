"""A run in progress: all that stages share in addition to the problem that they work on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.ray_workers import RayWorkers, Share
from surrogate_nas._processes.workers import Workers
from surrogate_nas.runs.compute import visible_gpus
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import Advance, stop_if_asked, stoppable
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import ComputeSettings, StudySettings
from surrogate_nas.runs.tracking import Tracker
from surrogate_nas.search.journal.database import Database
from surrogate_nas.study.ask.request import Request
from surrogate_nas.study.watching import Watch

ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class Run:
    """A run in progress.

    Attributes:
        request: The user's request.
        folder: Where it reads and writes.
        console: The study's voice.
        should_stop: Whether the user wants a stop.
        workers: Processes for trainings and evaluations, started at their first use.
        watch: Its dashboard.
        tracker: Where settings, curves and results are sent.
        database: Keeps Optuna's studies in the place of journals in the run folder, where the user wants it.
    """

    request: Request
    folder: RunFolder
    console: StudyConsole
    should_stop: ShouldStop
    workers: Workers
    watch: Watch
    tracker: Tracker
    database: Database | None = None

    @classmethod
    @contextmanager
    def of(cls, request: Request, folder: RunFolder, console: StudyConsole, should_stop: ShouldStop) -> Iterator["Run"]:
        """Yields a run that ends its processes, its dashboard and its tracked run with the block."""
        database = Database(request.storage, folder.storage.run) if request.storage is not None else None
        with (
            _workers(request.settings.compute, folder) as workers,
            Watch(request.dashboard, database or folder.journal, folder.artifacts, console) as watch,
            Tracker(request.track, folder.path, "study", console) as tracker,
        ):
            yield cls(request, folder, console, should_stop, workers, watch, tracker, database)

    @property
    def settings(self) -> StudySettings:
        """The settings that the user chose."""
        return self.request.settings

    @property
    def journal(self) -> Path | Database:
        """The file or the database that has the search's trials."""
        return self.database or self.folder.journal

    @contextmanager
    def progress(self, title: str, doing: str) -> Iterator[Advance]:
        """Yields a progress bar for the length of a block, which raises ``Interrupted`` once a stop was requested.

        Args:
            title: What the bar is of.
            doing: What is stopped, such as ``"reading images"``.
        """
        with self.console.progress(title) as advance:
            yield stoppable(advance, self.should_stop, doing)

    def stop_if_asked(self, doing: str) -> None:
        """Ends a stage that was asked to stop.

        Raises:
            Interrupted: If it was.
        """
        stop_if_asked(self.should_stop, doing)


def _workers(compute: ComputeSettings, folder: RunFolder) -> LocalWorkers | RayWorkers:
    if compute.cluster:
        share = Share(compute.threads, compute.gpus)
        return RayWorkers(compute.cluster, compute.processes, share, folder.study)
    return LocalWorkers(compute.processes or 1, visible_gpus(compute))
